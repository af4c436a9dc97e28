"""Transfer learning: what a network has seen elsewhere is worth when there are few images.

`python -m tinydl.studies.transfer fashion-to-mnist --seeds 3` prints test accuracies of a network
trained on 200 images from random weights (scratch), with the features of another task kept and a
new head (frozen), and with these features trained on at a tenth of the rate (fine-tuned). What was
measured is in benchmarks/results/transfer.md: features of photographs help other photographs;
features of clothes do not help digits, which LeNet-5 learns as well from 200 images of its own.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from .. import random
from ..console import Parser, command
from ..data import Batches, Dataset
from ..errors import ConfigError
from ..experiment.datasets import load_dataset
from ..models import LeNet5, ResNetCifar
from ..nn import Module, cross_entropy
from ..optim import Adam
from ..random import Generator
from ..tables import show
from ..train import evaluate, fit

Part = tuple[np.ndarray, np.ndarray]  # x (N, H, W, C) float32 in 0..1, y (N,) int64


@dataclass(frozen=True, slots=True)
class Task:
    """One pair of tasks. model(**architecture): a network with its classifier in `head`.

    source, target: data set and the classes that are kept, relabelled from 0. samples: training
    images of the target, equally many of each class.
    """

    name: str
    model: Callable[..., Module]
    architecture: dict[str, Any]
    head: str
    source: tuple[str, tuple[int, ...]]
    target: tuple[str, tuple[int, ...]]
    source_epochs: int
    epochs: int = 40
    samples: int = 200
    batch_size: int = 20
    lr: float = 0.002


TEN = tuple(range(10))
TASKS = {
    "fashion-to-mnist": Task(
        "fashion-to-mnist", LeNet5, {}, "head", ("fashion_mnist", TEN), ("mnist", TEN), 2
    ),
    "cifar-halves": Task(
        "cifar-halves",
        ResNetCifar,
        {"depth": 8, "classes": 5},
        "linear",
        ("cifar10_subset", TEN[:5]),
        ("cifar10_subset", TEN[5:]),
        6,
    ),
}


def chosen(part: Part, classes: tuple[int, ...]) -> Part:
    """The samples of these classes, labelled 0, 1, ... in their order; pixels as fractions."""
    x, y = part
    kept = np.isin(y, classes)
    places = np.full(max(int(y.max()), *classes) + 1, -1)
    places[list(classes)] = np.arange(len(classes))
    x = x[kept].astype(np.float32) / 255
    return (x[..., None] if x.ndim == 3 else x), places[y[kept]]


def few(part: Part, samples: int, rng: Generator) -> Part:
    """`samples` of the part at random, equally many of each class."""
    x, y = part
    each, rest = divmod(samples, int(y.max()) + 1)
    if rest or each < 1:
        raise ConfigError(f"transfer: {int(y.max()) + 1} classes must divide {samples} samples")
    order = rng.permutation(len(y))
    kept = np.concatenate([order[y[order] == c][:each] for c in range(int(y.max()) + 1)])
    return x[kept], y[kept]


def learn(model: Module, part: Part, epochs: int, batch_size: int, lr: float) -> None:
    """Adam on what is not frozen."""
    data = Batches(part, batch_size, rng=random.default_generator().spawn())
    optimizer = Adam(model.trainable_parameters(), lr=lr)
    fit(model, data, cross_entropy, optimizer, epochs, progress=False)


def accuracy(model: Module, part: Part) -> float:
    return evaluate(model, Batches(part, 256, shuffle=False), metrics=["accuracy"])["accuracy"]


def transfer(task: Task, source: Part, train: Part, test: Part, seed: int = 0) -> dict[str, float]:
    """Test accuracies {"scratch", "frozen", "fine-tuned"} of one seed, same images for all."""
    random.seed(seed)
    images = few(train, task.samples, Generator(seed))
    scratch = task.model(**task.architecture)
    learn(scratch, images, task.epochs, task.batch_size, task.lr)

    model = task.model(**task.architecture)
    learn(model, source, task.source_epochs, 128, task.lr)
    model.freeze()
    setattr(model, task.head, getattr(task.model(**task.architecture), task.head))
    learn(model, images, task.epochs, task.batch_size, task.lr)
    frozen = accuracy(model, test)
    model.unfreeze()
    learn(model, images, task.epochs // 2, task.batch_size, task.lr / 10)
    found = {"scratch": accuracy(scratch, test), "frozen": frozen}
    return {**found, "fine-tuned": accuracy(model, test)}


def load(task: Task) -> tuple[Part, Part, Part]:
    """(source training, target training, target test)."""
    parts = []
    for name, classes in (task.source, task.target):
        loaded = load_dataset(name)
        if not isinstance(loaded, Dataset):
            raise ConfigError(f"transfer: {name} has no test part of its own")
        parts.append(chosen((loaded.x_train, loaded.y_train), classes))
        test = chosen((loaded.x_test, loaded.y_test), classes)
    return parts[0], parts[1], test


def main(arguments: list[str] | None = None) -> None:
    parser = Parser(description="what a network has seen elsewhere is worth")
    parser.add_argument("task", choices=TASKS)
    parser.add_argument("--seeds", type=int, default=3)
    args = parser.parse_args(arguments)
    task = TASKS[args.task]
    parts = load(task)
    rows = []
    for seed in range(args.seeds):
        rows.append(transfer(task, *parts, seed))
        show(f"seed {seed}: {told(rows[-1])}")
    show(f"mean: {told({k: float(np.mean([row[k] for row in rows])) for k in rows[0]})}")


def told(row: Mapping[str, float]) -> str:
    """Names with their numbers."""
    return ", ".join(f"{name} {value:.4f}" for name, value in row.items())


if __name__ == "__main__":
    sys.exit(command(main, "transfer"))
