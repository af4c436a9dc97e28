"""Networks along trees, and with two clocks."""

from __future__ import annotations

from ..baselines import leaves_by_heart, logistic_regression, most_frequent_label, nearest_mean
from ..experiment.card import Recipe, Target, Variant
from ..models import FlatRNN, HierarchicalRNN, RecursiveNet, RecursiveTensorNet
from ..optim import Adam
from ..programs.branching import Branching
from ..programs.supervised import Supervised, warmed_cosine
from .gulli2017 import BOOK as GULLI
from .liu2019 import BOOK as LIU

RNTN_LOGIC = Recipe(
    name="rntn-logic",
    title="a recursive tensor network understands sentences of logic, deeper ones too",
    book=GULLI,
    chapter="1, Neural Networks Foundations (named only)",
    dataset="logic_trees",
    parameters=17_161,
    program=Branching(model=RecursiveTensorNet, architecture={"dimension": 16}),
    epochs=10,
    time_budget=120,
    seeds=3,
    targets={"nodes": Target(at_least=0.98), "deeper": Target(at_least=0.90)},
    baselines=(most_frequent_label, leaves_by_heart),
    notes=(
        "Made-up sentences of true, false, not, and, or, xor, to depth 4; every node has a label: "
        "'and F' is the function that is never true. Deeper: depth 6.",
        "plain: the same without the tensor; plain-wide: as many parameters without it.",
    ),
    variants=(
        Variant("plain", {"model": RecursiveNet}, parameters=777),
        Variant(
            "plain-wide",
            {"model": RecursiveNet, "architecture": {"dimension": 88}},
            parameters=16_905,
        ),
    ),
    fast={"epochs": 3, "tested": 100},
)

HIERARCHICAL_DIGITS = Recipe(
    name="hierarchical-digits",
    title="rows of pixels, then rows: two LSTMs beside one with as many parameters",
    book=LIU,
    chapter="6, Recurrent Neural Networks (named only)",
    dataset="optdigits",
    parameters=13_002,
    program=Supervised(
        model=HierarchicalRNN,
        architecture={},
        input_shape=(8, 8),
        optimizer=Adam,
        optimizer_settings={"lr": 0.01},
        batch_size=50,
        scale=16.0,
        schedule=warmed_cosine,
    ),
    epochs=15,
    time_budget=120,
    seeds=3,
    baselines=(nearest_mean, logistic_regression),
    notes=(
        "Optdigits, pixel by pixel; the writers of the test part are others. flat: one LSTM over "
        "all 64 pixels, 13,100 parameters.",
    ),
    variants=(
        Variant(
            "flat",
            {"model": FlatRNN, "not_beaten": (logistic_regression,)},
            parameters=13_100,
        ),
    ),
    fast={"epochs": 6, "samples": (3_823, 1_000)},
)
