"""Bidirectional of one layer: the second one has its arguments and draws of its own."""

import numpy as np
import pytest

import tinydl as td
from tinydl import nn
from tinydl.errors import ConfigError

KINDS = {
    "SimpleRNN": (nn.SimpleRNN, {"activation": td.relu, "weight_penalty": nn.L2(0.1)}),
    "LSTM": (
        nn.LSTM,
        {
            "return_sequences": True,
            "unit_forget_bias": False,
            "gate": td.hard_sigmoid,
            "bias_init": "ones",
            "recurrent_dropout": 0.25,
        },
    ),
    "GRU": (nn.GRU, {"reset_after": False, "input_dropout": 0.5, "weight_init": "he_normal"}),
}


@pytest.mark.parametrize("name", KINDS)
def test_one_layer_is_as_good_as_two(name):
    """Bitwise what two layers of the same arguments are, drawn one after the other."""
    kind, options = KINDS[name]
    td.seed(1)
    one = nn.Bidirectional(kind(3, 4, **options))
    td.seed(1)
    two = nn.Bidirectional(kind(3, 4, **options), kind(3, 4, **options))
    assert one.state_dict().keys() == two.state_dict().keys()
    for key, values in two.state_dict().items():
        assert np.array_equal(one.state_dict()[key], values), key
    kept = {k: v for k, v in vars(one.ahead).items() if not isinstance(v, nn.Parameter)}
    assert kept == {k: vars(one.back)[k] for k in kept} and len(kept) > 10
    x = td.normal((2, 5, 3))
    assert np.array_equal(one.eval()(x).numpy(), two.eval()(x).numpy())


def test_the_second_layer_has_weights_of_its_own():
    layer = nn.Bidirectional(nn.GRU(3, 4, rng=td.Generator(0)))
    assert not np.array_equal(layer.ahead.weight_x.numpy(), layer.back.weight_x.numpy())
    assert layer.back.rng is layer.ahead.rng and layer.count_parameters() == 2 * 108
    summed = nn.Bidirectional(nn.GRU(3, 4), merge="sum")
    assert summed(td.normal((2, 5, 3))).shape == (2, 4)


def test_the_second_layer_lives_where_the_first_does():
    layer = nn.Bidirectional(nn.LSTM(3, 4).astype("float64").to("numpy"))
    assert layer.back.dtype == np.float64 and layer.back.backend.name == "numpy"


def test_a_layer_with_arguments_of_its_own_needs_both():
    class Narrow(nn.LSTM):
        def __init__(self, size):
            super().__init__(size, size)

    class Named(nn.GRU):
        def __init__(self, input_size, hidden_size, *, label="a", **shared):
            super().__init__(input_size, hidden_size, **shared)

    for layer in (Narrow(3), Named(3, 3)):
        with pytest.raises(ConfigError, match=r"give both layers: Bidirectional\(ahead, back\)"):
            nn.Bidirectional(layer)
    assert nn.Bidirectional(Narrow(3), Narrow(3))(td.normal((2, 5, 3))).shape == (2, 6)
