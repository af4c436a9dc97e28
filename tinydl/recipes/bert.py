"""BERT, which a book names, at a size that a laptop trains from nothing: gaps, then opinions."""

from __future__ import annotations

from ..baselines import majority_class, tf_idf_regression
from ..experiment.card import Recipe, Target, Variant
from ..models import BERT
from ..nn import bce_with_logits
from ..optim import AdamW
from ..programs.masked_reading import MaskedReading
from ..train.metrics import sign_accuracy
from .liu2019 import BOOK

BERT_TINY = Recipe(
    name="bert-tiny",
    title="a small BERT learns from film reviews to fill gaps, then to judge them",
    book=BOOK,
    chapter="8 (named only)",
    dataset="imdb",
    parameters=1_099_785,
    program=MaskedReading(
        model=BERT,
        architecture={"vocabulary": 5_000, "length": 192, "dropout": 0.0},
        input_shape=(192,),
        words=5_000,
        optimizer=AdamW,
        optimizer_settings={"lr": 0.002, "weight_decay": 0.01},
        batch_size=16,
        share=0.2,
        loss=bce_with_logits,
        metric=sign_accuracy,
    ),
    epochs=4,
    time_budget=2_400,
    targets={"accuracy": Target(at_least=0.80)},
    baselines=(majority_class, tf_idf_regression),
    not_beaten=(tf_idf_regression,),
    notes=(
        "Byte pairs (Sennrich et al. 2016) learned from the training reviews in small letters, "
        "337 a review; 192 of them are read, a quarter from its beginning, the rest from its end. "
        "Two passes over the training reviews without their labels hide 20 % of the tokens (80 % "
        "become a mark, 10 % another token), two passes with labels follow.",
        "No figure yet. A net that reads nothing around a gap is right in 13.2 % at 6.14 nats: the "
        "tenth that stands there, and the commonest token, 4.0 % of all. A training of 2,756 "
        "batches of 32 with 15 % hidden ended there, at 12.9 % and 6.15, so gap_loss well below "
        "6.14 is the first thing to ask.",
        "Turc et al. 2019 have this size (two blocks of 128, 30,522 tokens) trained on the books "
        "and encyclopedia of the paper; nothing of them is here.",
        "Variant scratch leaves the gaps out: what they bring is the difference.",
        "The regression beside it reads whole reviews and every word of five reviews.",
        '`tinydl predict RUN --text "..."` reads a review; the run holds its tokens.',
    ),
    variants=(
        Variant(
            "scratch",
            {
                "pretraining": 0,
                "epochs": 2,
                "time_budget": 1_200,
                "targets": {"accuracy": Target(at_least=0.75)},
            },
            notes=("Only the labels, with as many passes over them.",),
        ),
    ),
    fast={
        "samples": (2_000, 1_000),
        "words": 1_000,
        "input_shape": (64,),
        "architecture": {
            "vocabulary": 1_000, "length": 64, "features": 48, "blocks": 1, "heads": 2,
            "hidden": 96,
        },
        "parameters": 75_977,
        "pretraining": 1,
        "epochs": 7,
        "baselines": (majority_class,),
        "not_beaten": (),
    },
)  # fmt: skip
