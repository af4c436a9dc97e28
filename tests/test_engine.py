"""The graph: recording, the backward walk, second derivatives, memory; on both engines."""

import gc
import threading
import weakref

import numpy as np
import pytest
from closeness import assert_close
from support import use_engine

import tinydl
from tinydl import Function, Tensor, enable_grad, grad, is_recording, no_grad, ops
from tinydl.errors import DTypeError, GraphError, ShapeError

pytestmark = pytest.mark.usefixtures("on_numpy")


@pytest.fixture(params=["compiled", "python"], autouse=True)
def engine(request, monkeypatch):
    use_engine(monkeypatch, request.param)


def leaf(*values):
    return Tensor(np.array(values), requires_grad=True)


def scalar(value):
    return Tensor(np.array(value), requires_grad=True)


# -- what a backward pass leaves -------------------------------------------------------------------


def test_gradient_of_a_product():
    a, b = leaf(2.0, 3.0), leaf(5.0, 7.0)
    (a * b).sum().backward()
    assert a.grad.tolist() == [5, 7] and b.grad.tolist() == [2, 3]


def test_a_node_used_twice_gets_its_whole_gradient_first():
    """b = a + a; c = b + b: depth first would visit b twice, each time with half a gradient."""
    a = scalar(1.0)
    b = a + a
    c = b + b
    c.backward()
    assert a.grad.item() == 4.0


def test_reuse_across_depths():
    """x reaches y over paths of different lengths."""
    x = scalar(0.5)
    short = x * x
    long = (short * x + short) * x
    (long + short).backward()
    assert a_close(x.grad.item(), 4 * 0.5**3 + 3 * 0.5**2 + 2 * 0.5)


def a_close(a, b):
    return abs(a - b) < 1e-12


def test_leaves_accumulate_and_interior_gradients_are_not_kept():
    x = leaf(1.0, 2.0)
    y = x * x
    y.sum().backward()
    (x * 3.0).sum().backward()
    assert x.grad.tolist() == [5, 7]
    assert y.grad is None


def test_no_graph_hangs_on_an_accumulated_gradient():
    x = leaf(1.0)
    for _ in range(2):
        (x * x).sum().backward()
    assert x.grad.node is None and not x.grad.requires_grad


def test_incoming_gradient():
    x = leaf(1.0, 2.0)
    (x * x).backward(np.array([10.0, 1.0]))
    assert x.grad.tolist() == [20, 4]


def test_backward_needs_a_number_or_an_incoming_gradient():
    x = leaf(1.0, 2.0)
    with pytest.raises(ShapeError, match=r"shape \(2,\) needs an incoming gradient"):
        (x * x).backward()
    with pytest.raises(ShapeError, match="backward: gradient"):
        (x * x).backward(np.ones(3))


def test_backward_of_what_was_not_recorded():
    with pytest.raises(GraphError, match="was not recorded"):
        Tensor([1.0]).sum().backward()


def test_backward_from_a_leaf():
    x = scalar(3.0)
    x.backward()
    assert x.grad.item() == 1.0


def test_constants_get_no_gradient():
    x, constant = leaf(2.0), Tensor(np.array([3.0]))
    (x * constant).sum().backward()
    assert constant.grad is None and x.grad.tolist() == [3]


def test_only_needed_input_gradients_are_computed():
    seen = []

    class Spy(Function):
        def forward(self, a, b):
            return self.backend.add(a, b)

        def backward(self, grad):
            seen.append(list(self.needed))
            return grad, grad

    x, constant = leaf(1.0), Tensor(np.array([1.0]))
    Spy().apply(x, constant).sum().backward()
    assert seen == [[True, False]]


# -- twice -----------------------------------------------------------------------------------------


def test_second_backward_over_a_freed_graph_says_what_to_do():
    x = leaf(2.0)
    y = (x * x).sum()
    y.backward()
    with pytest.raises(GraphError, match=r"freed by an earlier backward; pass retain_graph=True"):
        y.backward()
    assert x.grad.tolist() == [4.0]


def test_retain_graph_gives_the_same_gradient_again():
    x = leaf(2.0)
    y = (x * x * x).sum()
    y.backward(retain_graph=True)
    assert x.grad.tolist() == [12.0]
    y.backward()
    assert x.grad.tolist() == [24.0]


def test_two_outputs_over_one_shared_part():
    x = leaf(2.0)
    shared = x * x
    first, second = shared.sum(), (shared * x).sum()
    first.backward(retain_graph=True)
    second.backward()
    assert x.grad.tolist() == [4.0 + 12.0]


# -- grad() ----------------------------------------------------------------------------------------


def test_grad_returns_and_does_not_accumulate():
    x = leaf(2.0)
    (g,) = grad((x * x).sum(), [x])
    assert g.tolist() == [4.0] and x.grad is None


def test_grad_with_respect_to_an_interior_tensor():
    x = scalar(2.0)
    y = x * x
    z = y * y
    gy, gx = grad(z, [y, x])
    assert gy.item() == 2 * 4.0 and gx.item() == 4 * 2.0**3


def test_grad_of_an_interior_tensor_alone_stops_there():
    x = scalar(2.0)
    y = x * x
    z = y * 3.0
    (gy,) = grad(z, y)
    assert gy.item() == 3.0


def test_grad_of_an_output_with_respect_to_itself():
    x = scalar(2.0)
    y = x * x
    assert grad(y, y)[0].item() == 1.0


def test_grad_of_several_outputs_adds_up():
    x = scalar(3.0)
    (g,) = grad([x * x, x * 5.0], [x])
    assert g.item() == 11.0


def test_unused_inputs():
    x, unused = scalar(1.0), scalar(1.0)
    with pytest.raises(GraphError, match="no output depends on input 1"):
        grad(x * x, [x, unused])
    g, nothing = grad(x * x, [x, unused], allow_unused=True)
    assert g.item() == 2.0 and nothing is None


def test_grad_frees_unless_told_otherwise():
    x = scalar(1.0)
    y = x * x
    grad(y, x)
    with pytest.raises(GraphError, match="retain_graph"):
        grad(y, x)
    y = x * x
    grad(y, x, retain_graph=True)
    grad(y, x)


# -- second derivatives ----------------------------------------------------------------------------


def test_third_derivative_of_a_power():
    x = scalar(2.0)
    y = x * x * x * x
    for expected in (4 * 8.0, 12 * 4.0, 24 * 2.0, 24.0):
        (y,) = grad(y, x, create_graph=True)
        assert a_close(y.item(), expected)


def test_backward_with_create_graph_leaves_a_differentiable_gradient():
    x = scalar(3.0)
    with pytest.warns(UserWarning, match="cycle"):
        (x * x * x).backward(create_graph=True)
    assert x.grad.item() == 27.0
    (second,) = grad(x.grad, x)
    assert second.item() == 18.0


def test_gradient_penalty():
    """d/dw (|d(w x)/dx| - 1)^2, as in WGAN-GP."""
    w, x = leaf(3.0, 4.0), leaf(1.0, 1.0)
    (g,) = grad((w * x).sum(), x, create_graph=True)
    norm = (g * g).sum().sqrt()
    ((norm - 1.0) * (norm - 1.0)).backward()
    assert_close(w.grad.numpy(), 2 * (5 - 1) * np.array([3, 4]) / 5, 1e-5)


def test_hessian_of_a_quadratic_form():
    matrix = np.array([[2.0, 1.0], [0.0, 3.0]])
    x = leaf(1.0, -1.0)
    (g,) = grad((x * (Tensor(matrix) @ x)).sum(), x, create_graph=True)
    rows = [grad(g[i], x, retain_graph=True)[0].numpy() for i in range(2)]
    assert_close(rows, matrix + matrix.T, 1e-5)


@pytest.mark.parametrize("name", ["rnn_sequence", "cross_entropy_per_row"])
def test_fused_and_composed_second_derivatives_are_equal(name):
    """A Hessian-vector product through the fused op equals the one through its composition."""
    from tinydl.testing import CASES, Draw

    def composed_loss(logits, labels):
        picked = ops.one_hot(labels, logits.shape[1], logits.dtype) * ops.log_softmax(logits)
        return -picked.sum(1)

    fused = CASES[name].function
    composed = {"rnn_sequence": ops.rnn_sequence_by_cells, "cross_entropy_per_row": composed_loss}
    for seed in range(5):
        inputs = CASES[name].draw(Draw(seed)).inputs
        found = []
        for function in (fused, composed[name]):
            leaves = [Tensor(x, requires_grad=x.dtype == np.float64) for x in inputs]
            wanted = [t for t in leaves if t.requires_grad]
            y = function(*leaves)
            firsts = grad((y * y * y).sum(), wanted, create_graph=True)
            squared = ops.concat([ops.reshape(g * g, -1) for g in firsts]).sum()
            found.append([g.numpy() for g in (y, *firsts, *grad(squared, wanted))])
        for a, b in zip(*found, strict=True):
            assert_close(a, b, 1e-10)


def test_composed_gradients_work_inside_no_grad_of_the_caller():
    from tinydl.testing import CASES, Draw

    inputs = CASES["rnn_sequence"].draw(Draw(1)).inputs
    leaves = [Tensor(x, requires_grad=True) for x in inputs]
    y = ops.rnn_sequence(*leaves).sum()
    with no_grad():
        found = grad(y, leaves, create_graph=True)
    assert all(g.requires_grad for g in found)


# -- recording -------------------------------------------------------------------------------------


def test_no_grad_and_enable_grad_nest():
    x = leaf(1.0)
    assert is_recording()
    with no_grad():
        assert not is_recording() and not (x * x).requires_grad
        with enable_grad():
            assert is_recording() and (x * x).requires_grad
        assert not is_recording()
    assert is_recording() and (x * x).requires_grad


def test_no_grad_decorates_functions_that_call_themselves():
    @no_grad()
    def recorded(depth):
        return is_recording() or (depth > 0 and recorded(depth - 1)) or is_recording()

    assert not recorded(2) and is_recording()


def test_no_grad_ends_with_an_exception():
    with pytest.raises(KeyError), no_grad():
        raise KeyError
    assert is_recording()


def test_a_backward_that_fails_restores_recording():
    class Broken(Function):
        def forward(self, x):
            return self.backend.negative(x)

        def backward(self, grad):
            raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        Broken().apply(leaf(1.0)).sum().backward()
    assert is_recording()


def test_detach_shares_values_and_drops_history():
    x = leaf(2.0)
    y = (x * x).detach()
    assert not y.requires_grad and y.node is None and y.tolist() == [4.0]


def test_a_new_thread_starts_fresh():
    """Recording on, backend "cpu", a generator of its own: contexts are not inherited."""
    seen = []

    def look():
        seen.append((is_recording(), tinydl.default_backend()))

    with no_grad(), tinydl.use_backend("numpy"):
        thread = threading.Thread(target=look)
        thread.start()
        thread.join()
    assert seen == [(True, "cpu")]


def test_a_new_thread_draws_its_own_numbers():
    from tinydl.random import default_generator

    tinydl.seed(5)
    tinydl.uniform((3,))
    seen = []
    thread = threading.Thread(target=lambda: seen.append(default_generator().state_dict()))
    thread.start()
    thread.join()
    assert seen == [{"key": 0, "offset": 0}]
    assert default_generator().state_dict() == {"key": 5, "offset": 1}


def test_backward_in_another_thread():
    x = leaf(2.0)
    y = (x * x).sum()
    thread = threading.Thread(target=y.backward)
    thread.start()
    thread.join()
    assert x.grad.tolist() == [4.0]


# -- depth and memory ------------------------------------------------------------------------------


def test_a_chain_of_20000_operations():
    x = scalar(1.0)
    y = x
    for _ in range(20_000):
        y = y + x
    y.backward()
    assert x.grad.item() == 20_001.0


def test_dropping_a_long_chain_does_not_recurse():
    x = scalar(1.0)
    y = x
    for _ in range(200_000):
        y = -y
    del y
    assert x.requires_grad


def test_grad_through_a_long_chain():
    x = scalar(1.0)
    y = x
    for _ in range(20_000):
        y = y * 1.0
    assert grad(y, x)[0].item() == 1.0


def steps_leave(step):
    """How many more tensors and nodes exist after 110 steps than after 10; no collector."""
    gc.collect()
    gc.disable()
    try:

        def count():
            return sum(issubclass(type(o), Tensor | Function) for o in gc.get_objects())

        for _ in range(10):
            step()
        before = count()
        for _ in range(100):
            step()
        return count() - before
    finally:
        gc.enable()


def network_step(create_graph=False, backward=True):
    x = Tensor(np.random.default_rng(0).normal(size=(2, 6, 6, 1)))
    weight = Tensor(np.ones((3, 3, 1, 2)), requires_grad=True)
    head = Tensor(np.ones((8, 3)), requires_grad=True)
    parameters = [weight, head]

    def step():
        hidden = ops.max_pool2d(ops.relu(ops.conv2d(x, weight, padding=0)), 2)
        logits = ops.tanh(ops.matmul(hidden.reshape(2, -1), head))
        loss = ops.cross_entropy_per_row(logits, Tensor(np.array([0, 1]))).mean()
        if not backward:
            return
        if create_graph:
            firsts = grad(loss, parameters, create_graph=True)
            loss = sum((g * g).sum() for g in firsts)
        for p in parameters:
            p.grad = None
        loss.backward()

    return step


@pytest.mark.parametrize(
    "options",
    [{}, {"create_graph": True}, {"backward": False}],
    ids=["first order", "second order", "graph dropped without backward"],
)
def test_no_reference_cycles(options):
    assert steps_leave(network_step(**options)) == 0


def test_no_reference_cycles_in_a_recurrent_network():
    from tinydl.testing import CASES, Draw

    inputs = CASES["rnn_sequence"].draw(Draw(1)).inputs
    leaves = [Tensor(x, requires_grad=True) for x in inputs]

    def step():
        (g, *_) = grad(ops.rnn_sequence(*leaves).sum(), leaves, create_graph=True)
        grad((g * g).sum(), leaves, allow_unused=True)

    assert steps_leave(step) == 0


def test_an_error_in_backward_leaves_no_cycle_of_ours():
    x = leaf(1.0)
    y = (x * x).sum()
    y.backward()
    node = weakref.ref(y.node)
    gc.disable()
    try:
        del y
        assert node() is None
    finally:
        gc.enable()


def test_memory_goes_while_the_walk_passes():
    """After backward the graph holds no arrays, although the result is still referenced."""
    x = leaf(1.0, 2.0)
    square = x * x
    inner = weakref.ref(square.node)
    y = ops.exp(square).sum()
    del square
    y.backward()
    gc.disable()
    try:
        assert inner() is None
    finally:
        gc.enable()


# -- changed in place ------------------------------------------------------------------------------


def test_assign_after_use_is_noticed():
    x, w = leaf(1.0), leaf(2.0)
    y = (x * w).sum()
    w.assign(np.array([5.0]))
    with pytest.raises(GraphError, match=r"multiply: .* changed in place .*version 1, recorded 0"):
        y.backward()


def test_assign_of_what_backward_does_not_need():
    x, w = leaf(1.0), leaf(2.0)
    y = (x + w).sum()
    w.assign(np.array([5.0]))
    y.backward()
    assert x.grad.tolist() == [1.0]


def test_assign_reaches_views_and_detached_tensors():
    w = leaf(1.0, 2.0)
    y = (w.reshape(2, 1) * Tensor(np.ones((2, 1)), requires_grad=True)).sum()
    w.assign(np.zeros(2))
    with pytest.raises(GraphError, match="changed in place"):
        y.backward()
    detached = w.detach()
    x = leaf(1.0, 1.0)
    y = (x * detached).sum()
    w.assign(np.ones(2))
    with pytest.raises(GraphError, match="changed in place"):
        y.backward()


def test_a_saved_output_that_is_written_is_noticed():
    x = leaf(1.0)
    y = ops.exp(x)
    y.bump_version()
    with pytest.raises(GraphError, match=r"exp: its result .* was changed in place"):
        y.sum().backward()


def test_assign_checks_shape_dtype_and_history():
    w = leaf(1.0, 2.0)
    with pytest.raises(ShapeError, match=r"assign: float64 \(3,\) into float64 \(2,\)"):
        w.assign(np.zeros(3))
    with pytest.raises(ShapeError, match="assign: float32"):
        w.assign(np.zeros(2, np.float32))
    with pytest.raises(GraphError, match="only leaves"):
        (w * w).assign(np.zeros(2))


# -- functions of users ----------------------------------------------------------------------------


class Custom(Function):
    """Returns from backward what the test asks for."""

    def __init__(self, answer):
        self.answer = answer

    def forward(self, a, b):
        return self.backend.add(a, b)

    def backward(self, grad):
        return self.answer(grad)


def backward_of(answer):
    a, b = leaf(1.0, 2.0), leaf(3.0, 4.0)
    Custom(answer).apply(a, b).sum().backward()
    return a, b


def test_a_gradient_of_the_wrong_shape_names_the_operation():
    with pytest.raises(ShapeError, match=r"Custom\.backward: gradient \(\) for .* \(2,\)"):
        backward_of(lambda g: (g, g.sum()))


def test_a_gradient_of_the_wrong_dtype_names_the_operation():
    with pytest.raises(DTypeError, match=r"Custom\.backward: float32 gradient for a float64 input"):
        backward_of(lambda g: (g, g.astype("float32")))


def test_too_few_gradients_name_the_operation():
    with pytest.raises(GraphError, match=r"Custom\.backward returned 1 gradients for 2 inputs"):
        backward_of(lambda g: g)


def test_none_means_no_gradient():
    a, b = backward_of(lambda g: (g, None))
    assert a.grad.tolist() == [1, 1] and b.grad is None


def test_a_function_without_backward_says_so():
    class Half(Function):
        def forward(self, x):
            return self.backend.negative(x)

    with pytest.raises(NotImplementedError, match="Half has no backward"):
        Half().apply(leaf(1.0)).sum().backward()


def test_an_instance_is_one_node():
    """A second call would overwrite the parents of the first, and its gradient would be lost."""
    x, reused = leaf(1.0), ops.elementwise.Negative()
    reused.apply(x)
    with pytest.raises(GraphError, match="negative: this instance is a node of a graph already"):
        reused.apply(x)


def test_apply_of_something_else_than_tensors():
    with pytest.raises(DTypeError, match="add: expects tensors, got Tensor, ndarray"):
        ops.elementwise.Add().apply(leaf(1.0), np.ones(1))
    with pytest.raises(DTypeError, match=r"add: expects tensors, or numbers beside them, got \[1"):
        ops.add(leaf(1.0), [1.0])


def test_a_walk_to_some_inputs_leaves_nothing_behind_for_the_next_walk():
    x = Tensor(np.ones(3), requires_grad=True)
    w = Tensor(np.full(3, 2.0), requires_grad=True)
    loss = (x * w).sum()
    (grad_x,) = grad(loss, x, retain_graph=True)  # w's gradient is not needed here ...
    loss.backward()  # ... but here it is
    np.testing.assert_array_equal(grad_x.numpy(), [2, 2, 2])
    np.testing.assert_array_equal(w.grad.numpy(), [1, 1, 1])
