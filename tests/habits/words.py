"""The names that the table's right column uses, made anew for every row, and how a row is run."""

import math
from functools import partial

import numpy as np

import tinydl as td
from tinydl import data, metrics, models, nn, optim, train


def words(folder):
    """x, labels, model, ...: what `here` of a row may name."""
    rng = td.Generator(0)
    td.seed(0)
    model = nn.Sequential(nn.Linear(10, 5), nn.ReLU(), nn.Linear(5, 2))
    array = rng.uniform((4, 3))
    xs, ys = rng.uniform((10, 10)), rng.uniform((10, 2))
    x = td.tensor(rng.uniform((4, 10)) + np.float32(0.1))
    probabilities = td.softmax(x, 1)
    optimizer = optim.Adam(model.parameters())
    history = train.fit(model, data.Batches((xs, ys), 5, rng=rng), nn.mse, optimizer, 1,
                        progress=False)  # fmt: skip
    path = folder / "file.safetensors"
    train.save_weights(model, path)
    return {
        "td": td, "nn": nn, "optim": optim, "train": train, "data": data, "np": np, "math": math,
        "metrics": metrics, "models": models, "partial": partial,
        "rng": rng, "array": array, "xs": xs, "ys": ys, "series": np.arange(10.0), "path": path,
        "pictures": rng.integers(0, 255, (10, 32, 32, 3)).astype(np.uint8),
        "x": x, "leaf": td.tensor(array, requires_grad=True), "indices": td.tensor([0, 2]),
        "logits": x, "labels": td.tensor([1, 2, 3, 4]), "probabilities": probabilities,
        "targets": (x > 0.5).astype("float32"), "signs": (x > 0.5).astype("float32") * 2 - 1,
        "prediction": x, "target": x * 2, "mean": x, "log_variance": x, "mask": x[:, :4] > 0.5,
        "images": td.normal((2, 8, 8, 3)), "pixels": td.normal((2, 4, 4, 4)),
        "kernel": td.normal((3, 3, 3, 8)), "sequences": td.normal((2, 6, 3)),
        "weight": nn.Linear(10, 5).weight, "bias": nn.Linear(10, 5).bias,
        "model": model, "optimizer": optimizer, "schedule": optim.Exponential(0.1, factor=0.9),
        "batches": data.Batches((xs, ys), 5, rng=rng), "validation": (xs, ys), "history": history,
    }  # fmt: skip


def run(code, names):
    """The value of an expression, None of a statement; what it raises."""
    try:
        compiled = compile(code, "habit", "eval")
    except SyntaxError:
        return exec(compile(code, "habit", "exec"), names)
    return eval(compiled, names)
