"""The first learning machines that the books tell of: four points and three flowers."""

from __future__ import annotations

from ..baselines import logistic_regression, majority_class, nearest_mean
from ..experiment.card import Recipe, Target
from ..models import MLP, SoftmaxRegression
from ..optim import Adam
from ..programs.parts import STRATIFIED, Split
from ..programs.supervised import Supervised
from .liu2019 import BOOK

XOR_MLP = Recipe(
    name="xor-mlp",
    title="a hidden layer of four solves what no perceptron can",
    book=BOOK,
    chapter="2, Deep Feedforward Networks",
    dataset="xor_points",
    parameters=22,
    program=Supervised(
        model=MLP,
        architecture={"sizes": (2, 4, 2), "activation": "tanh"},
        input_shape=(2,),
        optimizer=Adam,
        optimizer_settings={"lr": 0.1},
        batch_size=4,
        scale=1.0,
    ),
    epochs=100,
    time_budget=5,
    seeds=5,
    errors=(
        'One hidden layer is said to represent "any real function": any continuous function on a '
        "compact set, to any accuracy.",
    ),
    notes=("The four samples are learned by heart: there is nothing to generalise to.",),
    targets={"accuracy": Target(at_least=1.0)},
    baselines=(nearest_mean, logistic_regression),
)

IRIS = Recipe(
    name="iris-softmax",
    title="three species of iris from four measurements, by softmax regression",
    book=BOOK,
    chapter="1, Getting Started with Deep Learning",
    dataset="iris",
    parameters=15,
    program=Supervised(
        model=SoftmaxRegression,
        architecture={"in_features": 4, "classes": 3},
        input_shape=(4,),
        optimizer=Adam,
        optimizer_settings={"lr": 0.05},
        batch_size=30,
        scale=1.0,
        split=Split(STRATIFIED, 0.3, seed=0),
    ),
    epochs=100,
    time_budget=5,
    seeds=5,
    notes=("The book describes the task and trains nothing on it.",),
    targets={"accuracy": Target(at_least=0.93)},
    baselines=(majority_class, nearest_mean),
)
