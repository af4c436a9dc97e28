"""Every network at its published size: parameters, multiply-adds, one training step, memory.

python benchmarks/full_size.py [NAME...]: each in a process of its own, a batch of one picture,
float32, SGD; writes results/full_size.md (with names: replaces their rows). Seconds are wall time
on whatever else is running.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

import numpy as np

import tinydl
from tinydl import Tensor, models, no_grad
from tinydl.console import command
from tinydl.models.convolutional.resnet import RESNET18, RESNET101, RESNET152
from tinydl.models.convolutional.vgg import VGG19
from tinydl.models.detection.faster_rcnn import faster_rcnn_loss
from tinydl.models.detection.mask_rcnn import mask_rcnn_loss
from tinydl.models.detection.ssd import multibox_loss
from tinydl.models.detection.yolo import yolo_loss
from tinydl.models.segmentation.pixels import pixel_cross_entropy
from tinydl.nn import Module, summary
from tinydl.optim import SGD

RESULT = Path(__file__).parent / "results" / "full_size.md"
HEADS = (
    "model", "picture", "parameters", "million multiply-adds", "forward, s", "step, s", "CPU s",
    "MB",
)  # fmt: skip
INTRODUCTION = """# Networks at their published size

Made by `python benchmarks/full_size.py`: one picture, float32, one step of SGD after one forward
pass. Multiply-adds are those of a forward pass: GoogLeNet's without its auxiliary classifiers,
those of Faster and Mask R-CNN without what their heads do for every region, which is named behind
them. A forward pass of these two is `detect`, with up to 300 regions, a step is their whole loss
with 64. Mask R-CNN has the paper's heads on four strided convolution stages in place of a feature
pyramid. MB is the largest resident memory of the process: the weights as they are drawn, the
gradients, and what the backward pass needs. Wall times are those of a busy machine: no benchmark.
"""


def boxes_of(height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    """Two things on a picture: corners (2, 4) and classes (2,)."""
    fractions = np.array([[0.1, 0.2, 0.5, 0.8], [0.4, 0.1, 0.9, 0.6]])
    return fractions * (width, height, width, height), np.array([0, 3])


def classifier_loss(model: Any, x: Tensor) -> Tensor:
    return models.auxiliary_cross_entropy(model(x), Tensor(np.array([7])))


def multibox(model: Any, x: Tensor) -> Tensor:
    return multibox_loss(model(x), Tensor(model.targets(*boxes_of(*model.image))[None]))


def yolo(model: Any, x: Tensor) -> Tensor:
    return yolo_loss(model(x), Tensor(model.targets(*boxes_of(*model.image))[None]))


def two_stage(model: Any, x: Tensor) -> Tensor:
    return faster_rcnn_loss(model(x), model.targets(*boxes_of(*model.image))[None])


def with_masks(model: Any, x: Tensor) -> Tensor:
    rows = model.targets(*boxes_of(*model.image))[None]
    masks = np.zeros((1, rows.shape[1], *model.image), bool)
    for k, (x1, y1, x2, y2) in enumerate(rows[0, :2, :4].astype(int)):
        masks[0, k, y1:y2, x1:x2] = True
    return mask_rcnn_loss(model(x), rows, masks)


def pixels(model: Any, x: Tensor) -> Tensor:
    return pixel_cross_entropy(model(x), Tensor(np.ones(x.shape[:3], np.int64)))


def mask_rcnn() -> Module:
    return models.MaskRCNN(
        (512, 512), 80, (64, 128, 256, 256), (2, 2, 2, 2), (64, 128, 256), (0.5, 1.0, 2.0), 7,
        1024, 300, mask_bins=14, mask_hidden=256, mask_depth=4,
    )  # fmt: skip


@dataclass(frozen=True)
class Network:
    """make(): the network; picture: (H, W, C); loss(model, x): of one picture."""

    make: Callable[[], Module]
    picture: tuple[int, int, int] = (224, 224, 3)
    loss: Callable[[Any, Tensor], Tensor] = classifier_loss


NETWORKS: dict[str, Network] = {
    "AlexNet": Network(models.AlexNet, (227, 227, 3)),
    "VGG16": Network(models.VGG),
    "VGG19": Network(lambda: models.VGG(VGG19)),
    "GoogLeNet": Network(models.GoogLeNet),
    "ResNet-18": Network(lambda: models.ResNet(RESNET18)),
    "ResNet-34": Network(models.ResNet),
    "plain-34": Network(models.PlainNet),
    "ResNet-50": Network(models.BottleneckResNet),
    "ResNet-101": Network(lambda: models.BottleneckResNet(RESNET101)),
    "ResNet-152": Network(lambda: models.BottleneckResNet(RESNET152)),
    "DenseNet-121": Network(models.DenseNet),
    "MobileNet v1": Network(models.MobileNetV1),
    "MobileNet v2": Network(models.MobileNetV2),
    "SSD300": Network(models.SSD300, (300, 300, 3), multibox),
    "SSDLite": Network(models.SSDLite, (300, 300, 3), multibox),
    "YOLO v1": Network(models.YOLO, (448, 448, 3), yolo),
    "Faster R-CNN": Network(models.FasterRCNN, (600, 800, 3), two_stage),
    "Mask R-CNN": Network(mask_rcnn, (512, 512, 3), with_masks),
    "FCN-32s": Network(models.FCN32s, (512, 512, 3), pixels),
    "FCN-8s": Network(models.FCN8s, (512, 512, 3), pixels),
    "PSPNet": Network(models.PSPNet, (472, 472, 3), pixels),
    "U-Net": Network(models.UNet, (512, 512, 1), pixels),
}


def per_region(model: Any) -> int:
    """Multiply-adds of the heads of a two-stage detector for one region."""
    head = model.head
    widths = (head.bins, head.bins, model.channels)
    hidden = head.score.weight.shape[0]
    count = summary(head.layers, widths).multiply_adds
    count += sum(summary(m, (hidden,)).multiply_adds for m in (head.score, head.offset))
    if isinstance(model, models.MaskRCNN):
        bins = model.mask.bins
        count += summary(model.mask.layers, (bins, bins, model.channels)).multiply_adds
    return count


def measure(name: str) -> list[str]:
    """One row of the table."""
    tinydl.seed(0)
    network = NETWORKS[name]
    model: Any = network.make()
    table = summary(model, network.picture)
    multiply_adds = f"{table.multiply_adds / 1e6:,.1f}"
    x = np.random.default_rng(0).normal(size=(1, *network.picture)).astype(np.float32)
    two_stages = isinstance(model, models.FasterRCNN)
    start = perf_counter()
    with no_grad():
        if two_stages:
            model.detect(x)
        else:
            model.eval()(Tensor(x))
    forward = perf_counter() - start
    if two_stages:
        multiply_adds += f" + {per_region(model) / 1e6:,.1f} per region"
    optimizer = SGD(model.train().parameters(), lr=1e-4)
    start, busy = perf_counter(), process_time()
    loss = network.loss(model, Tensor(x))
    loss.backward()
    optimizer.step()
    step, cpu = perf_counter() - start, process_time() - busy
    if not np.isfinite(loss.item()):
        raise SystemExit(f"{name}: the loss is {loss.item()}")
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return [
        name,
        "x".join(map(str, network.picture)),
        f"{table.parameters:,}",
        multiply_adds,
        *(f"{t:.2f}" for t in (forward, step, cpu)),
        f"{memory:,.0f}",
    ]


def kept_rows() -> dict[str, list[str]]:
    """The rows of the table as it is."""
    lines = RESULT.read_text().splitlines() if RESULT.exists() else []
    cells = [[c.strip() for c in line.strip("|").split("|")] for line in lines if line[:1] == "|"]
    return {row[0]: row for row in cells if row[0] in NETWORKS and len(row) == len(HEADS)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", metavar="NAME", nargs="*", help="networks (default: all)")
    parser.add_argument("--one", metavar="NAME", help=argparse.SUPPRESS)  # in a process of its own
    args = parser.parse_args()
    if args.one:
        print(json.dumps(measure(args.one)))
        return
    names = args.names
    if unknown := [name for name in names if name not in NETWORKS]:
        parser.error(f"no network {unknown[0]!r}; there are {', '.join(NETWORKS)}")
    from tinydl.runs.report import markdown_table  # not in the measured processes

    rows = kept_rows() if names else {}
    for name in names or NETWORKS:
        call = [sys.executable, __file__, "--one", name]
        child = subprocess.run(call, stdout=subprocess.PIPE, text=True, check=True)
        rows[name] = json.loads(child.stdout)
        print("  ".join(rows[name]), flush=True)
    lines = [
        INTRODUCTION,
        *markdown_table(HEADS, [rows[name] for name in NETWORKS if name in rows]),
    ]
    RESULT.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    sys.exit(command(main, "full_size"))
