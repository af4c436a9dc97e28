"""CTC against PyTorch, against a sum over all alignments, at its edges; decoding."""

import itertools

import numpy as np
import pytest
from closeness import assert_close
from hypothesis import given
from hypothesis import strategies as st
from support import load_backend, oracle_module

from tinydl import Tensor, grad, nn
from tinydl.errors import ConfigError, DTypeError, IndexRangeError, ShapeError
from tinydl.testing import check_grads

rng = np.random.default_rng(16)


def spelled(path, blank):
    return [c for i, c in enumerate(path) if c != blank and (i == 0 or c != path[i - 1])]


def probabilities(logits):
    e = np.exp(logits - logits.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def table(logits, blank):
    """{labels: probability} of one row (T, C), by walking through every alignment."""
    p, found = probabilities(logits), {}
    for path in itertools.product(range(p.shape[1]), repeat=len(p)):
        key = tuple(spelled(path, blank))
        found[key] = found.get(key, 0.0) + p[range(len(p)), path].prod()
    return found


@st.composite
def problems(draw):
    """Logits, labels (repeated ones often), lengths of both, blank; an alignment may not exist."""
    N, T, C, L = (draw(st.integers(1, n)) for n in (3, 6, 4, 4))
    C += 1
    blank = draw(st.integers(0, C - 1))
    r = np.random.default_rng(draw(st.integers(0, 999)))
    labels = (blank + r.integers(1, min(C, 3), (N, L))) % C
    steps = draw(st.lists(st.integers(1, T), min_size=N, max_size=N))
    counts = draw(st.lists(st.integers(0, L), min_size=N, max_size=N))
    return r.normal(size=(N, T, C)) * 2, labels, steps, counts, blank


@pytest.mark.oracle
@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
def test_against_pytorch(reduction):
    torch = oracle_module("torch")

    @given(problems())
    def check(problem):
        logits, labels, steps, counts, blank = problem
        x, z = Tensor(logits, requires_grad=True), torch.tensor(logits, requires_grad=True)
        rest = [torch.tensor(a) for a in (labels, steps, counts)]
        # PyTorch's gradient of an impossible row is NaN unless zero_infinity; ours is 0
        theirs = torch.nn.functional.ctc_loss(
            z.log_softmax(-1).transpose(0, 1), *rest, blank, reduction, zero_infinity=True
        )
        mine = nn.ctc(x, Tensor(labels), steps, counts, blank, reduction, zero_infinity=True)
        assert mine.shape == tuple(theirs.shape)
        mine.sum().backward()
        theirs.sum().backward()
        for a, b in ((mine.numpy(), theirs.detach().numpy()), (x.grad.numpy(), z.grad.numpy())):
            assert_close(a, b, 0, atol=1e-9 * max(abs(b).max(), 1e-3))

    check()


@given(problems())
def test_against_all_alignments(problem):
    logits, labels, steps, counts, blank = problem
    losses = nn.ctc(Tensor(logits), Tensor(labels), Tensor(steps), counts, blank, "none").numpy()
    for n, loss in enumerate(losses):
        sums = table(logits[n, : steps[n]], blank)
        p = sums.get(tuple(labels[n, : counts[n]].tolist()), 0.0)
        assert (p == 0 and loss == np.inf) or abs(loss + np.log(p)) < 1e-10


def test_gradients_of_both_orders():
    labels = Tensor(np.array([[1, 1, 2], [2, 1, 0]]))
    x = Tensor(rng.normal(size=(2, 6, 3)))
    check_grads(lambda x: nn.ctc(x, labels, [6, 4], [3, 2], reduction="sum"), [x], 2)


def test_labels_that_do_not_fit():
    labels = Tensor(np.array([[1, 1], [1, 2]]))  # "1-1" needs three steps
    for zero, expected in ((False, np.inf), (True, 0.0)):
        x = Tensor(rng.normal(size=(2, 2, 3)), requires_grad=True)
        losses = nn.ctc(x, labels, reduction="none", zero_infinity=zero)
        assert losses.numpy()[0] == expected and np.isfinite(losses.numpy()[1])
        (g,) = grad(losses.sum(), x)
        assert not g.numpy()[0].any() and np.isfinite(g.numpy()).all() and g.numpy()[1].any()
    sure = np.array([[[0, -np.inf, -np.inf], [-np.inf, 0, -np.inf]]])
    for wanted, expected in ((1, 0.0), (2, np.inf)):  # classes of probability 0
        certain = Tensor(sure, requires_grad=True)
        loss = nn.ctc(certain, Tensor([[wanted]]))
        (g,) = grad(loss, certain)
        assert loss.item() == expected and not g.numpy().any()
    none = nn.ctc(x, labels, label_lengths=[0, 0], reduction="none").numpy()
    want = -np.log(probabilities(x.numpy())[:, :, 0]).sum(1)
    assert_close(none, want, 1e-12)


@pytest.mark.parametrize("name", ["cpu", "opencl"])
def test_long_rows_in_float32_on_every_backend(name):
    where = load_backend(name)
    logits = rng.normal(size=(2, 20, 5)).astype(np.float32) * 20
    labels = rng.integers(1, 5, (2, 6))
    x = Tensor(logits, backend=where, requires_grad=True)
    loss = nn.ctc(x, Tensor(labels, backend=where), [20, 13], [6, 4])
    wide = Tensor(logits.astype(np.float64), requires_grad=True)
    want = nn.ctc(wide, Tensor(labels), [20, 13], [6, 4])
    loss.backward()
    want.backward()
    assert loss.dtype == np.float32 and abs(loss.item() / want.item() - 1) < 1e-5
    assert_close(x.grad.numpy(), wide.grad.numpy(), 1e-7, atol=1e-4)


@given(problems())
def test_decoding_against_all_alignments(problem):
    logits, _, steps, _, blank = problem
    greedy = nn.ctc_greedy(Tensor(logits), steps, blank)
    beam = nn.ctc_beam(Tensor(logits), steps, blank, width=10**6)
    for n, T in enumerate(steps):
        assert greedy[n] == spelled(logits[n, :T].argmax(-1).tolist(), blank)
        sums = table(logits[n, :T], blank)
        labels, score = beam[n]
        assert sums[tuple(labels)] >= max(sums.values()) * (1 - 1e-9)
        assert abs(score - np.log(sums[tuple(labels)])) < 1e-9


def test_the_beam_finds_what_the_best_path_misses():
    x = Tensor(np.log(np.array([[[0.6, 0.4], [0.6, 0.4]]])))
    assert nn.ctc_greedy(x) == [[]]  # blank blank has 0.36, but "a" has 0.64
    ((labels, score),) = nn.ctc_beam(x, width=2)
    assert labels == [1] and abs(np.exp(score) - 0.64) < 1e-12


def test_errors():
    x, labels = Tensor(np.zeros((2, 4, 3))), Tensor(np.array([[1, 2], [2, 1]]))
    with pytest.raises(ShapeError, match=r"logits must be \(N, T, C\) with T >= 1"):
        nn.ctc(x[0], labels)
    with pytest.raises(ShapeError, match="2 rows of logits but 1 of labels"):
        nn.ctc(x, labels[:1])
    with pytest.raises(ShapeError, match=r"input_lengths must lie in 1..4, got \[5, 4\]"):
        nn.ctc(x, labels, [5, 4])
    with pytest.raises(ShapeError, match=r"label_lengths must be \(2,\), got \(1,\)"):
        nn.ctc(x, labels, label_lengths=[2])
    with pytest.raises(DTypeError, match="input_lengths must be integers"):
        nn.ctc(x, labels, [1.0, 2.0])
    with pytest.raises(DTypeError, match="labels must be integers, got float64"):
        nn.ctc(x, labels.astype(np.float64))
    with pytest.raises(IndexRangeError, match=r"0..2 and not be the blank 2, got 2"):
        nn.ctc(x, labels, blank=2)
    with pytest.raises(ConfigError, match=r"blank must be a class in 0..2, got 3"):
        nn.ctc(x, labels, blank=3)
    with pytest.raises(ConfigError, match="reduction must be"):
        nn.ctc(x, labels, reduction="avg")
    with pytest.raises(ConfigError, match="width must be at least 1"):
        nn.ctc_beam(x, width=0)
    with pytest.raises(ShapeError, match="ctc_greedy: logits must be"):
        nn.ctc_greedy(x[0])
