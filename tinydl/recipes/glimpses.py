"""A network that looks at parts of a picture and learns where to look."""

from __future__ import annotations

from ..baselines import logistic_regression, nearest_mean
from ..experiment.card import Recipe
from ..models import RecurrentAttention
from ..programs.own_loss import OwnLoss

ATTENTION_TRANSLATED = Recipe(
    name="attention-translated",
    title="six glimpses find and read a digit somewhere on a large picture",
    book="tinydl",
    chapter="after Mnih et al. 2014",
    dataset="translated_mnist",
    parameters=256_269,
    program=OwnLoss(model=RecurrentAttention, input_shape=(60, 60, 1), batch_size=100, draws=True),
    epochs=15,
    time_budget=900,
    baselines=(nearest_mean, logistic_regression),
    fast={"samples": (4_000, 1_000), "epochs": 5, "batch_size": 50},
    notes=(
        "A retina of three squares of 12, 24 and 48 pixels, each seen as 12x12, is moved six "
        "times; where to is learnt by REINFORCE, what is seen by the cross-entropy. 12,000 digits, "
        "each at one place of chance; the paper draws places anew without end and reports 98.78 % "
        "with 8 glimpses.",
    ),
)
