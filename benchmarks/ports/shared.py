"""What the ports share: their data as NumPy arrays, and the form in which they are trained.

Every `NAME_tinydl.py` has a `NAME_torch.py` beside it: one architecture, the same sizes, these
arrays. A port is a function `port(made_up)` that returns a `Port`; run as a script it trains for
a while and prints the loss. made_up: small drawn data of the same shapes, for the tests.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from tinydl import Generator, data


class Port(NamedTuple):
    """parameters: how many are trained; batches: an endless iterator over what the library's own
    loader hands out; train(count): so many batches further, the mean loss over them."""

    parameters: int
    batches: Iterator[Any]
    train: Callable[[int], float]


def endless(loader: Any) -> Iterator[Any]:
    """Epoch after epoch."""
    while True:
        yield from loader


def show(port: Callable[[bool], Port], batches: int = 500, every: int = 100) -> None:
    """Train and print the mean loss of every hundred batches."""
    found = port(False)
    print(f"{found.parameters:,} parameters")
    for done in range(every, batches + 1, every):
        print(f"batch {done}: loss {found.train(every):.4f}", flush=True)


# -- the data --------------------------------------------------------------------------------------


def mnist(made_up: bool) -> tuple[np.ndarray, np.ndarray]:
    """Digits (N, 28, 28, 1) float32 in [0, 1], labels (N,)."""
    if made_up:
        drawn = data.synthetic_digits(640, Generator(0), size=28)
        return drawn.x[..., None], drawn.y
    found = data.mnist()
    return (found.x_train / np.float32(255))[..., None], found.y_train


def imdb(made_up: bool, words: int, length: int) -> tuple[np.ndarray, np.ndarray]:
    """The last `length` words of reviews, (N, length) int64 below `words`; 1 for praise (N, 1)."""
    reviews = data.random_reviews(640, Generator(0)) if made_up else data.imdb().train
    texts, y = reviews.texts[:5000], reviews.y[:5000]
    tokenizer = data.WordTokenizer.fit(texts, max_tokens=words)
    x = data.pad_sequences([tokenizer.encode(text) for text in texts], length)
    return x, y.astype(np.float32)[:, None]


def stocks(made_up: bool, length: int) -> tuple[np.ndarray, np.ndarray]:
    """Closing prices of the Dow Jones in windows (N, length, 1), and the price after each, (N, 1):
    what they differ from the window's last one, in percent."""
    if made_up:
        prices = 100 + 10 * np.sin(np.arange(700) / 5)
    else:
        prices = data.stocks("DJI").close
    x, y, _ = data.scaled_windows(prices, length)
    return 100 * (x - 1), 100 * (y - 1)


def cifar(made_up: bool) -> np.ndarray:
    """Pictures (N, 32, 32, 3) float32 in [-1, 1]."""
    if made_up:
        return 2 * data.shapes(640, Generator(0), size=32).x - 1
    return data.cifar10(edition="subset").x_train / np.float32(127.5) - 1


def shapes(made_up: bool) -> tuple[np.ndarray, np.ndarray]:
    """Drawn scenes (N, 64, 64, 3) float32 in [0, 1], the class of every pixel (N, 64, 64)."""
    scenes = data.shapes(64 if made_up else 600, Generator(0), size=64)
    return scenes.x, scenes.semantic
