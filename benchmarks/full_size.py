"""Every classifier at its published size: parameters, multiply-adds, one training step, memory.

python benchmarks/full_size.py [NAME...]: each in a process of its own, a batch of one image,
float32, SGD; writes results/full_size.md. Seconds are wall time on whatever else is running.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from time import perf_counter, process_time

import numpy as np

import tinydl
from tinydl import Tensor, models, no_grad
from tinydl.models.convolutional.resnet import RESNET18, RESNET101, RESNET152
from tinydl.models.convolutional.vgg import VGG19
from tinydl.nn import Module, summary
from tinydl.optim import SGD

MODELS: dict[str, tuple[Callable[[], Module], int]] = {
    "AlexNet": (models.AlexNet, 227),
    "VGG16": (models.VGG, 224),
    "VGG19": (lambda: models.VGG(VGG19), 224),
    "GoogLeNet": (models.GoogLeNet, 224),
    "ResNet-18": (lambda: models.ResNet(RESNET18), 224),
    "ResNet-34": (models.ResNet, 224),
    "plain-34": (models.PlainNet, 224),
    "ResNet-50": (models.BottleneckResNet, 224),
    "ResNet-101": (lambda: models.BottleneckResNet(RESNET101), 224),
    "ResNet-152": (lambda: models.BottleneckResNet(RESNET152), 224),
    "DenseNet-121": (models.DenseNet, 224),
    "MobileNet v1": (models.MobileNetV1, 224),
    "MobileNet v2": (models.MobileNetV2, 224),
}
HEADS = ("model", "parameters", "million multiply-adds", "forward, s", "step, s", "CPU s", "MB")


def measure(name: str) -> list[str]:
    """One row of the table."""
    tinydl.seed(0)
    make, side = MODELS[name]
    model = make()
    table = summary(model, (side, side, 3))
    x = Tensor(np.random.default_rng(0).normal(size=(1, side, side, 3)).astype(np.float32))
    labels = Tensor(np.array([7]))
    start = perf_counter()
    with no_grad():
        model.eval()(x)
    forward = perf_counter() - start
    optimizer = SGD(model.train().parameters(), lr=1e-4)
    start, busy = perf_counter(), process_time()
    loss = models.auxiliary_cross_entropy(model(x), labels)
    loss.backward()
    optimizer.step()
    step, cpu = perf_counter() - start, process_time() - busy
    if not np.isfinite(loss.item()):
        raise SystemExit(f"{name}: the loss is {loss.item()}")
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return [
        name,
        f"{table.parameters:,}",
        f"{table.multiply_adds / 1e6:,.1f}",
        *(f"{t:.2f}" for t in (forward, step, cpu)),
        f"{memory:,.0f}",
    ]


def main(names: list[str]) -> None:
    if names[:1] == ["--one"]:
        print(json.dumps(measure(names[1])))
        return
    rows = []
    for name in names or MODELS:
        command = [sys.executable, __file__, "--one", name]
        child = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
        rows.append(json.loads(child.stdout))
        print("  ".join(rows[-1]), flush=True)
    lines = [
        "# Classifiers at their published size",
        "",
        "Made by `python benchmarks/full_size.py`: one image, float32, one step of SGD after one "
        "forward pass; multiply-adds of a forward pass (GoogLeNet's without its auxiliary "
        "classifiers); MB is the largest resident memory of the process. Wall times are those of a "
        "busy machine: no benchmark.",
        "",
        "| " + " | ".join(HEADS) + " |",
        "|---" * len(HEADS) + "|",
        *("| " + " | ".join(row) + " |" for row in rows),
    ]
    path = Path(__file__).parent / "results" / "full_size.md"
    path.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
