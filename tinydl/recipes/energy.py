"""Restricted Boltzmann machines of the book: what is learnt without a label."""

from __future__ import annotations

from ..baselines import independent_pixels, pixels_alone, random_features
from ..experiment.card import Recipe, Target, Variant
from ..models.energy.rbm import book_init, books_gradients
from ..programs.contrastive import Contrastive
from ..programs.greedy import Greedy
from ..programs.parts import STRATIFIED, Split
from .liu2019 import BOOK

RBM_DIGITS = Recipe(
    name="rbm-digits",
    title="the first machine of the book's belief network learns real 8x8 digits",
    book=BOOK,
    chapter="3, Restricted Boltzmann Machines and Autoencoders",
    dataset="digits",
    parameters=16_704,
    program=Contrastive(
        architecture={"visible": 64, "hidden": 256},
        picture=(8, 8),
        batch_size=10,
        lr=0.05,
        steps=2,
        scale=16.0,
        split=Split(STRATIFIED, 0.2, seed=0),
    ),
    epochs=100,
    time_budget=60,
    seeds=3,
    targets={"log_likelihood": Target(at_least=-18.0, share=False)},
    errors=(
        "The code averages the gradient of W over the visible units, so every row of W gets the "
        "same update: divide by the batch, keep the shape.",
    ),
    notes=(
        "The book's sizes, batches, rate and two Gibbs steps, pixels made 0 or 1, 100 epochs "
        "instead of 20. It reports reconstruction errors of 0.0817 and 0.0789 after 10 and 20 "
        "epochs, for pixels of 17 levels and as a running mean. The score is the mean of log P(v) "
        "in nats, with log Z estimated; independent pixels, the baseline beside it, have -24.31.",
    ),
    variants=(
        Variant(
            "persistent",
            {"persistent": True, "steps": 1},
            notes=("Ten chains that go on, one step a batch, at the same constant rate.",),
        ),
        Variant(
            "book",
            {
                "slopes": books_gradients,
                "weight_init": book_init,
                "epochs": 20,
                "not_beaten": (independent_pixels,),
            },
            notes=("The book's gradient, first weights and epochs.",),
        ),
        Variant("book-repaired", {"epochs": 20}, notes=("The same with the right gradient.",)),
    ),
    baselines=(independent_pixels,),
    fast={"epochs": 20},
)

RBM_MNIST = Recipe(
    name="rbm-mnist",
    title="a machine of 500 hidden units learns MNIST's digits and says how probable they are",
    book=BOOK,
    chapter="3, Restricted Boltzmann Machines and Autoencoders",
    dataset="mnist",
    parameters=393_284,
    program=Contrastive(
        architecture={"visible": 784, "hidden": 500},
        picture=(28, 28),
        batch_size=100,
        lr=0.1,
        steps=1,
    ),
    epochs=2,
    time_budget=120,
    seeds=3,
    targets={"log_likelihood": Target(at_least=-120.0, share=False)},
    notes=(
        "The score is the mean of log P(v) in nats over the test part, pixels made 0 or 1, with "
        "log Z estimated by annealed importance sampling from independent pixels.",
        "Two epochs: one step of contrastive divergence lowers the error of what comes back for as "
        "long as it goes on, while log P rises and falls again (`longer`).",
    ),
    variants=(
        Variant(
            "longer",
            {"epochs": 10, "momentum": 0.5},
            notes=("Ten epochs, and momentum: the machine believes in much that is no digit.",),
        ),
    ),
    baselines=(independent_pixels,),
    fast={"samples": (10_000, 1_000), "epochs": 2, "temperatures": 300},
)

DBN_DIGITS = Recipe(
    name="dbn-digits",
    title="two machines learn digits, and a network that begins with them those of new writers",
    book=BOOK,
    chapter="3, Restricted Boltzmann Machines and Autoencoders",
    dataset="optdigits",
    parameters=153_674,
    program=Greedy(
        architecture={"sizes": (64, 256, 512), "classes": 10},
        input_shape=(64,),
        scale=16.0,
    ),
    epochs=70,
    time_budget=120,
    seeds=3,
    reported={"test": 0.9778},
    targets={"accuracy": Target(at_least=0.95)},
    errors=(
        "In print, only the first layer of the deep belief network is applied; the result's 512 "
        "columns say otherwise.",
    ),
    notes=(
        "The official split: no writer of the test part wrote for the training part. The book "
        "divides the test part at random, so that its test digits are of hands that were seen; its "
        "figure is logistic regression on features that its slope leaves nearly as drawn.",
        "Twenty epochs for each machine as in the book, then thirty by labels. Pre-training brings "
        "no dependable gain on 3,823 labelled digits (see `no-machines`), and as many units whose "
        "weights were drawn, with logistic regression on top, are as good.",
    ),
    baselines=(pixels_alone, random_features),
    not_beaten=(random_features,),
    fast={"epochs": 24, "pretraining": 2},
    variants=(
        Variant(
            "no-machines",
            {
                "not_beaten": (random_features,),
                "architecture": {"weight_init": "glorot_uniform"},
                "pretraining": 0,
                "epochs": 30,
            },
            notes=("The same network by labels alone, with Glorot's first weights.",),
        ),
        Variant(
            "book",
            {"epochs": 40, "not_beaten": (pixels_alone, random_features)},
            notes=("No fine-tuning: logistic regression on the last machine's features.",),
        ),
    ),
)
