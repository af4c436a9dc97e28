"""Selective search: regions that may be things, from colour and texture alone, without learning."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ...errors import ConfigError, ShapeError

COLOURS, TEXTURES, DIRECTIONS = 25, 10, 8  # bins of a histogram, and directions of derivatives
STEEPEST = 0.5  # derivatives per pixel above this fall into the last bin

Pair = tuple[int, int]


# -- a segmentation by pixels ----------------------------------------------------------------------


def smoothed(picture: np.ndarray, sigma: float) -> np.ndarray:
    """picture (H, W, C) convolved with a Gaussian of `sigma` pixels (0: none), edges repeated."""
    if not sigma:
        return picture
    reach = int(np.ceil(4 * sigma))
    weights = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    weights /= weights.sum()
    for axis in (0, 1):
        size = picture.shape[axis]
        margin = [(reach, reach) if k == axis else (0, 0) for k in range(3)]
        padded = np.pad(picture, margin, mode="edge")
        shifted = (np.take(padded, range(k, k + size), axis) for k in range(2 * reach + 1))
        picture = sum(w * part for w, part in zip(weights, shifted, strict=True))
    return picture


def pixel_edges(picture: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(weights, from, to) of all pairs of neighbours, eight to a pixel: distances of colours."""
    height, width, _ = picture.shape
    number = np.arange(height * width).reshape(height, width)
    everything, but_last, but_first = slice(None), slice(0, -1), slice(1, None)
    pairs = [
        ((everything, but_last), (everything, but_first)),  # right
        ((but_last, everything), (but_first, everything)),  # below
        ((but_last, but_last), (but_first, but_first)),  # below right
        ((but_last, but_first), (but_first, but_last)),  # below left
    ]
    far = [np.sqrt(((picture[a] - picture[b]) ** 2).sum(axis=2)).ravel() for a, b in pairs]
    ends = [np.concatenate([number[p[k]].ravel() for p in pairs]) for k in (0, 1)]
    return np.concatenate(far), ends[0], ends[1]


class Forest:
    """Disjoint sets of pixels: `root` names the set, which knows its size and largest step."""

    def __init__(self, count: int) -> None:
        self.parent, self.size, self.inside = list(range(count)), [1] * count, [0.0] * count

    def root(self, i: int) -> int:
        while self.parent[i] != i:
            self.parent[i] = self.parent[self.parent[i]]
            i = self.parent[i]
        return i

    def join(self, a: int, b: int, step: float) -> None:
        """Two roots, joined by a step that is no smaller than those within."""
        if self.size[a] < self.size[b]:
            a, b = b, a
        self.parent[b] = a
        self.size[a] += self.size[b]
        self.inside[a] = step


def segment(
    image: np.ndarray, scale: float = 0.4, sigma: float = 0.8, smallest: int = 20
) -> np.ndarray:
    """Regions of even colour: image (H, W, 3) -> int64 (H, W), numbered from 0 in reading order.

    Edges between neighbours are taken by growing distance w of colours; one joins the regions A, B
    at its ends if

        w <= min(Int(A) + scale / |A|, Int(B) + scale / |B|),

    Int(A) the largest step that was needed within A, |A| its pixels. Then regions of fewer than
    `smallest` pixels join a neighbour, along the same edges. A larger scale means larger regions;
    it is in units of the image (the paper's 100 to 300 are for 0 ... 255: 0.4 to 1.2 for 0 ... 1).
    sigma: of the Gaussian before. Felzenszwalb and Huttenlocher 2004 (Efficient graph-based image
    segmentation, IJCV 59). Raises ShapeError, ConfigError.
    """
    if image.ndim != 3 or image.shape[2] != 3 or not image.size:
        raise ShapeError(f"segment: image must be (H, W, 3) with pixels, got {image.shape}")
    if not scale > 0 or not sigma >= 0 or smallest < 1:
        raise ConfigError(
            f"segment: needs scale > 0, sigma >= 0, smallest >= 1, got {scale}, {sigma}, {smallest}"
        )
    height, width, _ = image.shape
    weights, first, second = pixel_edges(smoothed(image.astype(np.float64), sigma))
    order = np.argsort(weights, kind="stable")
    edges = list(
        zip(weights[order].tolist(), first[order].tolist(), second[order].tolist(), strict=True)
    )
    sets = Forest(height * width)
    for step, i, j in edges:
        a, b = sets.root(i), sets.root(j)
        limits = [sets.inside[r] + scale / sets.size[r] for r in (a, b)]
        if a != b and step <= min(limits):
            sets.join(a, b, step)
    for step, i, j in edges:
        a, b = sets.root(i), sets.root(j)
        if a != b and min(sets.size[a], sets.size[b]) < smallest:
            sets.join(a, b, step)
    roots = np.array([sets.root(i) for i in range(height * width)])
    _, start, number = np.unique(roots, return_index=True, return_inverse=True)
    return np.argsort(np.argsort(start))[number].reshape(height, width)


# -- grouping of regions ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class Region:
    """Pixels, box (x_min, y_min, x_max, y_max), and histograms that each sum to 1."""

    size: int
    box: tuple[int, int, int, int]
    colour: np.ndarray
    texture: np.ndarray

    def __add__(self, other: Region) -> Region:
        """Both together: histograms are means weighted by size, no pixel is looked at again."""
        a, b, size = self.size, other.size, self.size + other.size
        (x1, y1, x2, y2), (u1, v1, u2, v2) = self.box, other.box
        box = min(x1, u1), min(y1, v1), max(x2, u2), max(y2, v2)
        colour = (a * self.colour + b * other.colour) / size
        texture = (a * self.texture + b * other.texture) / size
        return Region(size, box, colour, texture)


def similarity(a: Region, b: Region, pixels: int) -> float:
    """How much two regions belong together, 0 ... 4: colour + texture + size + fill.

    Colour and texture: the common part of the histograms. Size: 1 - (|a| + |b|) / pixels, so that
    small ones join first. Fill: 1 - (|box of both| - |a| - |b|) / pixels, so that holes close.
    pixels: of the picture. Uijlings et al. 2013 (IJCV 104), equations 2, 4, 5, 6.
    """
    both = a + b
    x1, y1, x2, y2 = both.box
    alike = np.minimum(a.colour, b.colour).sum() + np.minimum(a.texture, b.texture).sum()
    hole = (x2 - x1) * (y2 - y1) - both.size
    return float(alike) + (1 - both.size / pixels) + (1 - hole / pixels)


def regions_of(image: np.ndarray, labels: np.ndarray) -> list[Region]:
    """The region of each label: histograms of colours (25 bins a channel), and of what the Gaussian
    derivatives (sigma 1) in eight directions are where they are positive (10 bins each)."""
    image = image.astype(np.float64)
    dy, dx = np.gradient(smoothed(image, 1.0), axis=(0, 1)) if min(labels.shape) > 1 else (0, 0)
    angles = 2 * np.pi * np.arange(DIRECTIONS) / DIRECTIONS
    steep = [np.broadcast_to(np.cos(t) * dx + np.sin(t) * dy, image.shape) for t in angles]
    colours = _bins(image, COLOURS, 1.0)
    textures = _bins(np.concatenate(steep, axis=2), TEXTURES, STEEPEST)
    found = []
    for k in range(int(labels.max()) + 1):
        y, x = np.nonzero(labels == k)
        box = (int(x.min()), int(y.min()), int(x.max()) + 1, int(y.max()) + 1)
        histograms = (_histogram(bins[y, x], n) for bins, n in
                      ((colours, COLOURS), (textures, TEXTURES)))  # fmt: skip
        found.append(Region(len(x), box, *histograms))
    return found


def _bins(values: np.ndarray, count: int, largest: float) -> np.ndarray:
    """Which of `count` equal parts of 0 ... largest each value is in, the nearest if in none."""
    return np.clip(values * (count / largest), 0, count - 1).astype(np.int64)


def _histogram(bins: np.ndarray, count: int) -> np.ndarray:
    """(C * count,): of each channel of bins (P, C), one after the other, summing to 1 together."""
    P, C = bins.shape
    return np.bincount((bins + count * np.arange(C)).ravel(), minlength=C * count) / (P * C)


def adjacent(labels: np.ndarray) -> set[Pair]:
    """Pairs (a, b), a < b, of labels that meet at a side of a pixel."""
    sides = ((labels[:, :-1], labels[:, 1:]), (labels[:-1], labels[1:]))
    ends = np.concatenate([np.stack([a.ravel(), b.ravel()], axis=1) for a, b in sides])
    ends = np.sort(ends[ends[:, 0] != ends[:, 1]], axis=1)
    return {(int(a), int(b)) for a, b in np.unique(ends, axis=0)}


def group(image: np.ndarray, labels: np.ndarray) -> list[Region]:
    """The regions of `labels` and all that arise as the two most similar neighbours are joined,
    again and again, until one is left: 2 R - 1 of R. Of equal pairs the first met is joined."""
    regions = regions_of(image, labels)
    pixels = labels.size
    alike = {
        (a, b): similarity(regions[a], regions[b], pixels) for a, b in sorted(adjacent(labels))
    }
    while alike:
        a, b = max(alike, key=alike.__getitem__)
        new = len(regions)
        regions.append(regions[a] + regions[b])
        touching = [pair for pair in alike if a in pair or b in pair]
        for pair in touching:
            del alike[pair]
        near = {other for pair in touching for other in pair} - {a, b}
        for other in sorted(near):
            alike[other, new] = similarity(regions[other], regions[new], pixels)
    return regions


def selective_search(
    image: np.ndarray,
    scales: Sequence[float] = (0.2, 0.6),
    sigma: float = 0.8,
    smallest: int = 20,
    limit: int = 2000,
    shortest: int = 4,
) -> np.ndarray:
    """Boxes (P, 4), corners in pixels, float64, in which a thing may be: every region of `group`.

    image (H, W, 3) in 0 ... 1. scales, sigma, smallest: of `segment`, one run for each scale.
    Every box comes once, the regions that were joined last first, those with a side below
    `shortest` never, at most `limit`. The paper also runs several colour spaces and sums of
    similarities, and shuffles the order: with small pictures nothing is cut off. Uijlings et al.
    2013 (Selective search for object recognition, IJCV 104). Raises ShapeError, ConfigError.
    """
    if limit < 1:
        raise ConfigError(f"selective_search: limit must be >= 1, got {limit}")
    runs = [group(image, segment(image, scale, sigma, smallest))[::-1] for scale in scales]
    ranked = sorted(
        (rank, run, region.box) for run, regions in enumerate(runs) for rank, region in
        enumerate(regions)
    )  # fmt: skip
    boxes = dict.fromkeys(box for _, _, box in ranked)
    kept = [b for b in boxes if min(b[2] - b[0], b[3] - b[1]) >= shortest]
    return np.array(kept[:limit], np.float64).reshape(-1, 4)
