"""tinydl's own recipes: small, quick, without a download."""

from __future__ import annotations

from ..baselines import logistic_regression, nearest_mean
from ..experiment.card import Recipe, Target, Variant
from ..models import MLP
from ..optim import Adam
from ..programs.parts import LAST, STRATIFIED, Split
from ..programs.supervised import Supervised

WRITERS = (
    "The images of `digits` lie writer after writer: the last 360 were written by people of whom "
    "the first 1,437 "
    "hold nothing. A random split puts every writer's hand on both sides, so a network may "
    "recognise the hand and "
    "not only the digit; on strangers it does worse. The writer-disjoint number is the one to "
    "expect in use."
)

MLP_DIGITS = Recipe(
    name="mlp-digits",
    title="a small network on real 8x8 handwritten digits, in seconds and without a download",
    book="tinydl",
    chapter="README",
    dataset="digits",
    parameters=9_610,
    program=Supervised(
        model=MLP,
        architecture={"sizes": (64, 128, 10), "dropout": 0.2},
        input_shape=(64,),
        optimizer=Adam,
        optimizer_settings={"lr": 0.002},
        batch_size=32,
        scale=16.0,
        split=Split(STRATIFIED, 0.2, seed=0),
    ),
    epochs=40,
    time_budget=20,
    seeds=5,
    notes=("Alpaydin and Kaynak 1998; the 1,797 images that ship inside scikit-learn.",),
    variants=(Variant("writers", {"split": Split(LAST, 360), "seeds": 5}, notes=(WRITERS,)),),
    companion="writers",
    targets={"accuracy": Target(at_least=0.97)},
    baselines=(nearest_mean, logistic_regression),
)

SYNTHETIC_DIGITS = Recipe(
    name="synthetic-digits",
    title="drawn seven-segment digits: no data, no extras; for trying an installation out",
    book="tinydl",
    chapter="README",
    dataset="synthetic_digits",
    parameters=2_410,
    program=Supervised(
        model=MLP,
        architecture={"sizes": (64, 32, 10), "dropout": 0.1},
        input_shape=(64,),
        optimizer=Adam,
        optimizer_settings={"lr": 0.005},
        batch_size=50,
        scale=1.0,
        split=Split(STRATIFIED, 0.2, seed=0),
    ),
    epochs=10,
    time_budget=10,
    seeds=3,
    notes=(
        "2,000 images from `tinydl.data.synthetic_digits`; results say nothing about real digits.",
        "Straight lines separate them: a logistic regression makes no error either.",
    ),
    targets={"accuracy": Target(at_least=0.95)},
    baselines=(nearest_mean, logistic_regression),
    not_beaten=(logistic_regression,),
)
