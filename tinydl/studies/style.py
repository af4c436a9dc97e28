"""Style transfer with a network trained here: `tinydl train vgg-cifar --out RUN`, then

    python -m tinydl.studies.style RUN CONTENT STYLE --out PICTURE.png

CONTENT, STYLE: pictures of any size; --side: the longer side of the result. A minute for 128
pixels and 300 steps.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..console import Parser, command
from ..data import fit_image, read_image
from ..errors import ConfigError
from ..models import SmallVGG
from ..models.style.small_vgg import balance
from ..models.style.transfer import StyleFeatures, transfer
from ..programs.parts import load_parts
from ..quoting import shown
from ..runs.run import OpenRun
from ..tables import show
from ..tensor import Tensor

SMOOTHNESS = 0.5  # weight of the variation per pixel, by that of the style


def features_of(run: OpenRun, pictures: np.ndarray) -> StyleFeatures:
    """The features of a run of vgg-cifar, balanced on pictures (N, H, W, 3) in [0, 1]; ConfigError
    for a run of another model."""
    if getattr(run.recipe.program, "model", None) is not SmallVGG:
        raise ConfigError(
            f"style: this is a run of {run.recipe.name}; the features of vgg-cifar are needed"
        )
    model: Any = run.model()
    balance(model.features, pictures.astype(run.config["dtype"]))
    return model.features


def sized(image: np.ndarray, side: int) -> np.ndarray:
    """(1, H, W, 3) float32 in [0, 1]: a uint8 picture whose longer side is `side`."""
    if side < 16:
        raise ConfigError(f"style: --side must be at least 16, got {side}")
    scale = side / max(image.shape[:2])
    height, width = (max(8, round(n * scale)) for n in image.shape[:2])
    return fit_image(image, height, width)[0][None]


def main(arguments: Sequence[str] | None = None) -> None:
    parser = Parser(description="a picture painted like another one")
    parser.add_argument("run", metavar="RUN", help="run folder of vgg-cifar")
    parser.add_argument("content", metavar="CONTENT")
    parser.add_argument("style", metavar="STYLE")
    parser.add_argument(
        "--out", metavar="FILE", default="stylized.png", help="(default %(default)s)"
    )
    parser.add_argument("--side", type=int, default=128, help="(default %(default)s)")
    parser.add_argument("--steps", type=int, default=300, help="(default %(default)s)")
    parser.add_argument("--strength", type=float, default=1.0, help="of the style (default 1)")
    args = parser.parse_args(arguments)
    paint(args)


def paint(args: argparse.Namespace) -> None:
    """Read, optimise, write."""
    from ..viz import save_image

    run = OpenRun(args.run)
    content, style = (sized(read_image(path), args.side) for path in (args.content, args.style))
    out = Path(args.out)
    if out.resolve() in (Path(args.content).resolve(), Path(args.style).resolve()):
        raise ConfigError(f"style: {out} is one of the pictures; choose another --out")
    if out.suffix.lower() != ".png":
        raise ConfigError(f"style: --out is written as PNG, 'name.png', got {out.name}")
    features = features_of(run, load_parts(run.recipe).train[0][:500])
    pixels = content.shape[1] * content.shape[2]
    weights = (1.0, args.strength, SMOOTHNESS * args.strength / pixels)
    made, losses = transfer(features, Tensor(content), Tensor(style), args.steps, 0.03, weights)
    save_image(np.rint(made.numpy()[0] * 255).astype(np.uint8), out)
    show(f"loss {losses[0]:.3f} -> {losses[-1]:.3f}; written: {shown(out)}")


if __name__ == "__main__":
    sys.exit(command(main, "style"))
