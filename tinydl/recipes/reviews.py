"""Sentiment of film reviews: Liu and Mehta 2019, chapter 6, with a prediction for a typed one."""

from __future__ import annotations

from ..baselines import majority_class, tf_idf_regression
from ..experiment.card import Recipe, Target
from ..models import SentimentLSTM
from ..nn import bce_with_logits
from ..optim import RMSprop
from ..programs.reading import Reading
from ..programs.supervised import warmed_cosine
from ..train.metrics import sign_accuracy
from .liu2019 import BOOK
from .patterns import CHAPTER

IMDB_BILSTM = Recipe(
    name="imdb-bilstm",
    title="film reviews read forwards and backwards; any typed review can be judged",
    book=BOOK,
    chapter=CHAPTER,
    dataset="imdb",
    parameters=903_425,
    program=Reading(
        model=SentimentLSTM,
        architecture={},
        input_shape=(200,),
        optimizer=RMSprop,
        optimizer_settings={"lr": 0.002},
        batch_size=64,
        schedule=warmed_cosine,
        loss=bce_with_logits,
        metric=sign_accuracy,
    ),
    epochs=4,
    time_budget=900,
    reported={"train": 0.9314, "test": 0.896},
    targets={"accuracy": Target(at_least=0.87)},
    baselines=(majority_class, tf_idf_regression),
    not_beaten=(tf_idf_regression,),
    errors=(
        "The figure, 89.6 %, is that of the epoch with the best loss on the test part; the network "
        "in memory at the end, ten epochs later, is another one, and the test part has chosen it.",
        "Zeros are said to be put behind short reviews; the function puts them in front, and cuts "
        "long ones in front too.",
        "Code 4 is said to be the fourth most frequent word; codes are ranks plus 3, so it is the "
        "first. Removing the ten most frequent words removes six and the start mark.",
        "One-hot rows are said to have 3,000 numbers; of 5,000 words they have 5,000.",
    ),
    notes=(
        "Four passes with batches of 64 and a rate that falls to 0; the book: 18 passes of 23 "
        "minutes each. Lower-case words and punctuation, the 5,000 most frequent of the part that "
        "trains, in place of Keras' codes.",
        "The regression of weighted word counts beside it takes seconds, reads whole reviews and "
        "knows every word in five reviews.",
        '`tinydl predict RUN --text "..."` reads a review; it needs the data set for its words.',
    ),
    fast={"samples": (1_500, 1_000), "input_shape": (60,), "epochs": 4,
          "architecture": {"embedding_dim": 32, "hidden_size": 16}, "parameters": 166_305,
          "baselines": (majority_class,), "not_beaten": ()},
)  # fmt: skip
