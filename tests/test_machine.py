"""The measured roofs of the machine: what is counted, how they are used. No speed is asserted."""

import json

import numpy as np
import pytest

from tinydl.backend.cpu import _runtime as runtime
from tinydl.command.main import main
from tinydl.errors import ConfigError
from tinydl.measure import machine
from tinydl.measure.machine import Peaks, peaks

ROOFS = Peaks("avx2", 1, {"float32": 100.0, "float64": 50.0}, ((1000, 80.0), (9000, 20.0)))


@pytest.fixture
def quick(monkeypatch):
    """Small arrays, short blocks, nothing remembered before or after."""
    monkeypatch.setattr(machine, "STREAM_LENGTHS", (1 << 8, 1 << 12))
    monkeypatch.setattr(machine, "BLOCK", 1e-5)
    machine._measure_peaks.cache_clear()
    yield
    machine._measure_peaks.cache_clear()


def test_peaks_are_measured_once(quick):
    before = runtime.threads()
    found = peaks(2)
    assert peaks(2) is found and peaks(1) is not found
    assert runtime.threads() == before
    assert found.threads == 2
    assert found.level == runtime.level()
    assert set(found.gflops) == {"float32", "float64"} and min(found.gflops.values()) > 0
    assert [size for size, _ in found.bandwidth] == [3 * 4 << 8, 3 * 4 << 12]
    assert min(speed for _, speed in found.bandwidth) > 0
    alone = peaks(1)
    assert all(found.gflops[name] >= alone.gflops[name] for name in alone.gflops)


@pytest.mark.parametrize("level", runtime.available_levels())
def test_the_loop_counts_its_operations(level):
    """14 chains of whole registers, two operations per link; every thread runs all of them."""
    lanes = {"baseline": 4, "avx2": 8, "avx512": 16}[level]
    before = runtime.level(), runtime.threads()
    try:
        runtime.set_level(level)
        for threads in (1, 2):
            runtime.set_threads(threads)
            assert runtime.fma_loop(10, False) == 2 * 14 * lanes * 10 * threads
            assert runtime.fma_loop(10, True) == 2 * 14 * lanes // 2 * 10 * threads
    finally:
        runtime.set_level(before[0])
        runtime.set_threads(before[1])


def test_the_stream_copies_and_adds():
    x, z = np.arange(37, dtype=np.float32), np.full(37, 3, np.float32)
    y = np.zeros_like(x)
    before = runtime.threads()
    try:
        for threads in (1, 3):
            runtime.set_threads(threads)
            runtime.stream(x, None, y, 2)
            assert np.array_equal(y, x)
            runtime.stream(x, z, y, 2)
            assert np.array_equal(y, x + 1.5)
    finally:
        runtime.set_threads(before)
    with pytest.raises(ValueError, match="as long as x"):
        runtime.stream(x, z[:5], y, 1)
    with pytest.raises(ValueError, match="one length"):
        runtime.stream(x, None, y[::2], 1)


def test_the_roofs():
    assert ROOFS.gbps(10) == ROOFS.gbps(8999) == 80 and ROOFS.gbps(9000) == ROOFS.gbps(1e9) == 20
    assert ROOFS.least_seconds(1e9, 0) == pytest.approx(0.01)
    assert ROOFS.least_seconds(1e9, 0, "float64") == pytest.approx(0.02)
    assert ROOFS.least_seconds(1e9, 2e9) == pytest.approx(0.1)  # memory is the lower roof
    assert ROOFS.least_seconds(0, 800) == pytest.approx(1e-8)  # from the inner cache


def test_info_prints_peaks(quick, capsys):
    assert main(["info", "--peaks"]) == 0
    text = capsys.readouterr().out
    assert "GFLOP/s" in text and "GB/s" in text and "1 thread\n" in text
    assert main(["info", "--peaks", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["peaks"]
    assert rows[0]["threads"] == 1 and rows[0]["gflops"]["float32"] > 0


def test_without_kernels(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "tinydl.backend.cpu._runtime", None)
    monkeypatch.delattr("tinydl.backend.cpu._runtime", raising=False)
    with pytest.raises(ConfigError, match="not compiled"):
        peaks()
