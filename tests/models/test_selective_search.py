"""Selective search: segmentation and grouping against slow loops, and that shapes are found."""

import numpy as np
import pytest
from closeness import assert_close

from tinydl import Generator
from tinydl.data import shapes
from tinydl.errors import ConfigError, ShapeError
from tinydl.metrics import box_iou
from tinydl.models.detection.selective_search import (
    Region,
    adjacent,
    group,
    pixel_edges,
    regions_of,
    segment,
    selective_search,
    similarity,
    smoothed,
)


def blotches(seed, height=9, width=11):
    """A picture of two flat halves, a spot and noise."""
    rng = np.random.default_rng(seed)
    image = np.full((height, width, 3), 0.2)
    image[:, width // 2 :] = 0.6
    image[2:5, 2:6] = rng.uniform(size=3)
    return image + 0.03 * rng.normal(size=image.shape)


def neighbours(y, x, labels):
    for v, u in ((y, x + 1), (y + 1, x), (y + 1, x + 1), (y + 1, x - 1)):
        if 0 <= v < labels.shape[0] and 0 <= u < labels.shape[1]:
            yield v, u


def steps(image, labels):
    """Every pair of neighbouring pixels: (distance, pixel, pixel)."""
    pixels = np.ndindex(labels.shape)
    return [
        (np.linalg.norm(image[p] - image[q]), p, q) for p in pixels for q in neighbours(*p, labels)
    ]


def largest_needed(members, edges):
    """The largest edge of a minimum spanning tree of `members`, grown pixel by pixel."""
    inside, worst = {members[0]}, 0.0
    while len(inside) < len(members):
        leaving = [(w, *({p, q} - inside)) for w, p, q in edges if len({p, q} & inside) == 1]
        w, new = min(leaving)
        inside.add(new)
        worst = max(worst, w)
    return worst


def test_edges_are_the_distances_of_eight_neighbours():
    image = blotches(0, 4, 5)
    weights, a, b = pixel_edges(image)
    found = sorted((w, divmod(i, 5), divmod(j, 5)) for w, i, j in zip(weights, a, b, strict=True))
    wanted = sorted(steps(image, np.zeros((4, 5))))
    assert [f[1:] for f in found] == [w[1:] for w in wanted]
    assert_close([f[0] for f in found], [w[0] for w in wanted], 1e-12)


@pytest.mark.parametrize("seed", range(4))
def test_a_segmentation_is_neither_too_fine_nor_scattered(seed):
    """Between two regions every step is larger than what one of them would allow (theorem 1 of the
    paper), and each region hangs together."""
    image, scale = blotches(seed), 0.3
    labels = segment(image, scale, sigma=0, smallest=1)
    edges = steps(image, labels)
    limit = {}
    for k in range(labels.max() + 1):
        members = [tuple(map(int, p)) for p in np.argwhere(labels == k)]
        own = [e for e in edges if labels[e[1]] == labels[e[2]] == k]
        limit[k] = largest_needed(members, own) + scale / len(members)
    between = {}
    for w, p, q in edges:
        pair = frozenset((labels[p], labels[q]))
        if len(pair) == 2:
            between[pair] = min(w, between.get(pair, np.inf))
    assert between and all(w > min(limit[k] for k in pair) for pair, w in between.items())


def test_a_larger_scale_and_a_larger_least_size_leave_fewer_regions():
    image = blotches(5, 20, 24)
    counts = [segment(image, scale, 0, 1).max() + 1 for scale in (0.02, 0.1, 0.5)]
    assert counts[0] > counts[1] > counts[2] > 1
    labels = segment(image, 0.02, 0, 12)
    assert np.bincount(labels.ravel()).min() >= 12 and labels.max() + 1 < counts[0]
    assert segment(np.ones((3, 3, 3)), 0.1, 0, 1).max() == 0
    flat = labels.ravel()
    first = [int(np.flatnonzero(flat == k)[0]) for k in range(flat.max() + 1)]
    assert first == sorted(first)


def test_smoothing_is_the_gaussian_mean():
    image = blotches(1, 5, 6)
    reach = np.arange(-4, 5)
    weights = np.exp(-(reach[:, None] ** 2 + reach**2) / 2)
    weights /= weights.sum()
    wanted = np.zeros_like(image)
    for y, x in np.ndindex(5, 6):
        for i, j in np.ndindex(9, 9):
            v, u = min(max(y + i - 4, 0), 4), min(max(x + j - 4, 0), 5)
            wanted[y, x] += weights[i, j] * image[v, u]
    assert_close(smoothed(image, 1.0), wanted, 1e-12)


@pytest.mark.parametrize("seed", range(3))
def test_neighbours_of_regions(seed):
    labels = np.random.default_rng(seed).integers(0, 6, (7, 8))
    wanted = set()
    for y, x in np.ndindex(7, 8):
        for v, u in ((y + 1, x), (y, x + 1)):
            if v < 7 and u < 8 and labels[y, x] != labels[v, u]:
                wanted.add((min(labels[y, x], labels[v, u]), max(labels[y, x], labels[v, u])))
    assert adjacent(labels) == wanted and wanted


def test_similarity_by_hand():
    a = Region(4, (0, 0, 2, 2), np.array([0.5, 0.5, 0]), np.array([1.0, 0]))
    b = Region(6, (3, 0, 5, 3), np.array([0, 0.25, 0.75]), np.array([0.5, 0.5]))
    # colour 0.25, texture 0.5, size 1 - 10 / 100, fill 1 - (15 - 10) / 100
    assert similarity(a, b, 100) == pytest.approx(0.25 + 0.5 + 0.9 + 0.95)
    both = a + b
    assert both.size == 10 and both.box == (0, 0, 5, 3)
    assert_close(both.colour, [0.2, 0.35, 0.45], 1e-7)


def test_histograms_of_joined_regions_are_those_of_their_pixels():
    image = blotches(2, 12, 12).clip(0, 1)
    labels = segment(image, 0.1, 0, 10)
    separate = regions_of(image, labels)
    joined = regions_of(image, np.minimum(labels, 1))
    rest = separate[1]
    for region in separate[2:]:
        rest = rest + region
    assert rest.size == joined[1].size and rest.box == joined[1].box
    assert_close(rest.colour, joined[1].colour, 1e-7, atol=1e-12)
    assert_close(rest.texture, joined[1].texture, 1e-7, atol=1e-12)
    assert rest.colour.sum() == pytest.approx(1) and rest.texture.sum() == pytest.approx(1)
    ramp = np.broadcast_to(0.06 * np.arange(16)[:, None], (8, 16, 3))  # brighter to the right
    texture = regions_of(ramp, np.zeros((8, 16), np.int64))[0].texture.reshape(8, 3, 10)
    # 0.06 a pixel is in the second bin (0.05 ... 0.1), but for the six columns near the edges.
    assert texture[0, :, 1].sum() >= 10 / 16 / 8 and texture[4, :, 0].sum() == pytest.approx(1 / 8)
    down = regions_of(ramp.transpose(1, 0, 2), np.zeros((16, 8), np.int64))[0].texture
    assert_close(down.reshape(8, 3, 10)[2], texture[0], 1e-7, atol=1e-12)


def test_grouping_joins_the_most_similar_neighbours():
    """The same hierarchy by sets of pixels, all pairs compared again after every step."""
    image = blotches(3, 14, 16).clip(0, 1)
    labels = segment(image, 0.05, 0, 6)
    members = [{k} for k in range(labels.max() + 1)]
    regions, wanted = regions_of(image, labels), []
    touching = adjacent(labels)
    while len(members) > 1:
        pairs = [
            (similarity(regions[i], regions[j], labels.size), i, j)
            for i in range(len(members))
            for j in range(i)
            if any((min(p, q), max(p, q)) in touching for p in members[i] for q in members[j])
        ]
        _, i, j = max(pairs)
        members.append(members[i] | members[j])
        regions.append(regions[i] + regions[j])
        wanted.append(frozenset(members[-1]))
        members = [m for k, m in enumerate(members) if k not in (i, j)]
        regions = [r for k, r in enumerate(regions) if k not in (i, j)]
    found = group(image, labels)
    assert len(found) == 2 * (labels.max() + 1) - 1 and len(wanted) > 4
    sizes = np.bincount(labels.ravel())
    assert [r.size for r in found[labels.max() + 1 :]] == [
        sum(int(sizes[k]) for k in joined) for joined in wanted
    ]
    assert found[-1].box == (0, 0, 16, 14)


def test_every_shape_is_covered():
    scenes = shapes(8, Generator(3), size=48)
    counts = []
    for image, boxes in zip(scenes.x, scenes.boxes, strict=True):
        found = selective_search(image)
        counts.append(len(found))
        assert box_iou(boxes.astype(np.float64), found).max(axis=1).min() > 0.5
        assert len(np.unique(found, axis=0)) == len(found)
        assert (found[:, 2:] - found[:, :2]).min() >= 4 and found.min() >= 0 and found.max() <= 48
    assert max(counts) < 100


def test_the_surest_boxes_are_kept_and_bad_input_is_refused():
    image = shapes(1, Generator(0), size=32).x[0]
    every = selective_search(image)
    np.testing.assert_array_equal(selective_search(image, limit=3), every[:3])
    np.testing.assert_array_equal(every[0], [0, 0, 32, 32])
    with pytest.raises(ShapeError, match=r"segment: image must be \(H, W, 3\) .* \(32, 32\)"):
        selective_search(image[:, :, 0])
    with pytest.raises(ConfigError, match="needs scale > 0"):
        selective_search(image, scales=(0.0,))
    with pytest.raises(ConfigError, match="limit must be >= 1, got 0"):
        selective_search(image, limit=0)
