"""Vectors of words."""

from __future__ import annotations

from ..baselines import same_letters, same_texts
from ..experiment.card import Recipe, Target, Variant
from ..models import CBOW, GloVe, SkipGram
from ..programs.wording import Wording
from .gulli2017 import BOOK as GULLI

SKIPGRAM_FILMS = Recipe(
    name="skipgram-films",
    title="vectors of words from film reviews, by skip-gram with negative sampling",
    book=GULLI,
    chapter="5, Word Embeddings (named only)",
    dataset="film_words",
    parameters=1_280_000,
    program=Wording(model=SkipGram, architecture={"vocabulary": 10_000, "dimension": 64}),
    epochs=16,
    time_budget=300,
    seeds=3,
    targets={"related": Target(at_least=0.4)},
    baselines=(same_letters, same_texts),
    notes=(
        "The 25,000 training reviews of IMDb, their 10,000 most frequent words; pairs of "
        "relatives (good and great, actor and actress ...), as far as both are among them, are "
        "asked both ways.",
    ),
    variants=(
        Variant("cbow", {"model": CBOW}),
        Variant("glove", {"model": GloVe, "lr": 0.02}, parameters=1_300_000),
    ),
    fast={"updates": 150, "epochs": 2, "lr": 0.01},
)
