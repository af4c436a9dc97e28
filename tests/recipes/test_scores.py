"""Recipes that are judged by mean IoU or mean average precision."""

import dataclasses

import numpy as np
import pytest
from closeness import assert_close

from tinydl import Generator, Tensor
from tinydl.data import pad_planes, pad_rows, shapes, unpad_rows
from tinydl.errors import ConfigError
from tinydl.experiment.datasets import load_dataset
from tinydl.metrics import Found
from tinydl.models.detection.fast_rcnn import fast_rcnn_loss
from tinydl.models.detection.selective_search import selective_search
from tinydl.nn import Module
from tinydl.programs.parts import Parts, load_parts
from tinydl.programs.scores import (
    batch_transform,
    check_kind,
    found_in,
    judge,
    looked_at,
    searched,
    truths_of,
)
from tinydl.recipes import RECIPES
from tinydl.runs.run import Settings, begin


def toy(name):
    """The recipe with a small model, and parts of eight pictures."""
    scenes = shapes(8, Generator(3), size=32, max_things=2)
    recipe = RECIPES[name]
    if recipe.program.score == "mean_iou":
        y, classes = scenes.semantic, ("background", *scenes.classes)
        small = {"in_channels": 3, "classes": 4, "widths": (4, 6)}
    else:
        y, classes = pad_rows(scenes.boxes, scenes.labels), scenes.classes
        small = {"image": (32, 32), "widths": (4, 4, 4, 4), "sizes": (8, 14, 20, 30)}
    if name == "mask-rcnn-shapes":
        y = pad_planes(scenes.masks, scenes.labels)
        small = {"image": (32, 32), "widths": (4, 6, 6), "hidden": 8, "limit": 6}
        small |= {"mask_bins": 3, "mask_hidden": 4, "mask_depth": 1}
    if name == "rcnn-shapes":
        small = {"side": 16, "widths": (4, 4), "hidden": 8}
    small = {**recipe.program.architecture, **small}
    recipe = recipe.replaced(architecture=small, epochs=1, batch_size=4)
    return recipe, Parts((scenes.x, y), (scenes.x, y), (scenes.x, y), classes)


@pytest.mark.parametrize("name", ["unet-shapes", "ssd-shapes", "rcnn-shapes", "mask-rcnn-shapes"])
def test_a_recipe_trains_and_is_judged(name):
    recipe, parts = toy(name)
    session = begin(recipe, Settings(), parts)
    history = session.fit()
    assert {"loss", "val_loss"} <= set(history.last) and "accuracy" not in history.last
    score = session.measure("test")
    named = {"map", "map_square", "map_disk", "map_triangle"}
    keys = {"map": named, "mask_map": named | {f"mask_{n}" for n in named}}
    assert set(score) == {"loss"} | keys.get(recipe.program.score, {"mean_iou"})
    assert 0 <= score[recipe.program.score] < 0.9


def test_rcnn_learns_from_crops_of_proposals(monkeypatch):
    recipe, parts = toy("rcnn-shapes")
    model, calls = begin(recipe, Settings(), parts).model, []

    def search(image):
        calls.append(image)
        return selective_search(image)

    monkeypatch.setattr("tinydl.programs.scores.selective_search", search)
    searched.cache_clear()
    cut, (x, rows) = batch_transform(recipe.program, model), parts.train
    crops, targets = cut((x, rows), Generator(0))
    again = looked_at(recipe.program, model, parts.train)
    first, second = next(iter(again)), next(iter(looked_at(recipe.program, model, parts.train)))
    searched.cache_clear()
    assert len(calls) == len(x)  # once for each picture, whoever asks
    assert all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))
    assert crops.shape == (len(targets), 16, 16, 3) and targets.shape[1:] == (5,)
    assert len(x) < len(targets) <= 16 * len(x) and crops.dtype == targets.dtype == np.float32
    rng, start = Generator(0), 0
    for image, row in zip(x, rows, strict=True):
        wanted = model.sample(image, selective_search(image), *unpad_rows(row), 16, rng)
        here = slice(start, start + len(wanted[0]))
        np.testing.assert_array_equal(crops[here], wanted[0])
        np.testing.assert_array_equal(targets[here, 0], wanted[1])
        assert_close(targets[here, 1:], wanted[2], 1e-6)
        start = here.stop
    outputs = model(Tensor(crops))
    alone = fast_rcnn_loss(outputs, targets[:, 0].astype(int), targets[:, 1:])
    assert recipe.program.loss(outputs, Tensor(targets)).item() == alone.item()


class Knows(Module):
    """Says what it is given to say, picture after picture."""

    def __init__(self, model, answers):
        self.model, self.answers, self.place = model, answers, 0
        self.targets, self.found = getattr(model, "targets", None), getattr(model, "found", None)

    def forward(self, x):
        rows = self.answers[np.arange(self.place, self.place + len(x)) % len(self.answers)]
        self.place += len(x)
        return Tensor(rows, backend=x.backend)


def test_who_knows_every_box_scores_one():
    recipe, parts = toy("ssd-shapes")
    model = begin(recipe, Settings(), parts).model
    x, rows = parts.test
    encoded = np.stack([model.targets(r[r[:, 4] >= 0, :4], r[r[:, 4] >= 0, 4]) for r in rows])
    answers = np.zeros((len(x), len(model.defaults), 8), np.float32)
    answers[..., :4] = encoded[..., 1:]
    np.put_along_axis(answers, 4 + encoded[..., :1].astype(int), 20, axis=2)
    score = judge(recipe.program, Knows(model, answers), parts.test, parts.classes)
    present = sorted({int(k) for k in rows[..., 4].ravel() if k >= 0})
    assert score["map"] == 1 and score["loss"] < 1e-5
    assert all(score[f"map_{parts.classes[k]}"] == 1 for k in present)


def test_who_knows_every_mask_scores_one_and_who_knows_the_boxes_only_does_not():
    recipe, parts = toy("mask-rcnn-shapes")
    model = begin(recipe, Settings(), parts).model
    truths = truths_of(recipe.program, parts.test[1])
    scenes = shapes(8, Generator(3), size=32, max_things=2)
    for truth, boxes, labels, masks in zip(
        truths, scenes.boxes, scenes.labels, scenes.masks, strict=True
    ):
        assert np.array_equal(truth.boxes, boxes) and np.array_equal(truth.labels, labels)
        assert np.array_equal(truth.masks, masks)
    for wrong in (False, True):
        known = [Found(t.boxes, t.labels, np.ones(len(t.labels)), t.masks ^ wrong) for t in truths]
        model.detect_masks = lambda *rest, known=known: known
        score = judge(recipe.program, model, parts.test, parts.classes)
        assert score["map"] == 1 and score["mask_map"] == (0 if wrong else 1)


def test_unsure_boxes_count_and_thresholds_reach_the_detector():
    recipe, parts = toy("ssd-shapes")
    model = begin(recipe, Settings(), parts).model
    answers = np.zeros((1, len(model.defaults), 8), np.float32)
    answers[..., 4] = 20
    answers[0, 0, 5:] = 20 + np.log(0.02)  # three classes with about 2 % each
    (found,) = found_in(Knows(model, answers), parts.test[0][:1])
    assert found.labels.tolist() == [0, 1, 2] and found.scores == pytest.approx(0.02 / 1.06)
    asked = []

    class TwoStages:
        def detect(self, x, score, overlap):
            asked.append((len(x), score, overlap))
            return []

    found_in(TwoStages(), parts.test[0])
    found_in(TwoStages(), parts.test[0][:3], 0.3, 0.6)
    assert asked == [(8, 0.01, 0.45), (3, 0.3, 0.6)]


def test_who_knows_every_pixel_scores_one():
    recipe, parts = toy("unet-shapes")
    answers = 20 * np.eye(4, dtype=np.float32)[parts.test[1]]
    score = judge(recipe.program, Knows(None, answers), parts.test, parts.classes)
    assert score["mean_iou"] == 1 and score["loss"] < 1e-5


@pytest.mark.parametrize(
    "row, message",
    [
        ((5, 5, 5, 20, 0), r"test picture 2: box 0 \(5, 5, 5, 20\) must have an area"),
        ((20, 5, 40, 20, 0), r"test picture 2: box 0 .* must lie in the picture .* 32 wide"),
        ((5, 5, 20, 20, 3), "test picture 2: class 3, but there are 3: square, disk, triangle"),
    ],
)
def test_boxes_that_make_no_sense_are_told_before_training(row, message):
    recipe, parts = toy("ssd-shapes")
    rows = parts.test[1].copy()
    rows[2, 0] = row
    with pytest.raises(ConfigError, match=f"shapes_boxes, {message}"):
        begin(recipe, Settings(), dataclasses.replace(parts, test=(parts.test[0], rows)))


def test_a_command_names_the_kind_of_run_it_needs():
    check_kind("detect", RECIPES["ssd-shapes"], "map")
    with pytest.raises(ConfigError, match=r"mlp-digits, which is a classifier; .* a detector"):
        check_kind("detect", RECIPES["mlp-digits"], "map")


def test_made_up_pictures_have_a_part_of_their_own(monkeypatch):
    monkeypatch.setattr("tinydl.experiment.datasets.SHAPES", ((12, 1), (5, 2)))
    load_dataset.cache_clear()
    parts, pixels = load_parts(RECIPES["ssd-shapes"]), load_parts(RECIPES["unet-shapes"])
    load_dataset.cache_clear()
    assert len(parts.train[0]) == 12 and parts.test[1].shape[::2] == (5, 5)
    assert parts.classes == ("square", "disk", "triangle") and parts.test[0].max() <= 1
    assert np.array_equal(pixels.test[0], parts.test[0]) and pixels.test[1].dtype == np.int64
    assert not np.array_equal(parts.test[0], parts.train[0][:5])


def test_blood_cells_at_half_size(data_folder, monkeypatch):
    monkeypatch.setenv("TINYDL_DATA", str(data_folder))
    pytest.importorskip("PIL", reason="needs Pillow (the extra `data`)")
    parts = load_parts(RECIPES["ssd-bccd"].variant("val"))
    three = (parts.train, parts.validation, parts.test)
    assert [len(x) for x, _ in three] == [205, 87, 72]
    assert sum((rows[..., 4] >= 0).sum() for _, rows in three) == 4886
    x = parts.test[0]
    assert x.shape[1:] == (240, 320, 3) and x.dtype == np.float32 and x.min() >= 0 and x.max() <= 1
    load_dataset.cache_clear()
