"""A gradient that is handed out can be overwritten without changing anything else: not another
leaf's, not the caller's, not what a hook kept or an operation saved. And nothing is copied without
need."""

import gc

import numpy as np
import pytest

import tinydl
from tinydl import Function, Tensor, nn, ops
from tinydl.function import grad as differentiate

SHAPE = (2, 3)


class Hands(Function):
    """Gives its saved inputs away as gradients: of sum a * b they are the gradients."""

    saves = (0, 1)

    def forward(self, a, b):
        return self.backend.sum(self.backend.multiply(a, b), (0, 1), False)

    def backward(self, grad):
        a, b = self.saved
        return b, a


class Keeps(Function):
    """Gives a tensor away that it keeps itself."""

    def __init__(self, kept):
        self.kept = kept

    def forward(self, x):
        return self.backend.sum(self.backend.multiply(x, self.kept.data), (0, 1), False)

    def backward(self, grad):
        return self.kept


#: Results of two leaves (2, 3) whose gradients share memory somewhere on the way.
GRAPHS = {
    "a + b": lambda a, b, c: a + b,
    "sum of a + b": lambda a, b, c: (a + b).sum(),
    "a - b + b": lambda a, b, c: a - b + b,
    "identity": lambda a, b, c: (a + c) + (b + c),
    "reshaped": lambda a, b, c: a.reshape(3, 2).T.T.reshape(2, 3) + b,
    "transposed": lambda a, b, c: (a.T + b.T).T,
    "reversed": lambda a, b, c: ops.flip(a, 1) + ops.flip(b, 1),
    "concatenated": lambda a, b, c: ops.concat([a, b, a], 0),
    "stacked": lambda a, b, c: ops.stack([a, b]),
    "broadcast": lambda a, b, c: a.sum() + b.sum(axis=0),
    "one of them alone": lambda a, b, c: a[0] + c[0] + b[1],
    "saved and returned": lambda a, b, c: Hands().apply(a, b),
    "kept and returned": lambda a, b, c: Keeps(c).apply(a) + Keeps(c).apply(b),
    "a product": lambda a, b, c: a * b,
    "a leaf itself": lambda a, b, c: a,
}


def leaves(backend):
    rng = np.random.default_rng(0)
    arrays = [rng.normal(size=SHAPE).astype(np.float32) for _ in range(3)]
    a, b = (Tensor(x, backend=backend, requires_grad=True) for x in arrays[:2])
    return a, b, Tensor(arrays[2], backend=backend)


def overwrite_each(gradients, others):
    """Each gradient is overwritten in turn; every other tensor keeps its values."""
    watched = [*gradients, *others]
    for number, gradient in enumerate(gradients):
        before = [t.numpy().copy() for t in watched]
        gradient.assign(np.arange(gradient.size, dtype=np.float32).reshape(gradient.shape) + number)
        for place, (t, old) in enumerate(zip(watched, before, strict=True)):
            if t is gradient:
                assert place == number
                assert t.numpy().ravel().tolist() == [number + i for i in range(t.size)]
            else:
                assert np.array_equal(t.numpy(), old), (number, place)


@pytest.mark.parametrize("way", ["backward", "hooks", "grad", "twice"])
@pytest.mark.parametrize("name", GRAPHS)
def test_a_gradient_is_nobody_elses(backend, name, way):
    a, b, c = leaves(backend)
    kept = []
    inside = a + 0.0 if way == "hooks" else a
    if way == "hooks":
        for t in (a, b, inside):
            t.register_hook(kept.append)
    y = GRAPHS[name](inside, b, c)
    incoming = Tensor(np.full(y.shape, 2.0, np.float32), backend=backend)
    wanted = [t for t in (a, b) if name != "a leaf itself" or t is a]
    if way == "grad":
        gradients = list(differentiate([y], wanted, [incoming]))
    else:
        y.backward(incoming)
        if way == "twice":
            GRAPHS[name](a, b, c).backward(incoming)
        gradients = [t.grad for t in wanted]
    assert all(g.node is None and not g.requires_grad for g in gradients)
    overwrite_each(gradients, [a, b, c, incoming, *kept])


def test_an_incoming_ndarray_is_not_kept(backend):
    a, _, _ = leaves(backend)
    host = np.ones(SHAPE, np.float32)
    (a + 0.0).backward(host)
    host[:] = 7
    assert np.array_equal(a.grad.numpy(), np.ones(SHAPE))


@pytest.mark.parametrize("name", GRAPHS)
def test_an_incoming_gradient_that_is_a_leaf_stays_in_the_graph(backend, name):
    """And still is nobody else's: overwriting it changes no result."""
    a, b, c = leaves(backend)
    y = GRAPHS[name](a, b, c)
    incoming = Tensor(np.full(y.shape, 2.0, np.float32), backend=backend, requires_grad=True)
    (first,) = differentiate(y, a, incoming, create_graph=True)
    if "returned" in name:  # these two do not read what comes in
        assert not first.requires_grad or first.node is not None
        return
    (second,) = differentiate(first.sum(), incoming, retain_graph=True)
    assert np.any(second.numpy() != 0)
    before = first.numpy().copy()
    if name == "a leaf itself":
        incoming.assign(np.zeros(y.shape, np.float32))
        assert np.array_equal(first.numpy(), before)


NETS = {
    "linear": (lambda: nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3)), (5, 4)),
    "conv": (
        lambda: nn.Sequential(nn.Conv2d(2, 4, 3, padding="same"), nn.BatchNorm(4), nn.ReLU()),
        (2, 6, 6, 2),
    ),
    "lstm": (lambda: nn.LSTM(4, 8), (3, 5, 4)),
    "gru": (lambda: nn.GRU(4, 8), (3, 5, 4)),
}


@pytest.mark.parametrize("name", NETS)
def test_weights_of_layers_need_no_copy(backend, name, monkeypatch):
    make, shape = NETS[name]
    with tinydl.use_backend(backend.name):
        model = make()
        y = model(Tensor(np.ones(shape, np.float32), backend=backend))
    loss, copies, copy = (y * y).sum(), [], type(backend).copy
    real = tinydl.function.give_own_arrays

    def counted(found, create_graph):
        with monkeypatch.context() as patch:
            patch.setattr(type(backend), "copy", lambda s, x: copies.append(x.shape) or copy(s, x))
            real(found, create_graph)

    monkeypatch.setattr(tinydl.function, "give_own_arrays", counted)
    loss.backward()
    assert all(p.grad is not None for p in model.parameters()) and not copies


def test_a_cycle_is_said_and_grad_makes_none(backend):
    gc.collect()
    gc.disable()
    try:
        a, _, _ = leaves(backend)
        with pytest.warns(UserWarning, match=r"create_graph=True.*cycle.*tinydl\.grad") as caught:
            (a * a).sum().backward(create_graph=True)
        assert caught[0].filename == __file__
        b, _, _ = leaves(backend)
        version = b._version
        (first,) = differentiate((b * b).sum(), b, create_graph=True)
        assert first.requires_grad
        referrers = len(gc.get_referrers(version))
        del first, b
        assert len(gc.get_referrers(version)) < referrers
    finally:
        gc.enable()


def test_no_warning_where_there_is_no_cycle(recwarn):
    x = Tensor([1.0, 2.0], requires_grad=True)
    (x * 3.0).sum().backward(create_graph=True)  # its gradient depends on nothing
    assert not recwarn.list and x.grad.tolist() == [3.0, 3.0]
