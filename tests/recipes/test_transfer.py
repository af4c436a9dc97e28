"""Transfer: what is frozen stays, what is chosen is balanced, and old features help."""

import numpy as np
import pytest
from closeness import assert_close

import tinydl
from tinydl import Generator
from tinydl.data import synthetic_digits
from tinydl.errors import ConfigError
from tinydl.models import LeNet5
from tinydl.studies.transfer import TASKS, Task, chosen, few, learn, transfer


def test_classes_are_chosen_and_relabelled():
    x, y = np.arange(6, dtype=np.uint8).reshape(6, 1, 1), np.array([7, 2, 5, 7, 9, 5])
    images, labels = chosen((x, y), (5, 7))
    assert labels.tolist() == [1, 0, 1, 0] and images.shape == (4, 1, 1, 1)
    assert_close(images.ravel() * 255, [0, 2, 3, 5], 1e-6)


def test_few_are_equally_many_of_each_class():
    y = np.array([0, 1, 2] * 20)
    part = (np.arange(60).reshape(60, 1, 1, 1), y)
    x, labels = few(part, 12, Generator(0))
    assert np.bincount(labels).tolist() == [4, 4, 4]
    assert np.array_equal(y[x.ravel()], labels) and len(set(x.ravel())) == 12
    assert not np.array_equal(few(part, 12, Generator(1))[0], x)
    with pytest.raises(ConfigError, match="3 classes must divide 10"):
        few(part, 10, Generator(0))


def test_frozen_features_stay_and_the_new_head_learns():
    tinydl.seed(0)
    model = LeNet5(16, 1, 3, (2, 3, 4, 5), 1)
    model.freeze()
    model.head = LeNet5(16, 1, 3, (2, 3, 4, 5), 1).head
    before = model.state_dict()
    rng = np.random.default_rng(0)
    learn(model, (rng.normal(size=(9, 16, 16, 1)).astype("f4"), np.arange(9) % 3), 2, 3, 0.01)
    after = model.state_dict()
    moved = {name for name in before if not np.array_equal(before[name], after[name])}
    assert moved == {name for name in before if name.startswith("head")}


def test_only_the_new_head_is_trained_in_between(monkeypatch):
    counts, part = [], (np.zeros((10, 16, 16, 1), np.float32), np.arange(10) % 5)
    monkeypatch.setattr(
        "tinydl.studies.transfer.learn",
        lambda model, *_: counts.append(sum(p.size for _, p in model.trainable_parameters())),
    )
    task = Task("none", LeNet5, {"image_size": 16, "classes": 5, "padding": 1}, "head",
                ("", ()), ("", ()), 1, samples=10)  # fmt: skip
    transfer(task, part, part, part)
    model = LeNet5(16, classes=5, padding=1)
    every, head = model.count_parameters(), model.head.count_parameters()
    assert counts == [every, every, head, every]


def test_features_of_other_digits_help():
    """Even digits as the source, odd ones as the target: 15 images are too few to start with."""
    samples = synthetic_digits(2_000, Generator(0), size=16)
    x, y = samples.x[..., None], samples.y
    task = Task("odd", LeNet5, {"image_size": 16, "classes": 5, "padding": 1}, "head",
                ("", ()), ("", ()), 3, epochs=20, samples=15, batch_size=5)  # fmt: skip
    source = (x[y % 2 == 0], y[y % 2 == 0] // 2)
    target = (x[y % 2 == 1], y[y % 2 == 1] // 2)
    train, test = tuple(a[:500] for a in target), tuple(a[500:] for a in target)
    found = transfer(task, source, train, test)
    assert found.keys() == {"scratch", "frozen", "fine-tuned"}
    assert found["fine-tuned"] > found["scratch"] > 0.3
    assert set(TASKS) == {"fashion-to-mnist", "cifar-halves"}
