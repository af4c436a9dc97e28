"""Module and Parameter: what is found, in which order, saved, loaded, moved and counted."""

import copy
import gc
import pickle

import numpy as np
import pytest

from tinydl import Generator, Tensor
from tinydl.backend import Backend
from tinydl.errors import ConfigError, FormatError, GraphError, ShapeError
from tinydl.nn import L2, Dropout, Linear, Module, Parameter, ReLU, Sequential


class Net(Module):
    """Own parameters, a list of modules, a tuple, shared ones, and things that are neither."""

    def __init__(self):
        self.scale = Parameter(np.ones(3, np.float32))
        self.blocks = [Linear(3, 3, rng=Generator(1)), ReLU(), "not a module"]
        self.heads = (Linear(3, 2, rng=Generator(2)),)
        self.again = self.blocks[0]
        self.tied = self.scale
        self.width = 3
        self.constant = Tensor([1.0])

    def forward(self, x):
        return self.heads[0](self.again(self.blocks[0](x * self.scale)))


def test_names_come_in_order_and_shared_things_once():
    net = Net()
    names = [n for n, _ in net.named_parameters()]
    assert names == [
        "scale", "blocks.0.weight", "blocks.0.bias", "heads.0.weight", "heads.0.bias",
    ]  # fmt: skip
    assert [n for n, _ in net.named_modules()] == ["", "blocks.0", "blocks.1", "heads.0"]
    assert net.count_parameters() == 3 + 12 + 8
    assert net(Tensor(np.ones((4, 3), np.float32))).shape == (4, 2)


def test_a_module_that_contains_itself_is_walked_once():
    net = Net()
    net.self = net
    assert net.count_parameters() == 23


def test_results_of_operations_on_parameters_are_plain_tensors():
    p = Parameter([1.0, 2.0])
    assert p.requires_grad and p.is_leaf
    for result in (p * 2.0, p.detach(), p[0], p.reshape(2, 1)):
        assert type(result) is Tensor


def test_train_and_eval_reach_everything():
    model = Sequential(Linear(2, 2), Sequential(Dropout(0.5)))
    assert model.training and model[1][0].training
    assert model.eval() is model and not model.training and not model[1][0].training
    model.train()
    assert model[1][0].training


def test_zero_grad_forgets():
    model = Linear(2, 2)
    model(Tensor(np.ones((1, 2), np.float32))).sum().backward()
    assert model.weight.grad is not None
    model.zero_grad()
    assert model.weight.grad is None and model.bias.grad is None


def test_state_dict_is_a_copy_and_loads_exactly():
    first, second = Net(), Net()
    state = first.state_dict()
    state["scale"][:] = 7
    assert (first.scale.numpy() == 1).all()
    second.load_state_dict(state)
    for name, p in second.named_parameters():
        np.testing.assert_array_equal(p.numpy(), state[name])
    state["scale"][:] = 8
    assert (second.scale.numpy() == 7).all()


def test_loading_writes_in_place_and_tells_the_graph():
    model = Linear(2, 1)
    x = Tensor(np.ones((1, 2), np.float32), requires_grad=True)
    y, weight = model(x).sum(), model.weight
    model.load_state_dict(model.state_dict())
    assert model.weight is weight
    with pytest.raises(GraphError, match="changed in place"):
        y.backward()


def test_a_misfitting_state_lists_everything_and_changes_nothing():
    model = Sequential(Linear(2, 3), Linear(3, 1))
    before = model.state_dict()
    state = model.state_dict()
    del state["layers.0.bias"]
    state["layers.9.weight"] = np.zeros(2, np.float32)
    state["layers.1.weight"] = np.zeros((1, 3), np.float32)
    state["layers.1.bias"] = np.zeros(1, np.float64)
    state["layers.0.weight"] += 1
    with pytest.raises(FormatError) as error:
        model.load_state_dict(state)
    for part in (
        "missing layers.0.bias (3,)",
        "unexpected layers.9.weight (2,)",
        "layers.1.weight has shape (1, 3) but the model needs (3, 1)",
        "layers.1.bias is float64 but the model needs float32",
    ):
        assert part in str(error.value)
    for name, values in model.state_dict().items():
        np.testing.assert_array_equal(values, before[name])


def test_to_and_astype_keep_the_objects():
    model, other = Linear(2, 3), Backend()
    values, weight = model.weight.numpy().copy(), model.weight
    assert model.to(other) is model
    assert model.weight is weight and model.backend is other and weight.requires_grad
    np.testing.assert_array_equal(weight.numpy(), values)
    assert model.astype(np.float64).dtype == np.float64
    np.testing.assert_array_equal(model.weight.numpy(), values.astype(np.float64))
    with pytest.raises(ConfigError, match="float32 or float64, got int64"):
        model.astype(np.int64)


def test_a_graph_recorded_before_a_move_refuses_to_be_walked():
    model = Linear(2, 3)
    y = model(Tensor(np.ones((1, 2), np.float32), requires_grad=True)).sum()
    model.to(Backend())
    with pytest.raises(GraphError, match="changed in place"):
        y.backward()


def test_a_module_without_parameters_has_defaults(backend):
    assert ReLU().backend is backend and ReLU().dtype == np.float32
    assert ReLU().penalty() is None and ReLU().count_parameters() == 0


def test_sequential():
    model = Sequential(Linear(2, 3), ReLU())
    assert len(model) == 2 and isinstance(model[1], ReLU) and next(iter(model)) is model[0]
    with pytest.raises(ConfigError, match=r"item 0 must be a Module, got list"):
        Sequential([Linear(2, 3)])
    x = Tensor(np.ones((1, 2), np.float32))
    assert Sequential()(x) is x


def test_forward_must_be_written():
    with pytest.raises(NotImplementedError, match="Module has no forward"):
        Module()(1)


def test_repr_shows_shapes_and_counts():
    text = repr(Sequential(Linear(2, 3), Sequential(Dropout(0.25))))
    assert text == (
        "Sequential(): 9 parameters\n"
        "  layers.0: Linear(2, 3), weight (2, 3), bias (3,): 9 parameters\n"
        "  layers.1: Sequential()\n"
        "    layers.0: Dropout(0.25)"
    )


def test_modules_leave_no_cycles():
    gc.collect()
    gc.disable()
    try:
        model = Sequential(Linear(2, 3, weight_penalty=L2(0.1)), Dropout(0.5), Linear(3, 1))
        (model(Tensor(np.ones((1, 2), np.float32))).sum() + model.penalty()).backward()
        del model
        assert gc.collect() == 0
    finally:
        gc.enable()


def test_replace_refuses_nothing_but_history():
    p = Parameter([1.0])
    p.grad = Tensor([2.0])
    p.replace(np.array([3.0], np.float32))
    assert p.grad is None and p.item() == 3.0
    with pytest.raises(ShapeError):
        p.assign(np.zeros(2, np.float32))


@pytest.mark.parametrize("backend", ["numpy", "cpu"])
@pytest.mark.parametrize("how", [copy.deepcopy, lambda net: pickle.loads(pickle.dumps(net))])
def test_a_copied_net_computes_and_learns_apart(backend, how):
    """A target network in reinforcement learning, an average of weights."""
    net = Sequential(Linear(3, 4, rng=Generator(1)), ReLU(), Linear(4, 2, rng=Generator(2)))
    net = net.to(backend)
    twin = how(net)
    x = Tensor(np.ones((2, 3), np.float32), backend=backend)
    assert np.array_equal(twin(x).numpy(), net(x).numpy())
    assert next(iter(twin.parameters())).backend is x.backend
    before = net(x).numpy().copy()
    for parameter in twin.parameters():
        parameter.assign(2 * parameter.numpy())
    twin(x).sum().backward()
    assert all(parameter.grad is None for parameter in net.parameters())
    assert np.array_equal(net(x).numpy(), before)
