"""Classifiers that judge generated pictures: small, quick, and seldom wrong on real ones."""

from __future__ import annotations

from typing import Any

from ..baselines import logistic_regression, majority_class, nearest_mean
from ..experiment.card import Recipe, Target
from ..models.adversarial.stackedgan import Encoder
from ..optim import Adam
from ..programs.parts import STRATIFIED, Split
from ..programs.supervised import Supervised, warmed_cosine

READ = (majority_class, nearest_mean, logistic_regression)


def reader(picture: tuple[int, int, int], batch_size: int, **settings: Any) -> Supervised:
    """The classifier that all of them are."""
    return Supervised(
        model=Encoder,
        architecture={"picture": picture, "filters": (16, 32), "hidden": 64, "classes": 10},
        input_shape=picture,
        optimizer=Adam,
        optimizer_settings={"lr": 0.003},
        schedule=warmed_cosine,
        batch_size=batch_size,
        **settings,
    )


JUDGE_MNIST = Recipe(
    name="judge-mnist",
    title="a small LeNet that judges generated digits",
    book="tinydl",
    chapter="README",
    dataset="mnist",
    parameters=105_866,
    program=reader((28, 28, 1), 128),
    epochs=4,
    time_budget=120,
    seeds=3,
    targets={"accuracy": Target(at_least=0.99)},
    baselines=READ,
    fast={"samples": (6_000, 2_000)},
    notes=(
        "Its 64 features are those in which Frechet distances of generated digits are measured. A "
        "run that needs it trains it once and keeps it in its folder.",
    ),
)

JUDGE_FASHION = Recipe(
    name="judge-fashion",
    title="the same, of clothes",
    book="tinydl",
    chapter="README",
    dataset="fashion_mnist",
    parameters=105_866,
    program=reader((28, 28, 1), 128),
    epochs=6,
    time_budget=180,
    seeds=3,
    targets={"accuracy": Target(at_least=0.90)},
    baselines=READ,
    fast={"samples": (6_000, 2_000)},
)

JUDGE_SEMEION = Recipe(
    name="judge-semeion",
    title="the same, of Semeion's digits",
    book="tinydl",
    chapter="README",
    dataset="semeion",
    parameters=38_282,
    program=reader((16, 16, 1), 32, scale=1.0, split=Split(STRATIFIED, 0.2)),
    epochs=20,
    time_budget=60,
    seeds=3,
    targets={"accuracy": Target(at_least=0.93)},
    baselines=READ,
    notes=("1,593 digits: 1,275 to learn, 318 to test, of the same 80 people.",),
)

#: For the fast forms of what they judge.
QUICK_MNIST, QUICK_FASHION = JUDGE_MNIST.variant("fast"), JUDGE_FASHION.variant("fast")
