"""Networks that estimate numbers: a steering command, the places of keypoints. Synthetic data.

"Accuracy" is the share of numbers within a tolerance of their targets.
"""

from __future__ import annotations

from ..baselines import logistic_regression, majority_class, mean_target, ridge_regression
from ..experiment.card import Recipe, Target
from ..models import FaceDetector, KeypointCNN, PilotNet
from ..nn import bce_with_logits, mse
from ..optim import Adam
from ..programs.parts import LAST, Split
from ..programs.supervised import Supervised, warmed_cosine
from ..train.metrics import Within, sign_accuracy
from .gulli2017 import BOOK as GULLI
from .liu2019 import BOOK
from .sewak2018 import BOOK as SEWAK

PILOTNET = Recipe(
    name="pilotnet-roads",
    title="the curvature of a drawn road from the camera's picture",
    book=BOOK,
    chapter="1, Getting Started with Deep Learning",
    dataset="roads",
    parameters=252_219,
    program=Supervised(
        model=PilotNet,
        architecture={},
        input_shape=(66, 200, 3),
        optimizer=Adam,
        optimizer_settings={"lr": 0.002},
        batch_size=50,
        scale=1.0,
        split=Split(LAST, 500),
        schedule=warmed_cosine,
        loss=mse,
        metric=Within(0.1),
    ),
    epochs=12,
    time_budget=600,
    errors=(
        "The book says that the network gives steering angle and acceleration; the paper's gives "
        "the inverse turning radius only.",
    ),
    notes=(
        "3,000 drawn roads whose curvature is known, -0.04 to 0.04 per metre, as -1 to 1. Accuracy "
        "is the share within 0.004 per metre, a twentieth of the range. Nothing is said about "
        "photographs.",
    ),
    targets={"accuracy": Target(at_least=0.9)},
    baselines=(mean_target, ridge_regression),
    fast={"samples": (600, 200), "epochs": 4},
)

KEYPOINTS_FACES = Recipe(
    name="keypoints-faces",
    title="eyes, nose and mouth of drawn faces",
    book=GULLI,
    chapter="named only: facial salient points",
    dataset="drawn_faces",
    parameters=155_786,
    program=Supervised(
        model=KeypointCNN,
        architecture={},
        input_shape=(32, 32, 1),
        optimizer=Adam,
        optimizer_settings={"lr": 0.003},
        batch_size=25,
        scale=1.0,
        split=Split(LAST, 1_000),
        schedule=warmed_cosine,
        loss=mse,
        metric=Within(0.05),
    ),
    epochs=30,
    time_budget=300,
    seeds=3,
    notes=(
        "4,000 drawn faces. Accuracy is the share of coordinates within 5 % of the picture's side, "
        "1.6 pixels.",
    ),
    targets={"accuracy": Target(at_least=0.80)},
    baselines=(mean_target, ridge_regression),
    fast={"samples": (2_000, 500), "epochs": 6},
)

FACE_DETECTOR = Recipe(
    name="face-detector",
    title="is there a face in the patch, of people never seen?",
    book=SEWAK,
    chapter="named only: human face detector",
    dataset="face_patches",
    parameters=15_169,
    program=Supervised(
        model=FaceDetector,
        architecture={},
        input_shape=(38, 38, 1),
        optimizer=Adam,
        optimizer_settings={"lr": 0.003},
        batch_size=50,
        scale=1.0,
        schedule=warmed_cosine,
        loss=bce_with_logits,
        metric=sign_accuracy,
    ),
    epochs=8,
    time_budget=300,
    seeds=3,
    notes=(
        "ORL faces of 30 people, moved about on drawn backgrounds; tested on the other ten people. "
        "Backgrounds are textures and pieces of faces, no photographs of other things.",
    ),
    targets={"accuracy": Target(at_least=0.95)},
    baselines=(majority_class, logistic_regression),
    fast={"samples": (2_000, 500), "epochs": 4},
)
