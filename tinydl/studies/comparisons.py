"""Studies that the books talk about and do not run.

    python -m tinydl.studies degradation --out benchmarks/results --figures docs/figures

* degradation: plain and residual networks of growing depth on few small CIFAR images;
* regularisers: a perceptron with dropout, L2, batch normalisation and more layers, each against
  training and test images of Fashion-MNIST;
* separable: what a depthwise-separable convolution costs beside a full one, counted and timed.

Each merges its rows into studies.json and writes studies.md there, and a picture into --figures.
One training seed each: differences of a percent are chance.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from statistics import median
from time import process_time
from typing import Any

import numpy as np

from .. import ops, random
from ..backend.cpu import _runtime
from ..data import Batches, ShiftFlip
from ..errors import ConfigError
from ..experiment.datasets import load_dataset
from ..function import no_grad
from ..models import PlainCifar, ResNetCifar
from ..nn import (
    L2,
    BatchNorm,
    Conv2d,
    Dropout,
    Linear,
    Module,
    ReLU,
    SeparableConv2d,
    Sequential,
    cross_entropy,
)
from ..optim import SGD, Adam, Optimizer
from ..programs.parts import Part
from ..programs.supervised import warmed_cosine
from ..random import Generator
from ..tensor import Tensor
from ..train import LearningRateSchedule, evaluate, fit
from ..train.metrics import accuracy


@dataclass(frozen=True, slots=True)
class Course:
    """One training. rows: {"epoch", "train_loss", "train_accuracy", "test_loss", "test_accuracy"},
    with dropout off and without penalties."""

    group: str
    label: str
    parameters: int
    rows: list[dict[str, float]]
    cpu_seconds: float


@dataclass(frozen=True, slots=True)
class Cost:
    """A separable convolution of one picture over a full one, `channels` in and out: the ratios of
    multiply-adds, of times, and of times with gradients; the seconds of the full one."""

    kernel: int
    side: int
    channels: int
    counted: float
    forward: float
    training: float
    seconds: float
    training_seconds: float


class Look:
    """A callback: how the model does on both parts after every `every` epochs, and the last."""

    def __init__(self, train: Part, test: Part, every: int = 1) -> None:
        self.parts, self.every = {"train": train, "test": test}, every
        self.rows: list[dict[str, float]] = []

    def on_epoch_end(self, state: Any) -> None:
        if state.epoch % self.every and state.epoch != state.epochs:
            return
        metrics = {"loss": ops.cross_entropy_per_row, "accuracy": accuracy}
        row: dict[str, float] = {"epoch": state.epoch}
        for part, samples in self.parts.items():
            found = evaluate(state.model, Batches(samples, 256, shuffle=False), None, metrics)
            row |= {f"{part}_{name}": value for name, value in found.items()}
        self.rows.append(row)


def run(
    group: str,
    label: str,
    model: Module,
    optimizer: Optimizer,
    batches: Batches,
    look: Look,
    epochs: int,
) -> Course:
    """One training with a warm start and a cosine to 0, watched by `look`."""
    schedule = warmed_cosine(optimizer.lr, epochs * len(batches))
    callbacks = (LearningRateSchedule(schedule, "batch"), look)
    start = process_time()
    fit(model, batches, cross_entropy, optimizer, epochs, callbacks=callbacks, progress=False)
    busy = round(process_time() - start, 1)
    return Course(group, label, model.count_parameters(), look.rows, busy)


# -- degradation -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Size:
    """How large a study of trainings is; `tiny` tries it out."""

    train: int
    test: int
    epochs: int
    batch_size: int
    widths: tuple[int, ...]
    tiny: bool = False


DEGRADATION = Size(5_000, 5_000, 40, 64, (8, 16, 32))
DEPTHS = (8, 20, 32, 56)
KINDS: dict[str, type[ResNetCifar]] = {"plain": PlainCifar, "residual": ResNetCifar}


def half_images(x: np.ndarray) -> np.ndarray:
    """uint8 (N, 2 H, 2 W, C) -> float32 (N, H, W, C) in 0 ... 1: means of 2x2 pixels."""
    N, H, W, C = x.shape
    small = x.reshape(N, H // 2, 2, W // 2, 2, C).mean(axis=(2, 4), dtype=np.float32)
    return small / np.float32(255)


def degradation(size: Size, train: Part, test: Part) -> Iterator[Course]:
    """Does a deeper network fit the training images better? He et al. 2015, figures 1 and 6."""
    for depth in (8, 14) if size.tiny else DEPTHS:
        for kind, network in KINDS.items():
            random.seed(0)
            model = network(depth, widths=size.widths)
            optimizer = SGD(model.named_parameters(), lr=0.05, momentum=0.9, weight_decay=1e-4)
            batches = Batches(train, size.batch_size, rng=Generator(0), transform=ShiftFlip(2))
            look = Look(train, test, every=2)
            yield run(kind, f"depth {depth}", model, optimizer, batches, look, size.epochs)


# -- regularisers ----------------------------------------------------------------------------------

REGULARISERS = Size(3_000, 10_000, 40, 64, (256,))
SETTINGS: dict[str, dict[str, dict[str, Any]]] = {
    "dropout": {"0": {}, "0.3": {"dropout": 0.3}, "0.6": {"dropout": 0.6}},
    "L2": {"0": {}, "0.001": {"l2": 0.001}, "0.01": {"l2": 0.01}},
    "batch normalisation": {
        "without": {},
        "with": {"norm": True},
        "with, dropout 0.6": {"norm": True, "dropout": 0.6},
    },
    "hidden layers": {"2": {}, "1": {"depth": 1}, "8": {"depth": 8}},
}


def perceptron(
    width: int = 256, depth: int = 2, dropout: float = 0.0, l2: float = 0.0, norm: bool = False
) -> Module:
    """784 numbers, `depth` hidden layers of `width` (linear, norm, ReLU, dropout), ten scores."""
    layers: list[Module] = []
    for k in range(depth):
        penalty = L2(l2) if l2 else None
        layers.append(
            Linear(784 if k == 0 else width, width, weight_init="he_normal", weight_penalty=penalty)
        )
        layers += [BatchNorm(width, momentum=0.9)] if norm else []
        layers += [ReLU(), Dropout(dropout)] if dropout else [ReLU()]
    return Sequential(*layers, Linear(width, 10))


def regularisers(size: Size, train: Part, test: Part) -> Iterator[Course]:
    """What keeps training and test apart, and what brings them together?"""
    first = None  # the network without any of them is trained once and shown in every row
    for group, settings in SETTINGS.items():
        for label, arguments in settings.items():
            if arguments or first is None:
                random.seed(0)
                model = perceptron(size.widths[0], **arguments)
                optimizer = Adam(model.named_parameters(), lr=0.001)
                batches, look = Batches(train, size.batch_size, rng=Generator(0)), Look(train, test)
                course = run(group, label, model, optimizer, batches, look, size.epochs)
                first = first or course
                yield course
            else:
                yield replace(first, group=group, label=label)


# -- separable convolutions ------------------------------------------------------------------------

PLACES = {(3, 56): (16, 32, 64, 128), (3, 28): (32, 64, 128, 256), (3, 14): (64, 128, 256, 512),
          (5, 28): (16, 32, 64, 128)}  # fmt: skip
TINY_PLACES = {(3, 8): (4, 8), (5, 6): (4,)}


def separable(tiny: bool = False, rounds: int = 25) -> Iterator[Cost]:
    """1/F + 1/k^2 of the multiply-adds: and of the time? One thread, medians in turns."""
    threads = _runtime.threads()
    _runtime.set_threads(1)
    try:
        for (kernel, side), widths in (TINY_PLACES if tiny else PLACES).items():
            for channels in widths:
                yield cost(kernel, side, channels, 1 if tiny else rounds)
    finally:
        _runtime.set_threads(threads)


def cost(kernel: int, side: int, channels: int, rounds: int) -> Cost:
    """One row, by processor time."""
    rng = np.random.default_rng(0)
    shape = (1, side, side, channels)
    x = Tensor(rng.normal(size=shape).astype(np.float32), requires_grad=True)
    grad = Tensor(rng.normal(size=shape).astype(np.float32))
    layers = {
        "full": Conv2d(channels, channels, kernel, padding="same", bias=False),
        "separable": SeparableConv2d(channels, channels, kernel, padding="same", bias=False),
    }
    calls: dict[str, Callable[[], object]] = {}
    for name, layer in layers.items():
        calls[name] = partial(forward, layer, x)
        calls[f"{name}, training"] = partial(forward_backward, layer, x, grad)
    seconds = in_turns(calls, rounds)
    counted = [layer.multiply_adds(shape) for layer in layers.values()]
    return Cost(
        kernel,
        side,
        channels,
        counted[1] / counted[0],
        seconds["separable"] / seconds["full"],
        seconds["separable, training"] / seconds["full, training"],
        seconds["full"],
        seconds["full, training"],
    )


def forward(layer: Module, x: Tensor) -> None:
    with no_grad():
        layer(x)


def forward_backward(layer: Module, x: Tensor, grad: Tensor) -> None:
    layer(x).backward(grad)


def in_turns(calls: dict[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Median seconds of processor time of each call; one warm call before each that counts."""
    times: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(rounds):
        for name, call in calls.items():
            call()
            start = process_time()
            call()
            times[name].append(process_time() - start)
    return {name: median(values) for name, values in times.items()}


# -- the command -----------------------------------------------------------------------------------


def few(part: Part, count: int, prepare: Callable[[np.ndarray], np.ndarray]) -> Part:
    """The first `count` samples; ConfigError if there are fewer."""
    x, y = part
    if len(y) < count:
        raise ConfigError(f"studies: needs {count} samples, there are {len(y)}")
    return prepare(x[:count]), y[:count]


def flat(x: np.ndarray) -> np.ndarray:
    return x.reshape(len(x), -1).astype(np.float32) / np.float32(255)


def courses(name: str, tiny: bool = False) -> Iterator[Course]:
    """The trainings of "degradation" or "regularisers", on their data."""
    size, data, prepare, study = {
        "degradation": (DEGRADATION, "cifar10_subset", half_images, degradation),
        "regularisers": (REGULARISERS, "fashion_mnist", flat, regularisers),
    }[name]
    if tiny:
        size = replace(size, train=200, test=100, epochs=2, widths=(4, 4, 4), tiny=True)
    loaded: Any = load_dataset(data)
    train = few((loaded.x_train, loaded.y_train), size.train, prepare)
    test = few((loaded.x_test, loaded.y_test), size.test, prepare)
    return study(size, train, test)
