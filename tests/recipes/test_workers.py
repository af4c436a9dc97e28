"""Trainings side by side: the results of one after the other, and nothing left behind."""

import os
import signal
import subprocess
import sys
import time

import pytest

from tinydl.errors import ConfigError
from tinydl.runs.reproduce import reproduce
from tinydl.runs.run import Settings
from tinydl.runs.workers import Job, outcomes

JOBS = [Job("synthetic-digits", 1, Settings(seed)) for seed in (0, 1, 2)]


def told(outcome):
    rows = [{k: v for k, v in row.items() if k != "seconds"} for row in outcome.history]
    return outcome.settings.seed, rows, outcome.test, outcome.numbers, outcome.split


def test_side_by_side_is_one_after_the_other():
    found = dict(outcomes(JOBS, 2))
    alone = reproduce(JOBS[0].recipe(), 3, Settings())
    assert [told(found[k]) for k in range(3)] == [told(o) for o in alone.outcomes]


def dies(job):
    if job.settings.seed == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(300)


@pytest.mark.parametrize(
    "jobs, act, words",
    [
        ([*JOBS[:1], Job("nobody", 1, Settings(7))], None, "nobody, seed 7: ConfigError: unknown"),
        (JOBS, dies, "synthetic-digits, seed 1 ended with code -9"),
    ],
)
def test_a_worker_that_fails_is_named_and_ends_all(jobs, act, words):
    start = time.perf_counter()
    with pytest.raises(ConfigError, match=words):
        list(outcomes(jobs, 2) if act is None else outcomes(jobs, 2, act))
    assert time.perf_counter() - start < 100


def test_no_workers_is_an_error():
    with pytest.raises(ConfigError, match="workers must be an integer >= 1"):
        list(outcomes(JOBS, 0))


def children(pid):
    done = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True)
    return [int(word) for word in done.stdout.split()]


@pytest.mark.skipif(sys.platform != "linux", reason="asks ps for children")
def test_an_interrupt_ends_all(tmp_path):
    command = [sys.executable, "-m", "tinydl", "reproduce", "synthetic-digits", "--epochs", "9999"]
    process = subprocess.Popen(
        [*command, "--seeds", "2", "--workers", "2"], cwd=tmp_path,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    while len(workers := children(process.pid)) < 3:  # and multiprocessing's own
        assert process.poll() is None, process.communicate()
        time.sleep(0.2)
    time.sleep(1)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130 and "interrupted" in err
    end = time.monotonic() + 30
    while any(os.path.exists(f"/proc/{pid}") for pid in workers):
        assert time.monotonic() < end
        time.sleep(0.2)
