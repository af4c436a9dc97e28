"""The loops over time of csrc/recurrent*.c where one group of sequences and one block of weight_h
are not enough, and what their module refuses."""

import numpy as np
import pytest
from closeness import assert_close

from tinydl.backend import reference
from tinydl.backend.cpu import CpuBackend, _recurrent, _runtime

REFERENCE = reference.Backend()
GATES = {"rnn": 1, "lstm": 4, "gru": 3}
KINDS = [("rnn", True), ("lstm", True), ("gru", True), ("gru", False)]


@pytest.fixture(params=["baseline", "avx2", "avx512"])
def cpu(request):
    """The compiled backend at one level of instructions."""
    if request.param not in _runtime.available_levels():
        pytest.skip(f"this processor offers only {', '.join(_runtime.available_levels())}")
    before = _runtime.level()
    _runtime.set_level(request.param)
    yield CpuBackend()
    _runtime.set_level(before)


@pytest.mark.parametrize(("kind", "reset_after"), KINDS)
def test_many_sequences_and_wide_states(cpu, kind, reset_after):
    """61 sequences are three groups; 400 doubles are three runs of a product, 3 * 400 columns are
    more than one block. The last bits add up: 400 products, 2 steps."""
    rng, (N, T, D, H) = np.random.default_rng(3), (61, 2, 5, 400)
    W, states = GATES[kind] * H, 2 if kind == "lstm" else 1
    shapes = [(N, T, D), *[(N, H)] * states, (D, W), (H, W), (W,)]
    args = [rng.normal(size=s) / 20 for s in shapes]
    bias_h = rng.normal(size=W) if reset_after else None
    options = [rng.random((N, T)) < 0.7, rng.integers(0, 2, (N, H)) * 2.0, False]
    args += [bias_h, *options] if kind == "gru" else options
    want = getattr(REFERENCE, f"{kind}_forward")(*args)
    want = want if isinstance(want, tuple) else (want,)
    got = getattr(cpu, f"{kind}_forward")(*args)
    for a, b in zip(got if isinstance(got, tuple) else (got,), want, strict=True):
        assert_close(a, b, 0, atol=1e-13)
    saved = want[1:] if kind == "lstm" else want
    after = [reset_after] if kind == "gru" else []
    first, weight_h = args[states], args[states + 2]
    back = [rng.normal(size=want[0].shape), *saved, first, weight_h, *options[:2], *after, False]
    found = getattr(cpu, f"{kind}_backward")(*back)
    for a, b in zip(found, getattr(REFERENCE, f"{kind}_backward")(*back), strict=True):
        assert_close(a, b, 0, atol=1e-12)


def test_the_room_refuses_what_does_not_fit():
    h, weight, states = np.zeros((2, 3)), np.zeros((3, 3)), np.zeros((2, 4, 3))
    _recurrent.rnn_run(h, weight, None, None, states, False)
    for wrong in (np.zeros((2, 4)), np.zeros((2, 3), np.float32), np.zeros((3, 2)).T):
        with pytest.raises(ValueError, match="contiguous, of one type and of fitting sizes"):
            _recurrent.rnn_run(wrong, weight, None, None, states, False)
    with pytest.raises(ValueError, match="a mask must be contiguous, bool"):
        _recurrent.rnn_run(h, weight, np.ones((2, 3), bool), None, states, False)
    with pytest.raises(ValueError, match=r"a sequence must be contiguous floats \(N, T, H\)"):
        _recurrent.rnn_run(h, weight, None, None, states[:, ::2], False)
    states.flags.writeable = False
    with pytest.raises((BufferError, ValueError), match="read-only"):
        _recurrent.rnn_run(h, weight, None, None, states, False)
