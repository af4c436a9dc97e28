"""The four ways a recurrent net takes in and gives out: an example each, on made-up data."""

from __future__ import annotations

from functools import partial

from ..baselines import (
    bag_of_words,
    last_value,
    majority_class,
    most_frequent_letter,
    most_frequent_tag,
    ridge_regression,
    steps_alone,
)
from ..experiment.card import Recipe, Target
from ..models import Forecaster, SentimentLSTM, Speller, Tagger
from ..nn import bce_with_logits, cross_entropy, mse
from ..optim import Adam
from ..programs.sequences import ABSENT, Sequences, steps_right
from ..programs.supervised import warmed_cosine
from ..train.metrics import Within, sign_accuracy
from .liu2019 import BOOK

CHAPTER = "6, Recurrent Neural Networks"

SPELL_NUMBERS = Recipe(
    name="spell-numbers",
    title="one to many: three digits are read at once, the number's name is written",
    book=BOOK,
    chapter=CHAPTER,
    dataset="spelled_numbers",
    parameters=50_902,
    program=Sequences(
        model=Speller,
        architecture={},
        input_shape=(30,),
        optimizer=Adam,
        optimizer_settings={"lr": 0.01},
        batch_size=50,
        schedule=warmed_cosine,
        metric=steps_right,
    ),
    epochs=40,
    time_budget=120,
    seeds=3,
    targets={"whole": Target(at_least=0.9)},
    baselines=(most_frequent_letter, steps_alone),
    notes=(
        "800 of the numbers 0 to 999 are learnt, the other 200 are asked for. Accuracy counts "
        "letters, blanks behind the end among them; `whole` counts names without a mistake.",
        "The book draws this pattern and has no example of it.",
    ),
    fast={"epochs": 15},
)

OPINIONS = Recipe(
    name="opinions",
    title='many to one: is the sentence praise, where "not" turns only its own word?',
    book=BOOK,
    chapter=CHAPTER,
    dataset="opinions",
    parameters=3_513,
    program=Sequences(
        model=SentimentLSTM,
        architecture={"words": 35, "embedding_dim": 8, "hidden_size": 16, "dropout": 0.0},
        input_shape=(14,),
        optimizer=Adam,
        optimizer_settings={"lr": 0.01},
        batch_size=50,
        schedule=warmed_cosine,
        loss=bce_with_logits,
        metric=sign_accuracy,
    ),
    epochs=16,
    time_budget=60,
    seeds=3,
    targets={"accuracy": Target(at_least=0.99)},
    baselines=(majority_class, bag_of_words),
    fast={"epochs": 4},
    notes=(
        "The network of `imdb-bilstm` in a small size, on made-up sentences whose words alone do "
        "not say what they mean.",
    ),
)

TAG_SENTENCES = Recipe(
    name="tag-sentences",
    title="many to many, in step: names and parts of speech of every word",
    book=BOOK,
    chapter=CHAPTER,
    dataset="tagged_sentences",
    parameters=14_025,
    program=Sequences(
        model=Tagger,
        architecture={"words": 56, "classes": 9},
        input_shape=(15,),
        optimizer=Adam,
        optimizer_settings={"lr": 0.01},
        batch_size=50,
        schedule=warmed_cosine,
        loss=partial(cross_entropy, ignore_index=ABSENT),
        metric=steps_right,
    ),
    epochs=4,
    time_budget=60,
    seeds=3,
    targets={"accuracy": Target(at_least=0.98)},
    baselines=(most_frequent_tag,),
    fast={"epochs": 2},
    notes=(
        "Some sentences of the grammar have two readings, so no tagger is always right.",
        "Accuracy is the mean over sentences of the share of words; `whole` counts sentences "
        "without a mistake. Every word of the test part occurs in the training part.",
    ),
    errors=(
        "The book says that a synced output depends on all outputs before it and the input of its "
        "step: it depends on all inputs before it, through the state.",
    ),
)

FORECAST_WAVES = Recipe(
    name="forecast-waves",
    title="many to many, one after the other: 40 values are read, then 20 are foretold",
    book=BOOK,
    chapter=CHAPTER,
    dataset="uneven_waves",
    parameters=14_737,
    program=Sequences(
        model=Forecaster,
        architecture={},
        input_shape=(40, 1),
        optimizer=Adam,
        optimizer_settings={"lr": 0.01},
        batch_size=50,
        schedule=warmed_cosine,
        loss=mse,
        metric=Within(0.1),
    ),
    epochs=12,
    time_budget=240,
    seeds=3,
    targets={"accuracy": Target(at_least=0.7)},
    baselines=(last_value, ridge_regression),
    notes=(
        "Accuracy is the share of the 20 values within 0.1 of the wave without its noise. Every "
        "wave has a period of its own, so that no fixed sum of the past continues them all: the "
        "ridge regression has 40 weights for each value foretold.",
        "The book draws this pattern and has no example of it.",
    ),
    fast={"epochs": 3},
)
