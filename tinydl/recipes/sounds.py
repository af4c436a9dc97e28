"""Sounds and pen tracks: words by their spectra, strings of digits without a cut."""

from __future__ import annotations

from ..baselines import (
    four_parts_of_the_word,
    level_and_slope_before,
    levels_alone,
    nearest_mean,
    nearest_piece,
    one_level_before,
    straight_lines_by_piece,
)
from ..data import MovedSpectra
from ..experiment.card import Recipe, Target, Variant
from ..experiment.sounds import BANDS, SPEAKERS, STEPS
from ..models import KeywordCNN
from ..optim import Adam
from ..programs.labelling import Labelling
from ..programs.sounding import Sounding
from ..programs.supervised import Supervised, warmed_cosine
from .gulli2017 import BOOK as GULLI
from .liu2019 import BOOK as LIU

STRANGERS = (
    "The official split has every speaker on both sides, which asks whether a known voice says a "
    "known word again. A variant without a speaker asks what a stranger may expect; the six, one "
    "without each, are the table, and their mean is the figure to compare."
)

SPOKEN_DIGITS = Recipe(
    name="spoken-digits",
    title="a small convolutional network spots ten spoken words",
    book=LIU,
    chapter="6, Recurrent Neural Networks (named only)",
    dataset="spoken_digits",
    parameters=33_658,
    program=Supervised(
        model=KeywordCNN,
        architecture={"filters": (16, 32, 64), "dropout": 0.3},
        input_shape=(STEPS, BANDS, 1),
        optimizer=Adam,
        optimizer_settings={"lr": 0.004},
        batch_size=30,
        scale=1.0,
        transform=MovedSpectra(time=6, pitch=2, hidden=5),
        schedule=warmed_cosine,
    ),
    epochs=24,
    time_budget=120,
    seeds=3,
    targets={"accuracy": Target(at_least=0.97)},
    baselines=(nearest_mean, four_parts_of_the_word),
    notes=(
        "FSDD, takes 0 to 19 of each speaker: takes 0 to 4 are tested on.",
        STRANGERS,
    ),
    errors=(
        "The timeline credits an LSTM of 2007 with keyword spotting and CTC to 2009; CTC is of "
        "2006 (Graves et al.).",
    ),
    variants=tuple(
        Variant(
            f"without-{name}",
            {
                "dataset": f"spoken_digits_without_{name}",
                "not_beaten": (four_parts_of_the_word,) if name == "jackson" else (),
            },
        )
        for name in SPEAKERS
    ),
    fast={"epochs": 8, "transform": None},
)

PEN_STRINGS = Recipe(
    name="pen-strings",
    title="numbers of three to six digits, read from the pen's track by CTC",
    book=LIU,
    chapter="6, Recurrent Neural Networks (named only)",
    dataset="pen_pieces",
    parameters=76_715,
    program=Labelling(
        architecture={"input_size": 3, "hidden_size": 48, "layers": 2}, batch_size=40, lr=0.01
    ),
    epochs=36,
    time_budget=240,
    seeds=3,
    targets={
        "strings_right": Target(at_least=0.90),
        "label_error": Target(at_most=0.025),
    },
    baselines=(straight_lines_by_piece, nearest_piece),
    notes=(
        "Pendigits, joined: 30 writers to learn from, the strings of the test are by 14 others.",
        "Both baselines are told where each digit begins; the network is not.",
    ),
    fast={
        "epochs": 25,
        "strings": 1_000,
        "tested": 300,
        "shortest": 1,
        "longest": 2,
        "batch_size": 20,
        "lr": 0.01,
    },
)

SPOKEN_STRINGS = Recipe(
    name="spoken-strings",
    title="numbers of three to six spoken digits, heard by CTC",
    book=LIU,
    chapter="6, Recurrent Neural Networks (named only)",
    dataset="spoken_pieces",
    parameters=182_667,
    program=Labelling(
        architecture={"input_size": 96, "hidden_size": 64, "layers": 2, "dropout": 0.3},
        strings=600,
        tested=500,
        batch_size=30,
    ),
    epochs=25,
    time_budget=300,
    seeds=3,
    targets={"strings_right": Target(at_least=0.80)},
    baselines=(straight_lines_by_piece, nearest_piece),
    notes=(
        "FSDD, takes 0 to 4 of each speaker in the strings of the test, one speaker a string.",
        "Both baselines are told where each word begins; the network is not.",
    ),
    fast={
        "epochs": 12,
        "strings": 600,
        "tested": 150,
        "shortest": 1,
        "longest": 2,
        "batch_size": 20,
        "lr": 0.01,
    },
)

WAVENET_SPEECH = Recipe(
    name="wavenet-speech",
    title="WaveNet speaks digits, sample by sample",
    book=GULLI,
    chapter="4, Generative Adversarial Networks and WaveNet (named only)",
    dataset="spoken_waves",
    parameters=100_576,
    program=Sounding(updates=60, batch_size=4, length=3_000, lr=0.004),
    epochs=24,
    time_budget=480,
    seeds=3,
    targets={"bits": Target(at_most=5.4, share=False)},
    baselines=(levels_alone, one_level_before, level_and_slope_before),
    notes=(
        "FSDD, takes 5 to 19 to learn from, the first 100,000 samples of the other takes to test.",
        "A run folder holds a second of what the network says (sample.wav).",
    ),
    errors=(
        "WaveNet stands among the uses of GANs, in the list of applications too; it is "
        "autoregressive and has no adversary.",
    ),
    fast={
        "architecture": {"channels": 16, "skip": 16, "dilations": (1, 2, 4, 8, 16, 32)},
        "parameters": 17_952,
        "updates": 40,
        "batch_size": 4,
        "length": 1_000,
        "tested": 20_000,
        "lr": 0.01,
        "epochs": 3,
        "seconds": 0.1,
    },
)
