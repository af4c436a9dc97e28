"""The data sets that recipes name: one row each in `DATASETS`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from difflib import get_close_matches
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from .. import data, environments
from ..data.synthetic.roads import SHARPEST
from ..data.two_kinds import stretched
from ..errors import ConfigError
from ..random import Generator
from .sounds import (
    SPEAKERS,
    pen_pieces,
    spoken_digits,
    spoken_digits_without,
    spoken_pieces,
    spoken_waves,
)
from .words import film_words

SAMPLES, SEED = 2_000, 0
SHAPES = ((1_500, 1), (300, 2))  # pictures and seed of the training and the test part
ROADS, FACES, PATCHES = 3_000, 4_000, (4_000, 1_000)


def steering_roads() -> data.Regression:
    """Made-up roads, with the curvature as -1 to 1."""
    made = data.roads(ROADS, Generator(SEED))
    return replace(made, y=made.y / SHARPEST)


def shapes_with_classes() -> data.Dataset:
    """Made-up pictures of squares, disks and triangles; y: the class of every pixel, 0 is none."""
    train, test = (data.shapes(n, Generator(seed)) for n, seed in SHAPES)
    classes = ("background", *train.classes)
    return data.Dataset("shapes", train.x, train.semantic, test.x, test.semantic, classes)


def shapes_with_boxes() -> data.Dataset:
    """The same pictures; y: rows of boxes."""
    train, test = (data.shapes(n, Generator(seed)) for n, seed in SHAPES)
    rows = [data.pad_rows(scenes.boxes, scenes.labels) for scenes in (train, test)]
    return data.Dataset("shapes_boxes", train.x, rows[0], test.x, rows[1], train.classes)


def shapes_with_masks() -> data.Dataset:
    """The same pictures; y: planes of masks."""
    train, test = (data.shapes(n, Generator(seed)) for n, seed in SHAPES)
    planes = [data.pad_planes(scenes.masks, scenes.labels) for scenes in (train, test)]
    return data.Dataset("shapes_masks", train.x, planes[0], test.x, planes[1], train.classes)


def bccd_half_size() -> data.Dataset:
    """Blood cells at 240x320; y: rows of boxes. Trained on train, then val; the last 87 are val."""
    cells = data.bccd()
    train, val, test = (data.half_size_rows(cells.part(p)) for p in ("train", "val", "test"))
    most = max(rows.shape[1] for _, rows in (train, val))
    rows = [
        np.pad(r, ((0, 0), (0, most - r.shape[1]), (0, 0)), constant_values=-1)
        for _, r in (train, val)
    ]
    x_train = np.concatenate([train[0], val[0]])
    return data.Dataset("bccd", x_train, np.concatenate(rows), *test, cells.classes)


def factors() -> data.Dataset:
    """Every made-up picture of one shape; y: its factors. What is tested is what was trained on."""
    made = data.factor_pictures()
    return data.Dataset("factors", made.x, made.factors, made.x, made.factors, made.names)


def edges_to_fashion() -> data.TwoKinds:
    """10,000 outlines of clothes, and the clothes; the test part whole."""
    whole = data.fashion_mnist()
    x = [part.astype(np.float32) / 255 for part in (whole.x_train[:10_000], whole.x_test)]
    y = [whole.y_train[:10_000], whole.y_test]
    sides = []
    for name, change in (("edges", data.sobel_edges), ("fashion", np.copy)):
        train, test = (change(part.reshape(len(part), 28, 28))[..., None] for part in x)
        sides.append(data.Dataset(name, train, y[0], test, y[1], whole.classes))
    return data.TwoKinds(sides[0], sides[1], paired=True)


def mnist_to_semeion() -> data.TwoKinds:
    """10,000 digits of MNIST, cut to their ink and stretched to 32x32, and 1,275 of Semeion, every
    bit four pixels; tested on 2,000 of MNIST and the other 318 of Semeion. The 2,000 uncut too."""
    whole, bits = data.mnist(), data.semeion().split(0.2, Generator(SEED))
    parts = (whole.x_train[:10_000], whole.x_test[:2_000])
    x = [data.cropped_to_ink(p.reshape(-1, 28, 28) / 255, 32)[..., None] for p in parts]
    y = [
        np.repeat(np.repeat(p, 2, axis=1), 2, axis=2).astype(np.float32)[..., None]
        for p in (bits.x_train, bits.x_test)
    ]
    mnist = data.Dataset(
        "mnist", x[0], whole.y_train[:10_000], x[1], whole.y_test[:2_000], whole.classes
    )
    semeion = data.Dataset("semeion", y[0], bits.y_train, y[1], bits.y_test, bits.classes)
    uncut = np.stack([stretched(p, 32) for p in parts[1].reshape(-1, 28, 28) / 255])
    return data.TwoKinds(mnist, semeion, whole=uncut[..., None])


def letters() -> data.Samples:
    """The 1,000 Greek and Latin letters of Omniglot at 28x28, 0 to 255: pictures like MNIST's of
    what no digit is. Both small sets hold these same drawings. y: the alphabet."""
    drawn = data.omniglot("small1")
    names = ("Greek", "Latin")
    kept = np.isin(drawn.alphabet, [drawn.alphabets.index(name) for name in names])
    x = np.stack([stretched(255.0 * picture, 28) for picture in drawn.x[kept]])
    y = (drawn.alphabet[kept] == drawn.alphabets.index("Latin")).astype(np.int64)
    return data.Samples("letters", x, y, names)


class Halves(NamedTuple):
    """Ratings to learn from and ratings to be guessed, users and films numbered alike."""

    train: data.Ratings
    test: data.Ratings


def movielens_u1() -> Halves:
    """MovieLens 100K by its first official split: 80,000 ratings and 20,000."""
    return Halves(data.movielens_100k("u1.base"), data.movielens_100k("u1.test"))


def movielens_1m_halves() -> Halves:
    """MovieLens 1M, a tenth of the ratings at random for the test."""
    ratings = data.movielens_1m()
    kept, held = data.random_split(len(ratings), 0.1, Generator(SEED))
    return Halves(ratings.take(kept), ratings.take(held))


def drawn_ratings() -> Halves:
    """Made-up users and films with three hidden factors, a fifth of the ratings for the test."""
    ratings = data.random_ratings(120, 80, Generator(SEED), density=0.3)
    kept, held = data.random_split(len(ratings), 0.2, Generator(SEED))
    return Halves(ratings.take(kept), ratings.take(held))


def sentences_with_tags() -> data.Dataset:
    """4,000 made-up sentences with their parts of speech, and 1,000 others."""
    made = data.tagged_sentences(5_000, Generator(SEED))
    return _first_and_last("tagged_sentences", made, 1_000)


def sentences_of_opinion() -> data.Dataset:
    """2,000 made-up sentences about films, and 1,000 others; y (N, 1): 1 is positive."""
    made = data.opinions(3_000, Generator(SEED))
    y = made.y[:, None].astype(np.float32)
    return _first_and_last("opinions", made._replace(y=y), 1_000)


def numbers_spelled() -> data.Dataset:
    """800 of the numbers 0 to 999 with their names, and the other 200, drawn by chance."""
    made = data.spelled_numbers()
    order = Generator(SEED).permutation(len(made.x))
    return _first_and_last("numbers", made._replace(x=made.x[order], y=made.y[order]), 200)


def waves() -> data.Dataset:
    """3,000 made-up waves so far and how they go on, and 1,000 others."""
    x, y = data.uneven_waves(4_000, Generator(SEED))
    return _first_and_last("waves", data.Sentences(x, y, (), ()), 1_000)


def drawn_reviews() -> tuple[data.Reviews, data.Reviews]:
    """300 made-up reviews, and 100 others."""
    rng = Generator(SEED)
    return data.random_reviews(300, rng), data.random_reviews(100, rng)


def _first_and_last(name: str, made: data.Sentences, held: int) -> data.Dataset:
    x, y, _, classes = made
    return data.Dataset(name, x[:-held], y[:-held], x[-held:], y[-held:], classes)


def held_car() -> Any:
    """The car in the valley, its place and speed in -1 ... 1, its pedal held for ten steps."""
    return environments.Held(environments.Scaled(environments.MountainCar()), 10)


def digits_for_widths() -> data.Dataset:
    """400 of the small digits to learn from and 400 others to judge by, in 0 ... 1."""
    whole = data.digits().split(0.5, Generator(SEED))
    return data.Dataset(
        "digits", whole.x_train[:400] / np.float32(16), whole.y_train[:400],
        whole.x_test[:400] / np.float32(16), whole.y_test[:400], whole.classes,
    )  # fmt: skip


#: What was found out about widths by this process.
_WIDTHS: dict[tuple[int, ...], float] = {}


def width_search() -> Any:
    """Three hidden layers for the small digits."""
    return environments.WidthSearch(load_dataset("digits_for_widths"), known=_WIDTHS)


CANVAS, TRANSLATED = 60, (12_000, 2_000)


def translated_mnist() -> data.Dataset:
    """The first 12,000 and 2,000 digits of MNIST, each somewhere on 60x60 pixels of 0."""
    whole, rng = data.mnist(), Generator(SEED)
    parts = []
    for x, count in zip((whole.x_train, whole.x_test), TRANSLATED, strict=True):
        canvas = np.zeros((count, CANVAS, CANVAS, 1), np.uint8)
        corners = rng.integers(0, CANVAS - 27, (count, 2)).tolist()
        for picture, digit, (i, j) in zip(canvas, x[:count], corners, strict=True):
            picture[i : i + 28, j : j + 28, 0] = digit.reshape(28, 28)
        parts.append(canvas)
    y = [labels[:n] for labels, n in zip((whole.y_train, whole.y_test), TRANSLATED, strict=True)]
    return data.Dataset("translated_mnist", parts[0], y[0], parts[1], y[1], whole.classes)


class ByClass(NamedTuple):
    """Pictures (classes, M, H, W, C) in 0..1, M of each class; the test's classes are others."""

    train: np.ndarray
    test: np.ndarray


OMNIGLOT_SIDE, HELD_PEOPLE = 28, 10


def _area_means(x: np.ndarray, side: int) -> np.ndarray:
    """Square pictures (N, S, S) at another size, each pixel the mean of the area that it covers."""
    edges = np.linspace(0, x.shape[1], side + 1)
    pixel = np.arange(x.shape[1])
    covered = np.minimum(edges[1:, None], pixel + 1) - np.maximum(edges[:-1, None], pixel)
    share = np.clip(covered, 0, None) * side / x.shape[1]
    return share @ x @ share.T


def omniglot_by_character() -> ByClass:
    """Twenty drawings of each character at 28x28: to learn from the 136 of `small1`, each also
    turned by 90, 180 and 270 degrees as a class of its own; 106 of the alphabets that only `small2`
    has for the test."""
    known, other = (data.omniglot(part) for part in ("small1", "small2"))
    fresh = [
        k for k, c in enumerate(other.characters) if c.split("/")[0] not in known.alphabets
    ]  # Greek and Latin are in both
    parts = []
    for part, kept in ((known, range(len(known.characters))), (other, fresh)):
        small = _area_means(part.x.astype(np.float32), OMNIGLOT_SIDE)
        parts.append(np.stack([small[part.y == k] for k in kept])[..., None].astype(np.float32))
    turned = [np.rot90(parts[0], k, axes=(2, 3)) for k in range(4)]
    return ByClass(np.concatenate(turned), parts[1])


def orl_by_person() -> ByClass:
    """Ten pictures (112, 92, 1) of each person: 30 to learn from, the last 10 for the test."""
    faces = data.orl_faces()
    x = (faces.x.astype(np.float32) / 255).reshape(40, 10, 112, 92, 1)
    return ByClass(x[:-HELD_PEOPLE], x[-HELD_PEOPLE:])


def orl_as_the_book_has_it() -> ByClass:
    """All 40 people in both parts, rows of 92 pixels read as rows of 112: every face is sheared."""
    parts = orl_by_person()
    x = np.concatenate(parts).reshape(40, 10, 92, 112, 1)
    return ByClass(x, x)


def drawn_by_class() -> ByClass:
    """Thirty seven-segment digits of each: 0 to 5 to learn from, 6 to 9 for the test."""
    made = data.synthetic_digits(SAMPLES, Generator(SEED))
    parts = [
        np.stack([made.x[made.y == k][:30] for k in some]) for some in (range(6), range(6, 10))
    ]
    return ByClass(*(part[..., None].astype(np.float32) for part in parts))


def dates_held_out() -> data.PairParts:
    """9,000 made-up dates, no day twice: 1,000 of the days are asked for."""
    return data.held_out_targets(data.dates(9_000, Generator(SEED)), 1_000, Generator(SEED))


LONGEST, HELD_OUT = 9, 1_000  # tokens of a sentence; English sentences


def tatoeba_short() -> data.PairParts:
    """Swedish to English, sentences of at most 9 words and marks, in small letters; 1,000 English
    sentences are held out with all their sources."""
    words = [[data.split_words(text) for text in side] for side in _sides(data.tatoeba())]
    kept = [k for k in range(len(words[0])) if all(len(s[k]) <= LONGEST for s in words)]
    sources, targets = (tuple(" ".join(side[k]) for k in kept) for side in words)
    pairs = data.Pairs("tatoeba_swe", sources, targets)
    return data.held_out_targets(pairs, HELD_OUT, Generator(SEED))


def dialogue_learnt() -> data.PairParts:
    """Every question and answer of the dialogues once, and every question with all its answers:
    what is asked for is what is learnt."""
    sides = _sides(data.dialogue())
    spaced = [tuple(" ".join(data.split_words(text)) for text in side) for side in sides]
    both = list(dict.fromkeys(zip(*spaced, strict=True)))
    answers: dict[str, list[str]] = {}
    for source, target in both:
        answers.setdefault(source, []).append(target)
    sources, targets = zip(*both, strict=True)
    asked, right = tuple(answers), tuple(map(tuple, answers.values()))
    return data.PairParts("dialogue", sources, targets, asked, right)


def captioned_shapes() -> data.CaptionParts:
    """3,000 made-up pictures with captions, and 600 of other pairs of things."""
    train, test = (
        data.captioned_scenes(n, Generator(n), held) for n, held in ((3_000, False), (600, True))
    )
    right = tuple((caption,) for caption in test.captions)
    return data.CaptionParts(
        "captions", train.x, train.captions, test.x, right, test.boxes, data.KINDS
    )


def told_stories() -> data.Dataset:
    """8,000 made-up stories with a question, and 1,000 others."""
    made = data.stories(9_000, Generator(SEED))
    x, y = made.x, made.y
    return data.Dataset("stories", x[:-1_000], y[:-1_000], x[-1_000:], y[-1_000:], made.classes)


def clips_of_digits() -> data.Dataset:
    """2,000 made-up clips of moving digits, and 500 others."""
    made = data.moving_digits(2_500, Generator(SEED))
    x, y = made.x, made.y
    return data.Dataset("clips", x[:-500], y[:-500], x[-500:], y[-500:], made.classes)


def _sides(pairs: data.Pairs) -> tuple[tuple[str, ...], tuple[str, ...]]:
    return pairs.sources, pairs.targets


#: By name, a function that gives a `data.Dataset` with a test part of its own, `data.Samples` or
#: `data.Regression` to be split, or whatever the program of the recipe expects.
DATASETS: dict[str, Callable[[], Any]] = {
    "synthetic_digits": lambda: data.synthetic_digits(SAMPLES, Generator(SEED)),
    "digits": data.digits,
    "optdigits": data.optdigits,
    "mnist": data.mnist,
    "fashion_mnist": data.fashion_mnist,
    "letters": letters,
    "iris": data.iris,
    "xor_points": data.xor_points,
    "roads": steering_roads,
    "drawn_faces": lambda: data.drawn_faces(FACES, Generator(SEED)),
    "face_patches": lambda: data.face_patches(data.orl_faces(), *PATCHES, Generator(SEED)),
    "cifar10_subset": lambda: data.cifar10("subset"),
    "shapes": shapes_with_classes,
    "shapes_boxes": shapes_with_boxes,
    "shapes_masks": shapes_with_masks,
    "bccd_half": bccd_half_size,
    "semeion": data.semeion,
    "edges_to_fashion": edges_to_fashion,
    "mnist_to_semeion": mnist_to_semeion,
    "factors": factors,
    "creditcard_subset": lambda: data.creditcard("subset"),
    "drawn_payments": lambda: data.random_payments(SAMPLES, Generator(SEED), fraud=0.05),
    "movielens_u1": movielens_u1,
    "movielens_1m": movielens_1m_halves,
    "drawn_ratings": drawn_ratings,
    "pen_pieces": pen_pieces,
    "spoken_waves": spoken_waves,
    "film_words": film_words,
    "logic_trees": lambda: data.logic_tree,
    "spoken_pieces": spoken_pieces,
    "spoken_digits": spoken_digits,
    **{f"spoken_digits_without_{name}": spoken_digits_without(name) for name in SPEAKERS},
    "omniglot_by_character": omniglot_by_character,
    "translated_mnist": translated_mnist,
    "orl_by_person": orl_by_person,
    "orl_as_the_book_has_it": orl_as_the_book_has_it,
    "drawn_by_class": drawn_by_class,
    "gaussian_pair_0.5": lambda: data.CorrelatedGaussians(1, 0.5),
    "gaussian_pair_0.9": lambda: data.CorrelatedGaussians(1, 0.9),
    "gaussian_vectors_0.2": lambda: data.CorrelatedGaussians(20, 0.2),
    "gaussian_vectors_0.5": lambda: data.CorrelatedGaussians(20, 0.5),
    "gaussian_vectors_0.9": lambda: data.CorrelatedGaussians(20, 0.9),
    "sinusoids": lambda: data.sinusoids,
    "ring": lambda: data.ring_modes(8),
    "dates": dates_held_out,
    "tatoeba_swe": tatoeba_short,
    "dialogue": dialogue_learnt,
    "captions": captioned_shapes,
    "stories": told_stories,
    "moving_digits": clips_of_digits,
    "chain_world": lambda: data.chain_world(5, slip=0.0),
    "slippery_chain_world": lambda: data.chain_world(5, slip=0.2),
    "tagged_sentences": sentences_with_tags,
    "opinions": sentences_of_opinion,
    "spelled_numbers": numbers_spelled,
    "uneven_waves": waves,
    "djia_2001_2017": lambda: data.stocks("DJI").between("2001-01-01", "2017-12-31").close,
    "drawn_prices": lambda: 100 + Generator(SEED).normal(400).cumsum(),
    "imdb": data.imdb,
    "drawn_reviews": drawn_reviews,
    "tiny_shakespeare": data.tiny_shakespeare,
    "war_and_peace": data.war_and_peace,
    "war_and_peace_lower": lambda: data.war_and_peace().lower(),
    "drawn_text": lambda: data.random_text(SAMPLES, Generator(SEED)),
    "grid_walk": environments.GridWorld,
    "cart_pole": environments.CartPole,
    "catch": environments.Catch,
    "digits_for_widths": digits_for_widths,
    "width_search": width_search,
    "tic_tac_toe": environments.TicTacToe,
    "mountain_car": held_car,
    "cliff_world": lambda: data.grid_world("......\n......\nS----+", slip=0.0),
    "slippery_grid_world": lambda: data.grid_world(slip=0.2),
}


def maker(name: str) -> Callable[[], Any]:
    """The row of that name itself, for what is made more than once: an environment."""
    if name not in DATASETS:
        close = get_close_matches(name, DATASETS, n=3, cutoff=0.4)
        hint = f"did you mean {', '.join(close)}?" if close else f"there are {len(DATASETS)}"
        raise ConfigError(f"recipes: unknown data set {name!r}; {hint}")
    return DATASETS[name]


@cache
def load_dataset(name: str) -> Any:
    """The data set of that name as stored; kept for the next training of this process."""
    return maker(name)()
