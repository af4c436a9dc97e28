"""Recommenders of films: the book's machine, the paper's that it is after, and its exercise."""

from __future__ import annotations

from ..baselines import biases, mean_of_the_film, mean_stars
from ..experiment.card import Recipe, Target, Variant
from ..models.autoencoders.ratings import RatingsAutoencoder
from ..models.energy.ratings_rbm import MaskedRBM, RatingsRBM
from ..optim import SGD, Adam
from ..programs.recommending import Recommending
from .liu2019 import BOOK

CHAPTER = "3, Restricted Boltzmann Machines and Autoencoders"
BOOKS = Recommending(
    model=MaskedRBM,
    architecture={"visible": 1682, "hidden": 80},
    optimizer=SGD,
    optimizer_settings={"lr": 0.1},
    batch_size=64,
    steps=5,
)

RBM_FILMS = Recipe(
    name="rbm-films",
    title="a restricted Boltzmann machine with softmax visibles recommends films",
    book=BOOK,
    chapter=CHAPTER,
    dataset="movielens_u1",
    parameters=849_510,
    program=Recommending(
        model=RatingsRBM,
        architecture={"items": 1682, "ratings": 5, "hidden": 100},
        optimizer=SGD,
        optimizer_settings={"lr": 0.1, "momentum": 0.9},
        batch_size=100,
        steps=1,
        decay=0.002,
    ),
    epochs=38,
    time_budget=120,
    seeds=3,
    targets={"rmse": Target(at_most=1.0, share=False), "mae": Target(at_most=0.8, share=False)},
    errors=(
        'Films "not rated yet" are recommended, but only those with five stars are left out; '
        "`num_train` is never defined.",
        "The hidden ratings of the test are drawn with replacement: fewer than 20 % are hidden.",
    ),
    notes=(
        "Ratings are one of five, or absent, as in Salakhutdinov, Mnih and Hinton 2007. MovieLens "
        "100K by its official split u1, so that figures can be compared; the book has 1M, which "
        "may not be passed on (variant `1m` takes your own copy), and a split of its own, on which "
        "it reports a squared error of 0.037987 for stars divided by 5: 0.975 stars. Its gradient "
        "averages over films, so that is little more than the films' means.",
        "Epochs, rate and decay were chosen on a tenth of the training half.",
    ),
    baselines=(mean_stars, mean_of_the_film, biases),
    not_beaten=(biases,),
    fast={"epochs": 15},
    variants=(
        Variant(
            "book",
            {"program": BOOKS, "epochs": 100},
            parameters=136_322,
            notes=(
                "The book's machine: ratings divided by 5 as probabilities, 80 hidden units, five "
                "steps, its first rate, 100 epochs; with the gradient repaired.",
            ),
        ),
        Variant(
            "1m",
            {"dataset": "movielens_1m", "architecture": {"items": 3706}},
            parameters=1_871_630,
            notes=("MovieLens 1M, a tenth of the ratings drawn for the test.",),
        ),
    ),
)

AUTOENCODER_FILMS = Recipe(
    name="autoencoder-films",
    title="an autoencoder recommends films: the book's exercise",
    book=BOOK,
    chapter=CHAPTER,
    dataset="movielens_u1",
    parameters=189_643,
    program=Recommending(
        model=RatingsAutoencoder,
        architecture={"users": 943, "hidden": 100},
        optimizer=Adam,
        optimizer_settings={"lr": 0.001},
        batch_size=32,
        decay=0.0005,
    ),
    epochs=20,
    time_budget=60,
    seeds=3,
    targets={"rmse": Target(at_most=0.98, share=False)},
    notes=(
        "The book sets the exercise and reports nothing. Rows are films (AutoRec, Sedhain et al. "
        "2015): 20 epochs were chosen on a tenth of the training half.",
    ),
    baselines=(mean_stars, mean_of_the_film, biases),
)
