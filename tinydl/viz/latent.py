"""Latent spaces: what a decoder makes of a code when one number of it changes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import ShapeError
from .figure import colour_of, new_figure, plain_axes, save_figure
from .grid import drawable, tiles

Decode = Callable[[np.ndarray], np.ndarray]


def plot_traversal(
    decode: Decode,
    code: np.ndarray,
    path: str | Path | None = None,
    dims: Sequence[int] | None = None,
    values: Sequence[float] = (-3, -2, -1, 0, 1, 2, 3),
) -> Any:
    """A row per number of the code, in which it takes `values` and the others stay; the figure.

    decode: codes (N, D) float32 -> images (N, H, W), (N, H, W, 1) or (N, H, W, 3); code (D,), where
    the walk starts; dims: the numbers to change (None: all). Raises ShapeError.
    """
    code = np.asarray(code, np.float32)
    if code.ndim != 1 or code.size == 0 or not len(values):
        raise ShapeError(f"plot_traversal: needs a code (D,) and values, got {code.shape}")
    dims = range(code.size) if dims is None else dims
    if not dims or not all(-code.size <= d < code.size for d in dims):
        raise ShapeError(f"plot_traversal: dims {list(dims)} are not in a code of {code.size}")
    codes = np.tile(code, (len(dims), len(values), 1))
    for row, d in enumerate(dims):
        codes[row, :, d] = values
    images, colour = drawable("plot_traversal", decode(codes.reshape(-1, code.size)))
    titles = [f"z{d} = {v:g}" for d in dims for v in values]
    limits = None if colour else (images.min(), images.max())
    figure = tiles(images, len(values), titles, 0.9, None if colour else "gray", limits)
    return save_figure(figure, path, dpi=150)


def plot_plane(
    decode: Decode, path: str | Path | None = None, reach: float = 2.0, steps: int = 15
) -> Any:
    """The images of a two-dimensional latent space, side by side, z0 to the right and z1 up.

    decode: codes (N, 2) float32 -> images as in `plot_traversal`; codes are a grid of steps x steps
    from -reach to reach. Kingma and Welling 2014, figure 4. Returns the figure. Raises ShapeError.
    """
    if steps < 2 or not reach > 0:
        raise ShapeError(f"plot_plane: needs steps >= 2 and reach > 0, got {steps} and {reach}")
    along = np.linspace(-reach, reach, steps, dtype=np.float32)
    z1, z0 = np.meshgrid(along[::-1], along, indexing="ij")  # the first row is the top
    images, colour = drawable("plot_plane", decode(np.stack([z0, z1], -1).reshape(-1, 2)))
    H, W = images.shape[1:3]
    canvas = images.reshape(steps, steps, *images.shape[1:]).swapaxes(1, 2)
    canvas = canvas.reshape(steps * H, steps * W, *images.shape[3:])
    edge = reach * steps / (steps - 1)  # the middles of the outer images lie at +-reach
    figure = new_figure(6.0, 6.0 * H / W)
    axes = figure.add_subplot()
    axes.imshow(canvas, cmap=None if colour else "gray", extent=(-edge, edge, -edge, edge))
    axes.set(xlabel="z0", ylabel="z1", aspect="auto")
    return save_figure(figure, path, dpi=150)


def plot_codes(
    codes: np.ndarray, labels: np.ndarray | None = None, path: str | Path | None = None
) -> Any:
    """Codes (N, 2) as points, coloured by labels (N,) int, with a legend; returns the figure.

    Raises ShapeError. Codes of more numbers: give two of their columns, or a projection.
    """
    codes = np.asarray(codes)
    labels = np.zeros(len(codes), int) if labels is None else np.asarray(labels)
    if codes.ndim != 2 or codes.shape[1] != 2 or labels.shape != codes.shape[:1]:
        raise ShapeError(
            f"plot_codes: needs codes (N, 2) and labels (N,), got {codes.shape} and {labels.shape}"
        )
    figure = new_figure(5.4, 4.6)
    axes = figure.add_subplot()
    classes = np.unique(labels)
    for i, label in enumerate(classes):
        x, y = codes[labels == label].T
        axes.scatter(x, y, 9, colour_of(i), label=str(label), alpha=0.7, linewidths=0)
    plain_axes(axes, xlabel="z0", ylabel="z1")
    if len(classes) > 1:
        figure.legend(
            *axes.get_legend_handles_labels(),
            loc="outside right upper",
            frameon=False,
            markerscale=2,
        )
    return save_figure(figure, path)
