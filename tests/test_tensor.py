"""What the user touches: construction, operators, indexing, printing, moving, and their errors."""

import copy
import operator
import pickle

import numpy as np
import pytest
from closeness import assert_close

import tinydl
from tinydl import Tensor, ops
from tinydl.backend.reference import Backend
from tinydl.errors import (
    ConfigError,
    DeviceError,
    DTypeError,
    GraphError,
    IndexRangeError,
    ShapeError,
)
from tinydl.methods import Methods

pytestmark = pytest.mark.usefixtures("on_numpy")

# -- construction ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "data, dtype",
    [
        (1, "int64"),
        (1.5, "float32"),
        ([1, 2], "int64"),
        ([[1.0], [2]], "float32"),
        (True, "bool"),
        ([], "float32"),
        (np.float64(1), "float64"),
        (np.ones(2), "float64"),
        (np.ones(2, np.int32), "int32"),
        (np.ones(2, np.uint8), "uint8"),
    ],
)
def test_dtypes_of_new_tensors(data, dtype):
    assert Tensor(data).dtype == dtype


def test_arrays_are_copied():
    host = np.ones(3)
    t = Tensor(host)
    host[0] = 5
    assert t.tolist() == [1, 1, 1]


def test_dtypes_that_do_not_exist():
    for data in (
        np.ones(2, np.float16),
        np.ones(2, np.complex128),
        np.array(["a"]),
        np.ones(2, "u4"),
    ):
        with pytest.raises(DTypeError, match="no dtype"):
            Tensor(data)


def test_ragged_rows():
    with pytest.raises(ShapeError, match="rows of different length"):
        Tensor([[1, 2], [3]])


def test_only_floats_take_gradients():
    with pytest.raises(DTypeError, match=r"only float tensors have gradients .*, got int64 \(2,\)"):
        Tensor([1, 2], requires_grad=True)


def test_creation_functions():
    assert tinydl.zeros((2, 3)).shape == (2, 3) and tinydl.ones(2).tolist() == [1, 1]
    assert tinydl.full((), 3).item() == 3 and tinydl.arange(3).dtype == np.int64
    assert tinydl.arange(0, 1, 0.25).tolist() == [0, 0.25, 0.5, 0.75]
    assert tinydl.uniform((100,), low=2, high=3).numpy().min() >= 2


# -- operators -------------------------------------------------------------------------------------

BINARY = (
    *(operator.add, operator.sub, operator.mul, operator.truediv, operator.pow),
    *(operator.eq, operator.ne, operator.lt, operator.le, operator.gt, operator.ge),
)


@pytest.mark.parametrize("apply", BINARY, ids=lambda f: f.__name__)
def test_an_ndarray_on_either_side(apply):
    """NumPy must leave `ndarray op Tensor` to the Tensor: an ndarray would lose the graph."""
    a, b = np.array([1.0, 2.0, 3.0]), np.array([3.0, 2.0, 0.5])
    for left, right in ((a, Tensor(b)), (Tensor(a), b)):
        result = apply(left, right)
        assert isinstance(result, Tensor)
        assert_close(result.numpy(), apply(a, b), 1e-5)


@pytest.mark.parametrize("apply", BINARY[:5], ids=lambda f: f.__name__)
def test_gradients_survive_an_ndarray_on_the_left(apply):
    t = Tensor(np.array([3.0, 2.0, 0.5]), requires_grad=True)
    apply(np.array([1.5, 2.0, 3.0]), t).sum().backward()
    assert t.grad is not None and np.all(t.grad.numpy() != 0)


def test_matmul_with_an_ndarray_on_either_side():
    a, b = np.arange(6.0).reshape(2, 3), np.arange(12.0).reshape(3, 4)
    for left, right in ((a, Tensor(b)), (Tensor(a), b)):
        assert isinstance(left @ right, Tensor)
        assert_close((left @ right).numpy(), a @ b, 1e-5)


@pytest.mark.parametrize("apply", BINARY, ids=lambda f: f.__name__)
def test_a_number_on_either_side(apply):
    a = np.array([1.0, 2.0, 3.0], np.float32)
    for left, right in ((2.0, Tensor(a)), (Tensor(a), 2.0), (2, Tensor(a)), (Tensor(a), 2)):
        result = apply(left, right)
        plain = [x.numpy() if isinstance(x, Tensor) else x for x in (left, right)]
        assert_close(result.numpy(), apply(*plain), 1e-5)
        assert result.dtype in (np.float32, np.bool_)


def test_unary_operators():
    t = Tensor([1.0, -2.0])
    assert (-t).tolist() == [-1, 2] and abs(t).tolist() == [1, 2]
    assert (~(t > 0.0)).tolist() == [False, True]


def test_dtypes_must_agree():
    with pytest.raises(
        DTypeError, match=r"add: operands are float32 \(2,\) and float64 \(2,\); .*astype"
    ):
        Tensor([1.0, 2.0]) + np.ones(2)
    with pytest.raises(DTypeError, match=r"int64 tensor with the float 0\.5"):
        Tensor([1, 2]) * 0.5
    with pytest.raises(DTypeError, match="divide: needs a float tensor, got int64"):
        Tensor([1, 2]) / 2


def test_shapes_must_broadcast():
    with pytest.raises(
        ShapeError, match=r"add: shapes \(2,\) and \(3,\) do not broadcast: axis -1"
    ):
        Tensor([1.0, 2.0]) + Tensor([1.0, 2.0, 3.0])


def test_backends_must_agree():
    a, b = Tensor([1.0]), Tensor([1.0], backend=Backend())
    with pytest.raises(DeviceError, match=r"multiply: tensors live on .*\.to\(backend\)"):
        a * b
    with pytest.raises(DeviceError):
        tinydl.ops.concat([a, b])


def test_unknown_backends():
    with pytest.raises(DeviceError, match="unknown backend 'gpu': choose"):
        Tensor([1.0], backend="gpu")
    with pytest.raises(DeviceError, match="unknown backend"):
        tinydl.set_default_backend("gpu")


def test_truth_length_iteration():
    assert bool(Tensor([1.0])) and not bool(Tensor(0))
    assert len(Tensor([[1], [2]])) == 2 and [row.tolist() for row in Tensor([[1], [2]])] == [
        [1],
        [2],
    ]
    with pytest.raises(ShapeError, match="ambiguous"):
        bool(Tensor([1.0, 2.0]))
    with pytest.raises(ShapeError, match="len"):
        len(Tensor(1.0))
    with pytest.raises(ShapeError, match="item: needs exactly one element"):
        Tensor([1.0, 2.0]).item()


def test_tensors_are_hashable_by_identity():
    a, b = Tensor([1.0]), Tensor([1.0])
    assert len({a, b, a}) == 2


# -- reading ---------------------------------------------------------------------------------------


def test_numpy_is_read_only():
    t = Tensor([1.0, 2.0])
    with pytest.raises(ValueError, match="read-only"):
        t.numpy()[0] = 5
    assert np.asarray(t).tolist() == [1, 2] and np.asarray(t, np.float64).dtype == np.float64


def test_setitem_names_the_alternatives():
    t = Tensor([1.0, 2.0], requires_grad=True)
    with pytest.raises(GraphError, match=r"not written in place.*tinydl\.where.*t\.assign"):
        t[0] = 5.0
    (t * t).sum().backward()
    with pytest.raises(GraphError):
        t[:] += 1.0


KEYS = (
    *(0, -1, slice(None), slice(1, None), slice(None, None, -1), slice(3, 0, -2), slice(5, 2)),
    *(None, Ellipsis, (0, 1), (slice(None), 0), (Ellipsis, 0), (0, Ellipsis), (None, 0, None)),
    *((slice(None, None, 2), slice(None, None, -2)), (0, 0, 0), (), (Ellipsis, None, slice(0, 1))),
    *(np.array([2, 0, 2]), [0, 1], np.array([[1, -0]]), np.array([], np.int64)),
)


@pytest.mark.parametrize("key", KEYS, ids=repr)
def test_getitem_agrees_with_numpy(key):
    x = np.arange(24.0).reshape(4, 3, 2)
    got, want = Tensor(x)[key], x[key]
    assert got.shape == want.shape and np.array_equal(got.numpy(), want)


def test_getitem_out_of_range():
    t = Tensor([1.0, 2.0])
    for key in (2, -3):
        with pytest.raises(
            IndexRangeError, match=f"getitem: index {key} is out of range for axis 0"
        ):
            t[key]
    with pytest.raises(
        IndexRangeError, match="getitem: index 2 is out of range for axis 0 of size 2"
    ):
        t[np.array([0, 2])]
    with pytest.raises(ShapeError, match="too many indices"):
        t[0, 0]
    with pytest.raises(ShapeError, match="cannot index with str"):
        t["a"]


# -- printing --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "make, text",
    [
        (lambda: Tensor(1.5), "tensor(1.5)"),
        (lambda: Tensor([1.0, 2.0]), "tensor([1., 2.], (2,))"),
        (lambda: Tensor([[1, 2], [3, 4]]), "tensor([[1, 2],\n        [3, 4]], (2, 2), int64)"),
        (lambda: Tensor([1.0], requires_grad=True), "tensor([1.], (1,), requires_grad)"),
        (lambda: -Tensor([1.0], requires_grad=True), "tensor([-1.], (1,), from negative)"),
        (lambda: Tensor(np.ones(1)), "tensor([1.], (1,), float64)"),
        (lambda: Tensor(np.zeros((2, 0))), "tensor([], (2, 0), float64)"),
        (lambda: Tensor([1.0]) > 0.0, "tensor([ True], (1,), bool)"),
    ],
)
def test_repr(make, text):
    with np.printoptions(legacy=False):
        assert repr(make()) == text


def test_repr_of_large_tensors_is_short():
    assert len(repr(tinydl.zeros((1000, 1000)))) < 300


def test_repr_names_a_backend_that_is_not_the_default():
    t = Tensor([1.0], backend="numpy")
    other = Backend()
    other.name = "other"
    assert "'other'" in repr(Tensor([1.0], backend=other)) and "numpy" not in repr(t)


# -- moving ----------------------------------------------------------------------------------------


def test_to_another_backend_and_back():
    other = Backend()
    t = Tensor([1.0, 2.0], requires_grad=True)
    moved = t.to(other)
    assert moved.backend is other and moved.requires_grad and moved.tolist() == [1, 2]
    assert t.to(t.backend) is t
    with pytest.raises(GraphError, match=r"call \.detach\(\) first"):
        (t * t).to(other)


def test_a_round_trip_through_every_backend(backend):
    t = Tensor([[1.0, 2.0], [3.0, 4.0]])
    there = t.to(backend)
    assert there.backend is backend
    assert (there @ there).T.to(t.backend).tolist() == [[7.0, 15.0], [10.0, 22.0]]


def test_use_backend_is_undone():
    with tinydl.use_backend("numpy"):
        assert Tensor([1.0]).backend.name == "numpy"
    with pytest.raises(KeyError), tinydl.use_backend("numpy"):
        raise KeyError
    assert tinydl.default_backend() == "numpy"  # of the fixture


def test_astype():
    t = Tensor([1.5, -2.5])
    assert t.astype("int64").tolist() == [1, -2] and t.astype("float32") is t
    assert t.astype("bool").tolist() == [True, True]


# -- one training step on every backend ------------------------------------------------------------


def test_the_same_gradients_on_every_backend(backend):
    """A small network, forward and backward in float64: equal to the reference up to rounding."""
    rng = np.random.default_rng(0)
    arrays = [rng.normal(size=s) for s in ((2, 6, 6, 3), (3, 3, 3, 4), (4,), (36, 5), (5,))]
    found = []
    for home in (backend, tinydl.backend.get("numpy")):
        x, *parameters = [Tensor(a, backend=home, requires_grad=True) for a in arrays]
        labels = Tensor(np.array([1, 4]), backend=home)
        weight, bias, head, head_bias = parameters
        hidden = tinydl.max_pool2d(tinydl.relu(tinydl.conv2d(x, weight, bias, padding="same")), 2)
        logits = tinydl.ops.linear(tinydl.tanh(hidden).reshape(2, -1), head, head_bias)
        loss = tinydl.ops.cross_entropy_per_row(logits, labels).mean()
        loss.backward()
        found.append([loss.numpy(), *[p.grad.numpy() for p in (x, *parameters)]])
    for got, want in zip(*found, strict=True):
        assert np.abs(got - want).max() <= 1e-12 * max(1, np.abs(want).max())


# -- what people type ------------------------------------------------------------------------------


def test_requires_grad_is_checked_where_it_is_set():
    for values in ([1, 2], [True], np.array([1], np.uint8), np.array([1], np.int32)):
        t = Tensor(values)
        with pytest.raises(DTypeError, match=r"only float tensors .*requires_grad"):
            t.requires_grad = True
        t.requires_grad = False
    t = Tensor([1.0])
    for wrong in (2, "yes", None, t):
        with pytest.raises(ConfigError, match="requires_grad must be True or False"):
            t.requires_grad = wrong
        with pytest.raises(ConfigError, match="requires_grad must be True or False"):
            Tensor([1.0], requires_grad=wrong)
    t.requires_grad = np.bool_(True)
    assert t.requires_grad is True
    with pytest.raises(GraphError, match=r"t\.detach\(\)"):
        (t * t).requires_grad = False


COPIES = {
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    "pickle": lambda t: pickle.loads(pickle.dumps(t)),
}


@pytest.mark.parametrize("how", COPIES)
def test_copies_of_leaves_and_of_results(how):
    t = Tensor([1.0, 2.0], requires_grad=True)
    t.register_hook(lambda g: None)
    y = t
    for _ in range(3000):
        y = y + 1.0
    y.sum().backward(retain_graph=True)
    twin = COPIES[how](t)
    assert twin.tolist() == [1, 2] and twin.grad.tolist() == [1, 1] and twin.requires_grad
    assert (twin * twin).sum().item() == 5
    with pytest.raises(GraphError, match=r"computed by add .*t\.detach\(\)"):
        COPIES[how](y)
    assert COPIES[how](y.detach()).tolist() == [3001, 3002]
    with pytest.warns(UserWarning, match="cycle"):
        (twin * twin).sum().backward(create_graph=True)
    assert COPIES[how](twin).grad.node is None
    twin.grad = None


def test_things_that_are_no_numbers_are_not_equal():
    t = Tensor([1.0, 2.0])
    for other in (None, "x", {}, {1.0}, object(), print, 1j, slice(None), range(2)):
        assert (t == other) is False and (t != other) is True
        assert (other == t) is False and (other != t) is True
        assert other not in [t]
    assert t in [None, t]
    for same in (t, [1.0, 2.0], (1.0, 2.0), np.array([1, 2], np.float32)):
        assert (t == same).tolist() == [True, True] and (t != same).tolist() == [False, False]


def test_a_single_number_where_python_wants_one():
    assert f"{Tensor(1.5):.3f} {Tensor(7):03d} {Tensor([1.0])}" == "1.500 007 tensor([1.], (1,))"
    k = Tensor([1, 3, 2]).argmax()
    assert ["a", "b", "c"][k] == "b" and list(range(k)) == [0] and [1] * 2 == [1, 1]
    assert operator.index(Tensor(np.uint8(3))) == 3 and hex(Tensor(255)) == "0xff"
    assert round(Tensor(np.float64(2.675)), 1) == 2.7 and round(Tensor(2.5)) == 2
    assert type(round(Tensor(2.5))) is int and int(Tensor(2.9)) == 2 and float(Tensor(3)) == 3.0
    assert (+Tensor([1.0, -2.0])).tolist() == [1, -2] and (+Tensor(3)).item() == 3
    for wrong in (Tensor(1.0), Tensor(True), Tensor([1]), Tensor([[1]])):
        with pytest.raises(DTypeError, match="index: only a single integer is an index"):
            operator.index(wrong)
    with pytest.raises(
        ShapeError, match=r"format: '\.3f' formats a single number, got shape \(2,\)"
    ):
        f"{Tensor([1.0, 2.0]):.3f}"
    with pytest.raises(ShapeError, match="item"):
        round(Tensor([1.0, 2.0]))
    with pytest.raises(DTypeError, match="positive"):
        +Tensor(True)


X = np.arange(24.0).reshape(2, 3, 4)
METHODS = {
    "flatten": (lambda t: t.flatten(), X.ravel()),
    "flatten from 1": (lambda t: t.flatten(1), X.reshape(2, 12)),
    "flatten from -2": (lambda t: t.flatten(-2), X.reshape(2, 12)),
    "ravel": (lambda t: t.ravel(), X.ravel()),
    "view": (lambda t: t.view(4, -1), X.reshape(4, -1)),
    "view of a transposed one": (lambda t: t.T.view(-1), X.T.ravel()),
    "permute": (lambda t: t.permute(2, 0, 1), X.transpose(2, 0, 1)),
    "swapaxes": (lambda t: t.swapaxes(0, -1), X.swapaxes(0, -1)),
    "expand": (lambda t: t[:, :1].expand(-1, 3, -1), np.repeat(X[:, :1], 3, 1)),
    "expand by an axis": (lambda t: t.expand((2, -1, -1, 4)), np.stack([X, X])),
    "unsqueeze": (lambda t: t.unsqueeze(-1), X[..., None]),
    "copy": (lambda t: t.copy(), X),
    "clone": (lambda t: t.T.clone(), X.T),
    "clamp": (lambda t: t.clamp(min=3.0, max=7.0), X.clip(3, 7)),
    "pow": (lambda t: t.pow(2), X**2),
}


@pytest.mark.parametrize("name", METHODS)
def test_methods_in_both_spellings(name):
    method, want = METHODS[name]
    t = Tensor(X, requires_grad=True)
    y = method(t)
    assert y.shape == want.shape and np.array_equal(y.numpy(), want)
    y.sum().backward()
    assert t.grad is not None and t.grad.shape == X.shape


def test_methods_of_odd_shapes():
    t = Tensor(X)
    assert t.numel() == t.size == 24 and Tensor(1.0).flatten().shape == (1,)
    assert tinydl.zeros((0, 3)).flatten(1).shape == (0, 3) and t.copy().data is not t.data
    assert Tensor([5.0]).expand(2, 3).tolist() == [[5] * 3] * 2
    for wrong in (lambda: t.flatten(3), lambda: t.expand(-1, 2, 3, 4), lambda: t.expand(3, 4)):
        with pytest.raises(ShapeError):
            wrong()
    with pytest.raises(ShapeError, match="swapaxes"):
        t.swapaxes(0, 3)


def test_what_numpy_and_pytorch_have_as_methods_is_the_operation():
    """Of their names that mean the same; sort, median, where mean something else there."""
    own = {name for name, value in vars(Methods).items() if value is getattr(ops, name, None)}
    for name in ("add", "atan2", "cumprod", "diagonal", "isnan", "matmul", "norm", "take", "triu"):
        assert name in own, name
    assert not own & {"sort", "median", "where", "gather", "equal", "pad", "scatter_reduce"}
    x = np.arange(6.0).reshape(2, 3)
    t = Tensor(x)
    for call in (
        lambda a: a.cumprod(1), lambda a: a.take([0, 2], 1), lambda a: a.trace(1),
        lambda a: a.diagonal(1), lambda a: a[0].searchsorted(a),
    ):  # fmt: skip
        assert np.array_equal(call(t).numpy(), call(x))
    assert t.add(t).subtract(1.0).tolist() == (2 * x - 1).tolist()
    assert [p.tolist() for p in t.nonzero(as_tuple=True)] == [p.tolist() for p in x.nonzero()]
