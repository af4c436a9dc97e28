"""One helper per question, and the same answer at every door (tinydl/arguments.py, doors.py)."""

import numpy as np
import pytest

import tinydl as td
from tinydl import Tensor, data, metrics, nn, ops
from tinydl.arguments import (
    MOST_AXES,
    array,
    dtype,
    flag,
    labels,
    number,
    probability,
    sizes,
    whole,
)
from tinydl.doors import checked, door
from tinydl.errors import (
    ConfigError,
    DTypeError,
    IndexRangeError,
    OutOfMemoryError,
    ShapeError,
    TinydlError,
)
from tinydl.quoting import quoted
from tinydl.train import metrics as batches

WHOLE = (3, np.int64(3), np.uint8(3), np.array(3), np.int32(3))
NOT_WHOLE = (True, np.bool_(True), 3.0, np.float64(3), "3", None, 1j, [3], np.array([3]), 2**70)


def test_an_integer():
    assert [whole("f", "n", v) for v in WHOLE] == [3] * 5
    assert all(type(whole("f", "n", v)) is int for v in WHOLE)
    for value in NOT_WHOLE:
        with pytest.raises(ConfigError, match="f: n must be an integer"):
            whole("f", "n", value)
    with pytest.raises(ShapeError, match=r"f: n must be an integer in 1 ... 2, got 3"):
        whole("f", "n", 3, 1, 2, ShapeError)


def test_a_number_a_flag_a_probability():
    assert [number("f", "x", v) for v in (1, 0.5, np.float32(0.5), np.array(2))] == [1, 0.5, 0.5, 2]
    for value in (True, "1", None, 1j, 10**400, [1.0]):
        with pytest.raises(ConfigError, match="f: x must be a number"):
            number("f", "x", value)
    assert flag("f", "x", np.bool_(True)) is True and flag("f", "x", 0) is False
    for value in (2, None, "yes", [True]):
        with pytest.raises(ConfigError, match="f: x must be True or False"):
            flag("f", "x", value)
    for value in (-0.1, 1.1, np.nan):
        with pytest.raises(ConfigError, match=r"p must be in \[0, 1\]"):
            probability("f", "p", value)


def test_a_shape():
    assert sizes("f", np.int64(3)) == (3,) and sizes("f", [2, np.int8(3)]) == (2, 3)
    for shape in (
        1.5,
        (2, 1.5),
        (True,),
        "22",
        None,
        (-1,),
        (1,) * (MOST_AXES + 1),
        (2**31, 2**31),
    ):
        with pytest.raises(ShapeError, match=r"^f: "):
            sizes("f", shape)


def test_a_dtype_and_arrays():
    assert dtype("f", "float32") == np.float32
    for value in (None, "float16", object, 3, [("a", "i4")], "x", np.ones(2)):
        with pytest.raises(DTypeError, match="f: no dtype"):
            dtype("f", value)
    for value in (None, "a", object(), [[1], [1, 2]], np.array(["a"]), 1j, np.datetime64("2020")):
        with pytest.raises(DTypeError, match="f: x must be an array"):
            array("f", "x", value)
    assert labels("f", "y", np.array([0, 1], np.uint64)).dtype == np.int64


# -- the same at every door ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "axis_taker",
    [
        ops.sum,
        ops.mean,
        ops.max,
        ops.min,
        ops.prod,
        ops.any,
        ops.all,
        ops.argmax,
        ops.argmin,
        ops.var,
    ]
    + [ops.std, ops.norm, ops.logsumexp, ops.softmax, ops.cumsum, ops.sort, ops.argsort, ops.flip],
    ids=lambda f: f.__name__,
)
def test_an_axis(axis_taker):
    """NumPy's integers everywhere, a bool and a float nowhere; errors name the called function."""
    x = td.ones((2, 3))
    wanted = axis_taker(x, axis=1)
    assert axis_taker(x, axis=np.int64(1)).tolist() == wanted.tolist()
    for axis in (True, 1.0, "1", 2, -3):
        with pytest.raises(ShapeError, match=f"^{axis_taker.__name__}: axis"):
            axis_taker(x, axis=axis)
    with pytest.raises(DTypeError, match=f"^{axis_taker.__name__}: "):
        axis_taker([1.0, 2.0])


@pytest.mark.parametrize("kind", [np.int32, np.int64, np.uint8])
def test_labels_of_every_integer_type(kind):
    """In the losses, in the metrics of fit and in those on host arrays."""
    y = np.array([0, 2, 1], kind)
    logits = Tensor(np.eye(3, dtype=np.float32)[[0, 1, 1]] * 2)
    wide = Tensor(y.astype(np.int64))
    logs = logits.log_softmax()
    for loss, first in ((nn.cross_entropy, logits), (nn.nll, logs)):
        assert loss(first, Tensor(y)).item() == loss(first, wide).item()
    ignoring = nn.cross_entropy(logits, Tensor(y), ignore_index=2)
    assert ignoring.item() == nn.cross_entropy(logits, wide, ignore_index=2).item()
    assert batches.accuracy(logits, Tensor(y)).tolist() == [True, False, True]
    steps = Tensor(np.zeros((1, 4, 3), np.float32))
    words = np.array([[1, 2]], kind)
    assert nn.ctc(steps, Tensor(words)).item() == nn.ctc(steps, Tensor(words.astype(int))).item()
    with pytest.raises(DTypeError, match="must be classes"):
        batches.accuracy(logits, Tensor(np.ones(3)))


@pytest.mark.parametrize("kind", [np.uint64, np.int8, np.uint16, bool])
def test_labels_of_other_types_in_the_metrics(kind):
    y = np.array([0, 1, 1], kind)
    assert metrics.accuracy(y, y) == 1
    assert metrics.confusion_matrix(y, y).tolist() == [[1, 0], [0, 2]]
    assert metrics.precision_recall_f1(y, y, average="macro") == (1, 1, 1)
    assert metrics.mean_iou(y, y, 2) == 1
    assert metrics.top_k_accuracy(y, np.eye(2)[[0, 1, 1]], 1) == 1
    with pytest.raises(ShapeError, match="beyond int64"):
        metrics.accuracy(np.array([2**64 - 1], np.uint64), [0])


def test_requires_grad_of_integers_is_refused_wherever_it_can_be_set():
    t = td.tensor([1, 2])
    doors = [
        lambda: setattr(t, "requires_grad", True),
        lambda: td.tensor([1, 2], requires_grad=True),
        lambda: td.zeros((2,), dtype="int64", requires_grad=True),
        lambda: td.ones((2,), dtype=bool, requires_grad=True),
        lambda: td.full((2,), 1, dtype="int32", requires_grad=True),
        lambda: td.arange(3, requires_grad=True),
        lambda: nn.Parameter([1, 2]),
        lambda: nn.Parameter([1.0]).replace(np.array([1])),
    ]
    for refused in doors:
        with pytest.raises(DTypeError, match="only float tensors have gradients"):
            refused()
    t.requires_grad = False
    assert not t.requires_grad
    with pytest.raises(ConfigError, match="requires_grad must be True or False"):
        td.tensor([1.0], requires_grad="yes")


@pytest.mark.parametrize(
    "make",
    [
        lambda **o: td.zeros((2,), **o),
        lambda **o: td.ones((2,), **o),
        lambda **o: td.full((2,), 0.5, **o),
        lambda **o: td.arange(0.0, 2.0, **o),
        lambda **o: td.uniform((2,), low=1.0, high=2.0, **o),
        lambda **o: td.normal((2,), mean=1.0, std=2.0, **o),
    ],
)
def test_every_creation_makes_leaves_that_take_a_gradient(make):
    x = make(requires_grad=True)
    assert x.requires_grad and x.is_leaf and x.shape == (2,)
    (x * 3.0).sum().backward()
    assert x.grad.tolist() == [3.0, 3.0]
    assert not make().requires_grad


def test_numbers_beside_tensors_in_functions():
    x = td.tensor([1.0, -2.0])
    assert td.where(x > 0, x, 0.0).tolist() == [1, 0] == td.where(x > 0, x, td.tensor(0.0)).tolist()
    assert td.where(x > 0, 5, x).tolist() == [5, -2]
    assert td.maximum(x, 0.0).tolist() == [1, 0] == td.maximum(0, x).tolist()
    assert td.minimum(x, np.float32(0)).tolist() == [0, -2]
    assert ops.power(x, 2.0).tolist() == [1, 4] and ops.power(2, x).tolist() == [2, 0.25]
    assert ops.divide(1.0, x).tolist() == [1, -0.5] and ops.subtract(1, x).tolist() == [0, 3]
    assert ops.less(x, 0).tolist() == [False, True]
    i = td.tensor([1, 2])
    for name, function in (("maximum", td.maximum), ("add", ops.add), ("subtract", ops.subtract)):
        with pytest.raises(DTypeError, match=rf"^{name}: .*numbers beside them, got \[0.0\]"):
            function(x, [0.0])
        with pytest.raises(DTypeError, match=rf"^{name}: int64 tensor with the float 0.5"):
            function(i, 0.5)
        with pytest.raises(DTypeError, match=rf"^{name}: int64 does not hold"):
            function(i, 2**70)
    for wrong in (
        *(lambda: i + 2**70, lambda: 2**70 - i, lambda: x * 10**400, lambda: i == -(2**64)),
        lambda: Tensor(np.array([1], np.uint8)) + 300,
    ):
        with pytest.raises(DTypeError, match="operator: "):
            wrong()
    for wrong in (lambda: td.where(x > 0, 1.0, 0.0), lambda: td.where([True], x, x)):
        with pytest.raises(DTypeError, match=r"^where: "):
            wrong()
    with pytest.raises(DTypeError, match="sum: x must be a tensor"):
        td.sum([1.0, 2.0])


def test_what_an_index_is():
    x = np.arange(24.0).reshape(2, 3, 4)
    t, i = Tensor(x), np.array([0, 1])
    for key in (
        (slice(None), i, ..., i),
        (i, ..., i),
        (slice(None), i, ..., 1),
        (..., i),
        (i, ...),
    ):
        np.testing.assert_array_equal(t[key].numpy(), x[key])  # an Ellipsis for no axis parts too
    for mask in (True, False):
        assert t[Tensor(mask)].shape == x[np.array(mask)].shape
        assert td.tensor(3.0)[np.array(mask)].shape == np.array(3.0)[np.array(mask)].shape
    for key in (
        True,
        np.bool_(False),
        1.0,
        "a",
        slice(None, None, 0),
        slice(1.5, None),
        (..., ...),
    ):
        with pytest.raises(ShapeError, match=r"^getitem: "):
            t[key]
    with pytest.raises(IndexRangeError):
        t[np.int64(2)]


def test_the_variance_of_too_few():
    x = np.array([1.0, 2.0])
    with np.errstate(all="ignore"):
        found = [td.var(Tensor(x), correction=c).item() for c in (1, 2, 3)]
        assert found == [0.5, np.inf, np.inf]  # NumPy and PyTorch too
        empty = Tensor(np.zeros(0))
        assert np.isnan([td.var(empty, correction=1).item(), td.std(empty).item()]).all()
        assert np.isnan(td.var(Tensor(np.ones(1)), correction=1).item())


# -- sizes -----------------------------------------------------------------------------------------

TOO_LARGE = {
    "zeros": lambda n: td.zeros((n, n)),
    "uniform": lambda n: td.uniform((n, n)),
    "broadcast_to": lambda n: ops.broadcast_to(td.ones((1, 1)), (n, n)),
    "tile": lambda n: ops.tile(td.ones((2, 3)), (n, n)),
    "pad": lambda n: ops.pad(td.ones((2, 3)), ((n, 0), (n, 0))),
    "one_hot": lambda n: ops.one_hot(td.tensor([0, 1]), n**2),
    "resize": lambda n: ops.resize(td.ones((1, 2, 2, 1)), (n, n)),
    "conv2d": lambda n: ops.conv2d(td.ones((1, 4, 4, 1)), td.ones((3, 3, 1, 1)), padding=n),
    "conv_transpose2d": lambda n: ops.conv_transpose2d(
        td.ones((1, 4, 4, 1)), td.ones((3, 3, 1, 1)), stride=n
    ),
    "max_pool2d": lambda n: ops.max_pool2d(td.ones((1, 4, 4, 1)), 2, stride=n * n * 4),
    "adaptive_avg_pool2d": lambda n: ops.adaptive_avg_pool2d(td.ones((1, 4, 4, 1)), n),
    "scatter_add": lambda n: ops.scatter_add(td.ones((2,)), td.tensor([0, 1]), n * n * 4),
    "causal_mask": lambda n: ops.causal_mask(td.ones((1,)), n, n),
    "arange": lambda n: td.arange(n * n),
}


@pytest.mark.parametrize("name", TOO_LARGE)
def test_what_no_memory_holds_is_a_shape_error(name):
    """Also where the size would not reach NumPy at once (bins, strides): no call runs on."""
    for n in (1 << 30, 1 << 40):
        with pytest.raises(ShapeError, match=f"^{name}: "):
            TOO_LARGE[name](n)


@pytest.mark.parametrize("recording", [False, True])
def test_not_enough_memory_is_one_sentence(monkeypatch, recording):
    """A kernel that finds no room: the operation's name and NumPy's words, an exception of both."""
    x = td.ones((3,), requires_grad=recording)

    def no_room(*args):
        raise MemoryError("Unable to allocate 9.00 TiB for an array")

    monkeypatch.setattr(type(x.backend), "exp", no_room)
    with pytest.raises(OutOfMemoryError, match=r"^exp: not enough memory \(Unable to allocate"):
        x.exp()
    with pytest.raises(MemoryError):
        x.exp()


# -- the doors themselves --------------------------------------------------------------------------


def test_a_door_names_the_argument_and_lets_other_errors_pass():
    @door
    def halve(x, gate=None):
        return x.shape if gate is None else gate(x.shape)

    assert halve(td.ones((2,))) == (2,)
    with pytest.raises(DTypeError, match=r"^halve: x must be a tensor, got \[1\]"):
        halve([1])
    with pytest.raises(ConfigError, match=r"^halve: gate must be a function, got 3"):
        halve(td.ones((2,)), 3)
    with pytest.raises(TypeError, match="unsupported operand"):  # a fault of the function's own
        halve(td.ones((2,)), lambda shape: shape / 2)


def test_checked_arguments_come_as_pythons_own():
    @checked
    def describe(n: int, share: float = 0.5, *more: int, deep: bool = False) -> list:
        return [n, share, *more, deep]

    found = describe(np.int64(2), np.float32(0.5), np.uint8(1), deep=np.bool_(True))
    assert found == [2, 0.5, 1, True]
    assert [type(v) for v in found] == [int, float, int, bool]
    for call in (lambda: describe(2.0), lambda: describe(1, "a"), lambda: describe(1, 0.5, None)):
        with pytest.raises(ConfigError, match="describe: "):
            call()
    with pytest.raises(TypeError, match="missing"):
        describe()
    rows = data.pad_rows(np.ones((2, 3, 4)), np.zeros((2, 3)))  # one array is its rows
    assert rows.shape == (2, 3, 5)


def test_a_layer_names_its_argument():
    with pytest.raises(DTypeError, match=r"^Flatten: x must be a tensor, got 'x'"):
        nn.Flatten()("x")

    class Own(nn.Module):
        def forward(self, x):
            return x.missing

    with pytest.raises(AttributeError):  # a fault in somebody's own layer stays what it is
        Own()(3)


def test_what_would_never_end_is_refused_or_quick():
    """Counts of 2^60: the work follows what is there, and the room is taken before the work."""
    boxes, classes = np.array([[0.0, 0.0, 2.0, 2.0]]), np.array([1])
    found = [metrics.Found(boxes, classes, np.array([0.5]))]
    truths = [metrics.Truth(boxes, classes)]
    score = metrics.mean_average_precision(found, truths, 10**6)
    assert score.value == 1 and np.isnan(score.per_class).sum() == 10**6 - 1
    many = np.broadcast_to(0.5, (1 << 27,))
    people = data.Samples("faces", np.zeros((40, 112, 92), np.uint8), np.arange(40), ())
    plain = data.Sample(np.zeros((2, 2), np.uint8))
    for call in (
        lambda: metrics.mean_average_precision(found, truths, 2**60),
        lambda: metrics.mean_average_precision(found, truths, 2, thresholds=many),
        lambda: data.face_patches(people, 2**40, 4, td.Generator(1), 16),
        lambda: data.face_patches(people, 4, 4, td.Generator(1), 2**30),
        lambda: data.transformed(plain, np.eye(2), many),
        lambda: ops.concat(td.broadcast_to(td.tensor(1.0), (1 << 27,))),
    ):
        with pytest.raises((ShapeError, OutOfMemoryError)) as caught:
            call()
        assert len(str(caught.value)) < 200


def test_other_objects_where_a_class_is_meant():
    plain = data.Sample(np.zeros((2, 2, 1), np.uint8), np.array([[0.0, 0.0, 1.0, 1.0]]))
    batch, rng = (np.zeros((2, 4, 4, 1), np.float32),), td.Generator(1)
    planes = np.zeros((2, 1, 4, 4), np.uint8)
    grow = iter([data.Sample(np.zeros((n, 4, 1))) for n in (4, 5)])
    calls = {
        "mAP: found must be Found objects": lambda: metrics.mean_average_precision([1], [2], 3),
        "mAP: truths must be a sequence": lambda: metrics.mean_average_precision([], 2, 3),
        "looking: model must be a Module": lambda: nn.looking(3).__enter__(),
        "GRU: a state is a tensor, got": lambda: next(
            nn.truncated_bptt(nn.GRU(3, 2), td.ones((2, 4, 3)), 2, ())
        ),
        "LSTM: a state is 2 tensors, got": lambda: nn.LSTM(3, 2).run(td.ones((2, 4, 3)), (None,)),
        "AugmentMasks: a step must give a Sample": lambda: data.AugmentMasks(
            lambda sample, rng: None
        )((*batch, planes), rng),
        "Compose: a step must give a Sample": lambda: data.Compose(lambda s, rng: 3)(plain, rng),
        "penalty: a penalty gives one number": lambda: nn.Linear(
            2, 1, activity_penalty=lambda y: None
        )(td.ones((1, 2))),
        "penalty: .* gave Parameter": lambda: nn.Linear(2, 1, weight_penalty=lambda w: w).penalty(),
        "Each: needs pictures of one size": lambda: data.Each(lambda s, rng: next(grow))(
            batch, rng
        ),
    }
    for words, call in calls.items():
        with pytest.raises(TinydlError, match=words):
            call()


def test_messages_stay_short():
    assert len(quoted("x" * 10**6)) < 100
    assert quoted(np.zeros((2, 3))) == "ndarray float64 (2, 3)"
    with pytest.raises(TinydlError) as caught:
        data.windows(np.arange(5), [0] * 10**5)
    assert len(str(caught.value)) < 200


HOT = (
    *(ops.add, ops.multiply, ops.relu, ops.where, ops.sum, ops.mean, ops.max, ops.reshape),
    *(ops.transpose, ops.concat, ops.getitem, ops.squeeze, ops.expand_dims, ops.broadcast_to),
    *(ops.matmul, ops.linear, ops.conv2d, ops.max_pool2d, ops.avg_pool2d, ops.batch_norm),
    *(ops.batch_norm_with_statistics, ops.layer_norm, ops.softmax, ops.log_softmax, ops.dropout),
    *(ops.masked_fill, ops.leaky_relu, ops.clip, ops.embedding, nn.cross_entropy, nn.mse),
    *(nn.bce_with_logits, nn.Module.__call__, td.optim.SGD.step, data.Batches.__iter__),
)


@pytest.mark.parametrize("function", HOT, ids=lambda f: f.__qualname__)
def test_what_a_training_step_calls_has_no_wrapper(function):
    """A decorated function pays a frame in every call."""
    assert not hasattr(function, "__wrapped__")
