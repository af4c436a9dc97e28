"""The ladder: every rung computes the same; what is written about it. No speed is asserted."""

import numpy as np
import pytest
from closeness import assert_close

from tinydl.backend import get
from tinydl.backend.cpu import (
    _conv,
    _runtime,
)
from tinydl.bench import ladder
from tinydl.errors import ConfigError, TinydlError
from tinydl.geometry import conv2d_geometry

THREADS = ["2 threads"]
RUNGS = ["NumPy", "Cython loops", *(f"C, {n}" for n in _runtime.available_levels()), *THREADS]


@pytest.mark.parametrize("name", ladder.LADDERS)
def test_the_rungs(name):
    before = _runtime.level(), _runtime.threads()
    rungs = ladder.climb(name, rounds=1, target=1e-5, small=True)
    expected = [r for r in RUNGS if name != "lstm" or r != "Cython loops"]
    assert [r.rung for r in rungs] == expected
    assert all(r.seconds > 0 and r.gflops > 0 for r in rungs)
    assert (_runtime.level(), _runtime.threads()) == before
    text = ladder.table(rungs)
    assert text.startswith(f"## {rungs[0].ladder}\n") and "| C, baseline |" in text
    assert text.count("| 1.0 |") >= 1  # the yardstick itself


def test_a_wrong_rung_is_not_timed(monkeypatch):
    def wrong(small):
        made = ladder._pool_ladder(small)
        return ladder.Ladder(made.name, made.flops, made.kernel, lambda: made.loops() + 1)

    monkeypatch.setitem(ladder.LADDERS, "max_pool", wrong)
    with pytest.raises(TinydlError, match="Cython loops: off by"):
        ladder.climb("max_pool", small=True)
    with pytest.raises(ConfigError, match="no 'fft'"):
        ladder.climb("fft")


@pytest.mark.parametrize(("groups", "stride", "dilation"), [(1, 1, 2), (2, 2, 1), (6, 1, 1)])
def test_the_loops_of_a_convolution(groups, stride, dilation):
    rng = np.random.default_rng(1)
    x = rng.standard_normal((2, 7, 6, 6), dtype=np.float32)
    weight = rng.standard_normal((3, 2, 6 // groups, 12), dtype=np.float32)
    g = conv2d_geometry(x.shape, weight.shape, stride, ((1, 0), (2, 1)), dilation, groups)
    y = np.full(g.y_shape, np.nan, np.float32)
    _conv.conv2d_loops_f32(x, weight, y, g)
    assert_close(y, get("numpy").conv2d(x, weight, None, g), 1e-5, atol=1e-4)


def test_the_picture(tmp_path):
    pytest.importorskip("matplotlib")
    rungs = [ladder.Rung(n, r, 1e-3, 2.0) for n in ("matmul 3", "conv 5") for r in RUNGS]
    ladder.draw(rungs, tmp_path / "ladder.png")
    assert [ladder._short(v) for v in (101.4, 3.529, 0.1984, 0.00358)] == [
        *("101", "3.53", "0.198", "0.004")
    ]
    assert (tmp_path / "ladder.png").read_bytes()[1:4] == b"PNG"
