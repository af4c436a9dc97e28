"""The adversarial networks of the book and of the papers after it, on digits.

The book's widths 64-128-256 are the models' defaults; here all convolutional ones have 32-64-128
and see 10,000 digits, so that each trains in minutes on two cores.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..baselines import (
    gaussian_of_each_class,
    k_means,
    mean_of_each_class,
    noise_pictures,
)
from ..experiment.card import Recipe, Target, Variant
from ..models import (
    ACGAN,
    DCGAN,
    GAN,
    LSGAN,
    SAGAN,
    WGAN,
    WGANGP,
    ConditionalDCGAN,
    ConditionalGAN,
    InfoGAN,
    StackedGAN,
)
from ..programs.adversarial_pictures import AdversarialPictures
from .judges import JUDGE_MNIST, QUICK_MNIST
from .liu2019 import BOOK
from .sources import PAPERS

CHAPTER = "7, Generative Adversarial Networks"
NARROW = {"widths": (32, 64, 128)}
SAMPLES = (10_000, 10_000)
DRAWN = (noise_pictures, gaussian_of_each_class)
ASKED = (*DRAWN, mean_of_each_class)
FAST = {"samples": (2_000, 2_000), "epochs": 4, "judge": QUICK_MNIST}
#: A minute is too short for classes: there the distance is the score.
FAST_ASKED = {**FAST, "score": "way"}
NEAR, NEARER = Target(at_most=0.25), Target(at_most=0.10)

SPENT = (
    "The book trains 50 epochs of 70,000 digits at widths 64-128-256, batches of 128; here "
    "{epochs} epochs of 10,000 at 32-64-128, batches of 64, {share} of its arithmetic."
)
PADDED = (
    "Digits are padded from 28 to 32 pixels with 0 after scaling to -1 ... 1, a grey frame that "
    "the generator has to learn; here with -1, black.",
)
READING = (
    "way: the Frechet distance in a classifier's features, 0 for real digits, 1 for noise. The "
    "samples of a Gaussian on 30 principal components of each class stand beside it.",
)


def convolutional(model: Any, more: Mapping[str, Any] | None = None, **settings: Any) -> Any:
    """The program that the convolutional ones share."""
    given = {"lr": 0.0005, "generator_steps": 2, "batch_size": 64, "pad": 2, **settings}
    return AdversarialPictures(
        model=model, architecture={**NARROW, **(more or {})}, judge=JUDGE_MNIST, **given
    )


GAN_MNIST = Recipe(
    name="gan-mnist",
    title="the first GAN: dense networks of 256, 512 and 1,024 units draw digits",
    book=BOOK,
    chapter=CHAPTER,
    dataset="mnist",
    samples=SAMPLES,
    parameters=2_946_577,
    program=AdversarialPictures(
        model=GAN, lr=0.0002, generator_steps=2, batch_size=64, judge=JUDGE_MNIST
    ),
    epochs=50,
    time_budget=1_500,
    baselines=DRAWN,
    fast=FAST,
    targets={"way": NEAR},
    errors=(
        "The text has the labels of the critic's loss exchanged; its code is right.",
        "The text trains the two networks in turn by epochs; by steps is meant.",
    ),
    notes=(
        "The book trains 100 epochs of 70,000 digits, batches of 128; here 50 of 10,000, batches "
        "of 64. It prints losses of 0.76 to 1.10 for the critic and 1.04 to 2.01 for the generator "
        "at the end (2 log 2 = 1.386 and log 2 = 0.693 would be an even game).",
        *READING,
    ),
)

DCGAN_MNIST = Recipe(
    name="dcgan-mnist",
    title="the convolutional GAN draws digits",
    book=BOOK,
    chapter=CHAPTER,
    dataset="mnist",
    samples=SAMPLES,
    parameters=723_394,
    program=convolutional(DCGAN),
    epochs=10,
    time_budget=1_200,
    baselines=DRAWN,
    fast=FAST,
    targets={"way": NEARER},
    errors=(
        *PADDED,
        "The text says 28x28 of the real pictures' placeholder, which is 32x32.",
        "Rates of 0.001 and 0.0002 are called slightly different: one is five times the other.",
    ),
    notes=(
        SPENT.format(epochs=10, share="about 0.8 %"),
        "Two steps of the generator for each of the critic, as the book; Adam 0.0005 in place of "
        "0.0002, with which this little training does not get as far.",
        *READING,
    ),
    variants=(
        Variant(
            "rates",
            {"generator_steps": 1, "lr": 0.001, "critic_lr": 0.0002},
            notes=(
                "The book's other way to hold the critic back: one step each, and the rates 0.001 "
                "and 0.0002.",
            ),
        ),
        Variant(
            "attention",
            {"model": SAGAN, "architecture": {"reduction": 8}},
            parameters=724_420,
            notes=("The same with a layer of self-attention at 16x16 in both networks.",),
        ),
        Variant(
            "book",
            {
                "architecture": {"widths": (64, 128, 256)}, "dataset": "mnist", "epochs": 1,
                "batch_size": 128, "lr": 0.0002, "time_budget": 1_800,
            },
            parameters=2_470_786,
            notes=("The book's widths, batches and rate, one epoch of its fifty.",),
        ),
    ),
)  # fmt: skip

LSGAN_MNIST = Recipe(
    name="lsgan-mnist",
    title="the same networks in the game of least squares",
    book=PAPERS,
    chapter="Mao et al. 2017",
    dataset="mnist",
    samples=SAMPLES,
    parameters=723_394,
    program=convolutional(LSGAN),
    epochs=10,
    time_budget=1_200,
    baselines=DRAWN,
    fast=FAST,
    targets={"way": NEARER},
    notes=("Settings of dcgan-mnist.", *READING),
)

WGAN_MNIST = Recipe(
    name="wgan-mnist",
    title="a critic that measures a distance, its weights clipped",
    book=PAPERS,
    chapter="Arjovsky et al. 2017",
    dataset="mnist",
    samples=SAMPLES,
    parameters=723_394,
    program=convolutional(WGAN, lr=0.0003, beta1=0.0, beta2=0.9, generator_steps=1, critic_steps=3),
    epochs=15,
    time_budget=1_200,
    baselines=DRAWN,
    fast=FAST,
    notes=(
        "The paper: RMSProp 0.00005, five steps of the critic for one of the generator, 100,000 "
        "steps; here Adam without its first mean, 0.0003, three to one, 780 steps of the "
        "generator.",
        *READING,
    ),
)

WGAN_GP_MNIST = Recipe(
    name="wgan-gp-mnist",
    title="a critic that measures a distance, its slope held near 1",
    book=PAPERS,
    chapter="Gulrajani et al. 2017",
    dataset="mnist",
    samples=SAMPLES,
    parameters=723_010,
    program=convolutional(WGANGP, beta1=0.0, beta2=0.9, generator_steps=1, critic_steps=2),
    epochs=15,
    time_budget=1_200,
    baselines=DRAWN,
    fast=FAST,
    targets={"way": NEARER},
    notes=(
        "The paper: Adam 0.0001, five steps of the critic for one of the generator, 200,000 steps "
        "of the generator; here 0.0005, two to one, 1,170 steps. The gradient of the penalty is a "
        "second derivative through the critic.",
        "At its best the penalised critic says W (1 + W / (2 penalty)) of a distance W: it pays "
        "a slope a little above 1. tests/models/test_games.py holds it against known distances.",
        *READING,
    ),
)

CGAN_MNIST = Recipe(
    name="cgan-mnist",
    title="dense networks that are told the class",
    book=BOOK,
    chapter=CHAPTER,
    dataset="mnist",
    samples=SAMPLES,
    parameters=2_959_377,
    program=AdversarialPictures(
        model=ConditionalGAN, lr=0.0002, generator_steps=2, batch_size=64, judge=JUDGE_MNIST
    ),
    epochs=100,
    time_budget=1_500,
    baselines=ASKED,
    fast=FAST_ASKED,
    targets={
        "agreement": Target(at_least=0.95),
        "variety": Target(at_least=0.8),
        "way": NEARER,
    },
    errors=("The example of a label has nine numbers for ten classes.",),
    notes=(
        "The book trains 100 epochs of 70,000 digits, batches of 128; here 100 of 10,000, batches "
        "of 64. It prints losses of 0.97 to 1.12 for the critic and 0.98 to 1.34 for the generator "
        "at the end.",
        *READING,
    ),
    variants=(
        Variant(
            "convolutional",
            {
                "title": "convolutions that are told the class",
                "model": ConditionalDCGAN, "architecture": NARROW, "pad": 2, "lr": 0.0005,
                "epochs": 10,
            },
            parameters=751_874,
            notes=("The book's exercise: dcgan-mnist with the label as channels.",),
        ),
    ),
)  # fmt: skip

ACGAN_MNIST = Recipe(
    name="acgan-mnist",
    title="a critic that names the class",
    book=PAPERS,
    chapter="Odena et al. 2017",
    dataset="mnist",
    samples=SAMPLES,
    parameters=764_364,
    program=convolutional(ACGAN, score="agreement"),
    epochs=10,
    time_budget=1_200,
    baselines=ASKED,
    not_beaten=(mean_of_each_class,),
    fast=FAST_ASKED,
    targets={
        "agreement": Target(at_least=0.95),
        "variety": Target(at_least=0.8),
        "way": NEARER,
    },
    notes=("Settings of dcgan-mnist.", *READING),
)

INFOGAN_MNIST = Recipe(
    name="infogan-mnist",
    title="a GAN that finds classes and slant without a label",
    book=BOOK,
    chapter=CHAPTER,
    dataset="mnist",
    samples=SAMPLES,
    parameters=1_303_373,
    program=convolutional(InfoGAN, {"hidden": (256, 128)}),
    epochs=10,
    time_budget=1_500,
    baselines=(*DRAWN, k_means),
    fast={**FAST, "epochs": 3, "batch_size": 32, "lr": 0.001},
    targets={
        "code_agreement": Target(at_least=0.6),
        "code_slant": Target(at_least=0.6, share=False),
    },
    errors=(
        *PADDED,
        "InfoGAN's lambda is missing from the formula.",
        "The loss of the continuous code is a sum of squared predictions: the code that they "
        "should recover is not in it.",
        "One name of the total loss is defined nowhere, and a linear layer before the heads adds "
        "nothing.",
    ),
    notes=(
        "The book reports that its continuous code turns digits by some 20 degrees either way, "
        "which its loss does not ask for.",
        "A layer of 256 in place of 1,024 before the heads.",
        "85 % of classes found without a label were meant; seed 0 finds 67 %, k-means 59 %.",
        *READING,
    ),
)

STACKEDGAN_MNIST = Recipe(
    name="stackedgan-mnist",
    title="one GAN makes the features of a class, another the picture of them",
    book=PAPERS,
    chapter="Huang et al. 2017",
    dataset="mnist",
    samples=SAMPLES,
    parameters=2_351_601,
    program=convolutional(
        StackedGAN, {"filters": (16, 32)}, encoder_epochs=3, apart_epochs=4, score="agreement"
    ),
    epochs=10,
    time_budget=1_500,
    baselines=ASKED,
    not_beaten=(gaussian_of_each_class, mean_of_each_class),
    fast={**FAST_ASKED, "apart_epochs": 2},
    targets={"agreement": Target(at_least=0.85)},
    notes=(
        "First the encoder learns the classes of the 10,000 digits in three epochs and is frozen; "
        "then each level is trained by itself, pictures of the encoder's features, for four "
        "epochs, and both together for six.",
        "With the picture's cost flowing into the features, and the noise of the features weighed "
        "like that of the pictures, each class became one picture as soon as both levels learned "
        "together (variety 0.07).",
        *READING,
    ),
)
