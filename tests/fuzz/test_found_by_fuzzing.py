"""What 200,000 odd calls found once (`python -m fuzz.public_calls --calls 200000 --seed 5`)."""

import pytest

import tinydl
from tinydl import metrics, nn, optim
from tinydl.errors import ConfigError, DTypeError, ShapeError

ENDLESS: list = []
ENDLESS.append(ENDLESS)


@pytest.mark.parametrize(
    "call, error, words",
    [
        (lambda: tinydl.clip(tinydl.tensor([1]), high=2**64), DTypeError, "does not hold"),
        (lambda: tinydl.repeat(tinydl.ones(1), repeats=(2**63,)), ShapeError, "repeats must be"),
        (lambda: optim.WarmUp(3, nn.ReLU), ConfigError, "no class"),
        (lambda: metrics.wilson_interval([1, 1, 1], [2, 2]), ShapeError, "do not broadcast"),
        (lambda: metrics.bleu([ENDLESS], [[ENDLESS]]), DTypeError, "hashable"),
    ],
)
def test_an_odd_argument_is_named(call, error, words):
    with pytest.raises(error, match=words):
        call()
