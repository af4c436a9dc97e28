"""Autoencoders: the book's detectors of frauds, and those of pictures."""

from __future__ import annotations

from typing import Any

from ..baselines import (
    Components,
    grey_alone,
    mean_chroma,
    mean_picture,
    principal_components,
    ridge_filter,
    row_norm,
)
from ..experiment.card import Recipe, Target, Variant
from ..models.autoencoders.autoencoder import Autoencoder
from ..models.autoencoders.colouring import ColouringAutoencoder
from ..models.autoencoders.contractive import ContractiveAutoencoder
from ..models.autoencoders.convolutional import ConvAutoencoder
from ..models.autoencoders.denoising import DenoisingAutoencoder, MaskNoise
from ..models.autoencoders.sparse import SparseAutoencoder
from ..nn import Module
from ..programs.anomalies import Anomalies
from ..programs.reconstructing import Reconstructing
from ..programs.restoring import Colouring, Compression, Denoising
from .atienza2020 import BOOK as ATIENZA
from .films import CHAPTER
from .liu2019 import BOOK

FRAUDS = (
    "The 6,621 rows that may be passed on hold all 492 frauds of the 284,807: 7.4 % of a test part "
    "here, 0.86 % in the book, so that precision, and the book's area under it (by trapezoids, of "
    "one training), mean another thing. Ten seeds are ten splits.",
    "All columns are standardised by the normal rows that train. An epoch has 77 steps where the "
    "book's has 3,554: the rate is 0.001 instead of {lr}.",
)


def frauds(
    name: str,
    title: str,
    parameters: int,
    model: type[Module],
    architecture: dict[str, Any],
    lr: str = "0.0001",
    held: float = 0.2,
    **card: Any,
) -> Recipe:
    """A detector of frauds, with what all of them have in common."""
    notes = tuple(note.format(lr=lr) for note in FRAUDS) + card.pop("notes", ())
    program = Reconstructing(
        model=model,
        architecture=architecture,
        task=Anomalies(held),
        input_shape=(29,),
    )
    return Recipe(
        name=name, title=title, book=BOOK, chapter=CHAPTER, dataset="creditcard_subset",
        parameters=parameters, program=program, time_budget=60, seeds=10, notes=notes,
        baselines=(row_norm, Components(5), Components(15), Components(25)),
        **{"epochs": 30, **card},
    )  # fmt: skip


FRAUD_AUTOENCODER = frauds(
    "fraud-autoencoder",
    "frauds are what an autoencoder of honest payments gives back badly",
    2_389,
    Autoencoder,
    {"sizes": (29, 40)},
    reported={"test": 0.8218},
    targets={"average_precision": Target(at_least=0.76), "auroc": Target(at_least=0.93)},
    notes=(
        "By the area under the ROC curve it does not pass the norm of the row: 0.945 and 0.956, "
        "means over the ten splits. By average precision it passes all four that stand beside.",
    ),
    errors=(
        "The scaler of the amounts sees the test rows too; the columns V1 to V28 are called "
        "standard normal, their deviations are 2 to 0.33.",
        "Precision and recall are drawn over thresholds shifted by one: the last point has no "
        "threshold.",
        "The last model is evaluated, not the best checkpoint, which watches the training loss.",
        '"Only falsely declines a few": 1,797 false alarms beside 419 hits.',
    ),
)

FRAUD_DEEP = frauds(
    "fraud-deep",
    "the same with three hidden layers",
    11_269,
    Autoencoder,
    {"sizes": (29, 80, 40)},
    lr="0.00005",
    epochs=50,
    reported={"test": 0.8279},
    targets={"average_precision": Target(at_least=0.76), "auroc": Target(at_least=0.93)},
)

FRAUD_SPARSE = frauds(
    "fraud-sparse",
    "the deep one on a twentieth of the rows, with few units awake",
    11_269,
    SparseAutoencoder,
    {"sizes": (29, 80, 40), "strength": 3e-5, "reduction": "sum"},
    lr="0.0008",
    held=0.95,
    epochs=400,
    reported={"test": 0.6956},
    errors=(
        "The validation loss of the sparse autoencoder contains its penalty and is compared with "
        "one that does not.",
    ),
    notes=(
        "A twentieth of these rows is 306 normal ones, where the book has 14,222: 400 epochs of "
        "five steps instead of 30 of 223.",
        "The penalty is summed over the batch, as Keras did when the book was written; variant "
        "`mean` divides by the batch, `none` has no penalty. Over ten splits nothing tells the "
        "three apart; the book's gain of 0.03 is one training beside one.",
    ),
    variants=(
        Variant("mean", {"architecture": {"reduction": "mean"}, "seeds": 10}),
        Variant("none", {"architecture": {"strength": 0.0}, "seeds": 10}, {"test": 0.6629}),
    ),
)

FRAUD_DENOISING = frauds(
    "fraud-denoising",
    "three in ten numbers of a payment are hidden, and have to be found again",
    2_389,
    DenoisingAutoencoder,
    {"sizes": (29, 40), "corruption": MaskNoise(0.3)},
    notes=("The book describes it, and trains none; nothing is hidden from the payments judged.",),
    targets={"average_precision": Target(at_least=0.76), "auroc": Target(at_least=0.93)},
)

FRAUD_CONTRACTIVE = frauds(
    "fraud-contractive",
    "a code that hardly moves when the payment does",
    2_389,
    ContractiveAutoencoder,
    {"features": 29, "hidden": 40, "strength": 1e-5, "activation": "sigmoid"},
    lr="0.0003",
    reported={"test": 0.8312},
    targets={"average_precision": Target(at_least=0.76), "auroc": Target(at_least=0.93)},
    errors=(
        "The contractive penalty sums over the wrong index, holds for a sigmoid while the code has "
        "ReLU, and keeps the first W as a constant.",
    ),
    variants=(
        Variant(
            "relu",
            {"architecture": {"activation": "relu"}, "seeds": 10},
            notes=(
                "The book's activation, with the penalty that is its own. At the book's strength "
                "it changes nothing: the figures are those of `fraud-autoencoder`.",
            ),
        ),
        Variant(
            "strong",
            {"architecture": {"activation": "relu", "strength": 0.01}, "seeds": 10},
            notes=("The same a thousand times as strong.",),
        ),
    ),
)

DENOISING_MNIST = Recipe(
    name="denoising-mnist",
    title="an autoencoder takes noise of deviation 0.5 off digits",
    book=ATIENZA,
    chapter="3, Autoencoders",
    dataset="mnist",
    parameters=479_105,
    program=Reconstructing(
        model=ConvAutoencoder,
        architecture={"image": (28, 28), "channels": (32, 64), "code": 64},
        task=Denoising(0.5),
        input_shape=(28, 28, 1),
        lr=0.003,
    ),
    epochs=3,
    time_budget=600,
    targets={"psnr": Target(at_least=18.9, share=False)},
    baselines=(mean_picture, ridge_filter),
    fast={"samples": (8_000, 1_000), "epochs": 3},
    notes=(
        "The noisy picture is clipped to 0 ... 1, as a picture is: half of the noise on black "
        "ground is gone, and it has 9.4 dB instead of 6.0.",
    ),
)

FASHION_AUTOENCODER = Recipe(
    name="fashion-autoencoder",
    title="clothes through a code of sixteen numbers and back",
    book=ATIENZA,
    chapter="3, Autoencoders",
    dataset="fashion_mnist",
    parameters=178_001,
    program=Reconstructing(
        model=ConvAutoencoder,
        architecture={"image": (28, 28), "channels": (32, 64), "code": 16},
        task=Compression(),
        input_shape=(28, 28, 1),
    ),
    epochs=3,
    time_budget=600,
    baselines=(mean_picture, principal_components),
    fast={"samples": (8_000, 1_000), "epochs": 1},
)

COLOURING_CIFAR = Recipe(
    name="colouring-cifar",
    title="an autoencoder gives small grey photographs their colours",
    book=ATIENZA,
    chapter="3, Autoencoders",
    dataset="cifar10_subset",
    parameters=859_843,
    program=Reconstructing(
        model=ColouringAutoencoder,
        architecture={"image": (32, 32), "channels": (32, 64, 128), "code": 128},
        task=Colouring(),
        input_shape=(32, 32, 1),
        picture_shape=(32, 32, 3),
    ),
    epochs=6,
    time_budget=600,
    baselines=(grey_alone, mean_chroma),
    fast={"samples": (2_000, 500), "epochs": 3},
)
