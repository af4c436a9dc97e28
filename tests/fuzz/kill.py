"""kill -9 at random moments: `python tests/fuzz/kill.py --times 100 [--seed 0]`.

A training is killed: a third of the times before its first checkpoint, a third around its last
epoch, a third anywhere; half of the continued trainings are killed once more. Every folder must be
accepted by the command, and end bitwise as the run that nobody stopped: weights, optimizer,
generators, history (but for its seconds), configuration, and no other file.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import tinydl
from tinydl.command.main import main as command
from tinydl.runs.folder import CHECKPOINT, CONFIG, HISTORY, MODEL_FILE
from tinydl.train import History, load_checkpoint

EPOCHS = 12
SETTINGS = ("synthetic-digits", "--epochs", str(EPOCHS), "--batch-size", "200", "--quiet")
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(Path(tinydl.__file__).resolve().parents[1])}
PHASES = ("before the first checkpoint", "around the last epoch", "anywhere")
LONG = 60  # seconds that a child may take for anything


def begin(folder: Path) -> list[str]:
    return ["train", *SETTINGS, "--out", str(folder)]


def go_on(folder: Path) -> list[str]:
    """What a person types after a crash; where nothing was written, the first command again."""
    if not (folder / CONFIG).exists():
        return begin(folder)
    return ["train", "--resume", str(folder), "--quiet"]


def killed(arguments: list[str], ready: Callable[[], bool], delay: float) -> str:
    """Start the command in a child, kill it `delay` seconds after `ready`; what its end was."""
    child = subprocess.Popen(
        [sys.executable, "-P", "-m", "tinydl", *arguments],  # not the folder one stands in
        env=ENVIRONMENT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
    )  # fmt: skip
    deadline = time.monotonic() + LONG
    while child.poll() is None and not ready():
        if time.monotonic() > deadline:
            child.kill()
            raise TimeoutError(f"{arguments} did not get there in {LONG} s")
        time.sleep(0.0005)
    time.sleep(delay)
    child.kill()
    _, told = child.communicate(timeout=LONG)
    if child.returncode not in (0, -9):
        raise RuntimeError(f"{arguments} ended with {child.returncode}: {told.decode()}")
    return "killed" if child.returncode == -9 else "was done before"


def moment(phase: str, folder: Path, rng: random.Random) -> tuple[Callable[[], bool], float]:
    """When to kill: what must be there, and how long after that."""
    if phase == PHASES[0]:
        return folder.exists, rng.uniform(0, 0.04)
    epoch = EPOCHS - 1 if phase == PHASES[1] else rng.randrange(EPOCHS)
    return (lambda: _rows(folder) >= epoch), rng.uniform(0, 0.05)


def _rows(folder: Path) -> int:
    """Epochs in history.csv, -1 before the first checkpoint; a look that disturbs nobody."""
    try:
        return (folder / HISTORY).read_bytes().count(b"\n") - 1
    except FileNotFoundError:
        return 0 if (folder / CHECKPOINT).exists() else -1


def stage(folder: Path) -> str:
    """How far the folder has come, for the tally."""
    if not (folder / CONFIG).exists():
        return "nothing written"
    if not (folder / CHECKPOINT).exists():
        return "only config.json"
    if (folder / MODEL_FILE).exists():
        return "complete"
    epoch = load_checkpoint(folder / CHECKPOINT)[1]["epoch"]
    return "all epochs, no weights file" if epoch == EPOCHS else "between two epochs"


def end_state(folder: Path) -> dict[str, object]:
    """Everything in the folder that must be equal, seconds left out."""
    tensors, saved = load_checkpoint(folder / CHECKPOINT)
    for row in saved["history"]:
        del row["seconds"]
    rows = [{k: v for k, v in r.items() if k != "seconds"} for r in History.from_csv(
        folder / HISTORY)]  # fmt: skip
    return {
        "names": sorted(p.name for p in folder.iterdir() if p.name != "curves.png"),
        "weights": (folder / MODEL_FILE).read_bytes(),
        "config": (folder / CONFIG).read_bytes(),
        "tensors": {k: (v.dtype.str, v.shape, v.tobytes()) for k, v in tensors.items()},
        "state": json.dumps(saved),
        "history": repr(rows),
    }


def try_once(folder: Path, phase: str, rng: random.Random, tally: Counter[str]) -> None:
    """Kill, perhaps kill again, finish; the folder is then complete."""
    killed(begin(folder), *moment(phase, folder, rng))
    tally[f"{phase}: {stage(folder)}"] += 1
    if rng.random() < 0.5 and not (folder / MODEL_FILE).exists():
        rows = _rows(folder)
        killed(go_on(folder), lambda: _rows(folder) > rows, rng.uniform(0, 0.05))
        tally[f"killed again: {stage(folder)}"] += 1
    if not (folder / MODEL_FILE).exists() and command(go_on(folder)) != 0:
        raise RuntimeError(f"{folder} cannot be continued")
    # A process that was killed while it drew leaves its lock file, which locks nothing.
    if (folder / ".lock").exists() and command([*go_on(folder), "--epochs", str(EPOCHS)]) != 2:
        raise RuntimeError(f"{folder} is trained beyond its end")


def kill(times: int, seed: int = 0) -> tuple[Counter[str], list[str]]:
    """So many times; what was found in the folders, and what differed in the end."""
    tally: Counter[str] = Counter()
    faults = []
    with tempfile.TemporaryDirectory() as home:
        whole = Path(home) / "whole"
        if command(begin(whole)) != 0:
            raise RuntimeError("the run that nobody stops has failed")
        expected = end_state(whole)
        for k in range(times):
            folder = Path(home) / str(k)
            try:
                try_once(folder, PHASES[k % 3], random.Random(f"{seed} {k}"), tally)
                found = end_state(folder)
                faults += [f"{k}: {n} differ" for n in expected if found[n] != expected[n]]
            except Exception as error:
                faults.append(f"{k}: {type(error).__name__}: {error}")
    return tally, faults


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--times", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    tally, faults = kill(args.times, args.seed)
    for what, count in sorted(tally.items()):
        print(f"{count:>6} {what}")
    print(*faults, f"{args.times} times, {len(faults)} faults", sep="\n")
    return int(bool(faults))


if __name__ == "__main__":
    sys.exit(main())
