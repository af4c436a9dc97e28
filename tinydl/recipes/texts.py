"""Texts written character by character: Liu and Mehta 2019, chapter 6, and what the book lacks: a
held-out part, bits per character, counted characters beside them."""

from __future__ import annotations

from ..baselines import WittenBell, xz
from ..experiment.card import Recipe, Target, Variant
from ..models import LSTMGenerator, VanillaGenerator
from ..optim import RMSprop
from ..programs.language import Language
from ..programs.supervised import warmed_cosine
from .liu2019 import BOOK
from .patterns import CHAPTER

NO_HELD_OUT = (
    "The book has no held-out part: its losses are those of text that the network learns from, and "
    "say nothing about a language model. Here the last tenth is held out."
)
COUNTED = (
    "Bits per character of the last tenth, which is read once, with carried state. Published on "
    "War and Peace, in its own letters: the best LSTM 1.554, a 20-gram 1.724 (Karpathy et al. "
    "2015, arXiv 1506.02078)."
)

QUICK = {
    "samples": (60_000, 10_000),
    "architecture": {"hidden_size": 128},
    "parameters": 108_354,
    "batch_size": 10,
    "length": 40,
    "epochs": 4,
    "baselines": (WittenBell(1),),
}

CHAR_LSTM = Recipe(
    name="char-lstm",
    title="lines of Shakespeare, character by character: bits beside a 6-gram and xz",
    book=BOOK,
    chapter=CHAPTER,
    dataset="tiny_shakespeare",
    parameters=347_714,
    program=Language(
        model=LSTMGenerator,
        architecture={"tokens": 66, "hidden_size": 256, "num_layers": 1, "dropout": 0.1},
        lr=0.006,
        schedule=warmed_cosine,
    ),
    epochs=3,
    time_budget=600,
    baselines=(WittenBell(5), xz),
    notes=(
        "65 characters and a sign for others; the last 111,539 characters are held out.",
        "`tinydl sample RUN --prompt TEXT --temperature 0.7 --top-p 0.9` continues a text.",
    ),
    variants=(
        Variant(
            "war-and-peace",
            {
                "dataset": "war_and_peace",
                "architecture": {"tokens": 83},
                "epochs": 10,
                "time_budget": 1_800,
                "targets": {"bits": Target(at_most=1.85, share=False)},
                "parameters": 369_491,
                "fast": {**QUICK, "parameters": 119_251},
            },
            notes=(COUNTED,),
        ),
    ),
    fast=QUICK,
)

_ERRORS = (
    NO_HELD_OUT,
    "Windows are counted as floor(n / L): where L divides the length, the last target is a "
    "character short. Here (n - 1) / L.",
    "The early stopping is said to watch the validation loss; it watches the training loss.",
    "A checkpoint is said to be saved after every epoch; it is saved where the loss fell.",
)

BOOK_VANILLA_TEXT = Recipe(
    name="text-vanilla-book",
    title="the book's plain recurrent generator on War and Peace: two layers of 800 ReLU",
    book=BOOK,
    chapter=CHAPTER,
    dataset="war_and_peace_lower",
    parameters=2_012_857,
    program=Language(
        model=VanillaGenerator,
        batch_size=100,
        length=100,
        lr=0.001,
        optimizer=RMSprop,
        carried=False,
    ),
    epochs=1,
    time_budget=3_600,
    baselines=(WittenBell(5), xz),
    not_beaten=(WittenBell(5), xz),
    errors=(
        *_ERRORS,
        'Of "learning" in windows of five the text says that "learn" is followed by "earn"; it is '
        '"earni".',
        "The fourth window of the example is printed as rcht; it is rchit.",
        "A generated text is said to have one character less than asked for; it has one more.",
        "The sampler is said to look back 100 characters; the slice that is printed takes 102.",
    ),
    notes=(
        "57 characters as in the book: 56 and a sign for others, where its file has a byte order "
        "mark. One epoch of the book's 300; 67 s on its K80, and a loss of 2.196 nats, on text it "
        "learns from.",
        "The book's sampler takes the likeliest character always, which goes round in circles: "
        "`tinydl sample RUN --temperature 0`. The gradients are scaled down to a norm of 1; the "
        "book's are not.",
        "Every window begins with no state, as in the book: carried from window to window, as in "
        "the other recipes, the state of two layers of ReLU grows without end (a loss of 8e10 nats "
        "after the epoch).",
    ),
    fast={
        "samples": (60_000, 20_000),
        "architecture": {"hidden_size": 128, "dropout": 0.0},
        "parameters": 64_057,
        "batch_size": 20,
        "length": 50,
        "epochs": 3,
        "baselines": (WittenBell(0),),
        "not_beaten": (),
    },
)

BOOK_LSTM_TEXT = Recipe(
    name="text-lstm-book",
    title="the book's LSTM generator on War and Peace: two layers of 800",
    book=BOOK,
    chapter=CHAPTER,
    dataset="war_and_peace_lower",
    parameters=7_914_457,
    program=Language(
        model=LSTMGenerator,
        batch_size=100,
        length=160,
        lr=0.001,
        optimizer=RMSprop,
    ),
    epochs=1,
    time_budget=7_200,
    baselines=(WittenBell(5), xz),
    not_beaten=(WittenBell(5), xz),
    errors=(
        *_ERRORS,
        "The state is printed as o * c_t; an LSTM's is o * tanh(c_t). Here so.",
        "The loss after 300 epochs, 0.60 nats, is below what five characters leave open within the "
        "text itself (1.06): the network has learnt the text by heart.",
    ),
    notes=(
        "One epoch of the book's 300, which took 250 s each on its K80; its companion code has 700 "
        "units.",
    ),
    fast={
        "samples": (60_000, 20_000),
        "architecture": {"hidden_size": 96, "dropout": 0.0},
        "parameters": 138_777,
        "batch_size": 20,
        "length": 50,
        "lr": 0.005,
        "epochs": 3,
        "baselines": (WittenBell(0),),
        "not_beaten": (),
    },
)
