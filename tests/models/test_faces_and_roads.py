"""Face detector, keypoints, steering: what they mean, on patches and drawn pictures."""

import dataclasses

import numpy as np
import pytest

import tinydl
from tinydl import Tensor, no_grad
from tinydl.errors import ConfigError, ShapeError
from tinydl.models import FaceDetector, KeypointCNN, PilotNet
from tinydl.nn import mse
from tinydl.programs.parts import load_parts
from tinydl.recipes import find
from tinydl.runs.run import begin
from tinydl.train.metrics import Within, sign_accuracy


def test_a_detector_on_a_picture_is_the_classifier_moved_over_it():
    tinydl.seed(0)
    model = FaceDetector(14, 1, (4, 5), 6).astype("float64").eval()
    picture = np.random.default_rng(0).uniform(size=(1, 26, 30, 1))
    with no_grad():
        found = model(Tensor(picture)).numpy()
        assert found.shape == (1, 4, 5) and model.stride == 4
        for row in range(4):
            for column in range(5):
                top, left = 4 * row, 4 * column
                patch = np.ascontiguousarray(picture[:, top : top + 14, left : left + 14])
                alone = model(Tensor(patch)).numpy()[0, 0, 0]
                assert found[0, row, column] == pytest.approx(alone, rel=1e-12)


def test_detections_are_boxes_best_first():
    tinydl.seed(0)
    model = FaceDetector(14, 1, (4, 5), 6)
    image = np.random.default_rng(1).uniform(size=(30, 38, 1)).astype(np.float32)
    boxes, scores = model.detect(image, score=0.0, overlap=1.0)
    assert len(boxes) == 5 * 7 and (np.diff(scores) <= 0).all()
    assert (boxes[:, 2:] - boxes[:, :2] == 14).all() and boxes.max() <= 38
    few, _ = model.detect(image, score=0.0, overlap=0.0)
    assert 0 < len(few) < 10 and few[0].tolist() == boxes[0].tolist()
    assert len(model.detect(image, score=1.1)[0]) == 0
    with pytest.raises(ShapeError, match="at least 14 pixels"):
        model.detect(image[:10])


def test_within_counts_the_numbers_that_are_near():
    outputs, targets = Tensor(np.array([[0.0, 1], [2, 3]])), Tensor(np.array([[0.1, 2], [2, 3.1]]))
    assert Within(0.2)(outputs, targets).numpy().tolist() == [0.5, 1.0]
    assert Within(0.2)(outputs[:, 0], targets[:, 0]).numpy().tolist() == [1.0, 1.0]
    signs = sign_accuracy(
        Tensor(np.array([[-1.0, 2], [3, -4]])), Tensor(np.array([[0.0, 1], [0, 1]]))
    )
    assert signs.numpy().tolist() == [1.0, 0.0]
    with pytest.raises(ConfigError, match="tolerance must be > 0"):
        Within(0.0)


def test_a_recipe_that_estimates_numbers_learns():
    """A thousand faces, few epochs: better than the mean keypoint."""
    recipe = find("keypoints-faces").replaced(epochs=8)
    parts = load_parts(recipe)
    assert parts.classes == () and parts.train[1].shape == (3_000, 10)
    small = dataclasses.replace(
        parts, train=tuple(a[:1000] for a in parts.train), test=tuple(a[:200] for a in parts.test)
    )
    session = begin(recipe, data=small)
    session.fit()
    found = session.measure("test")
    y = small.test[1]
    constant = mse(Tensor(np.broadcast_to(small.train[1].mean(axis=0), y.shape).copy()), Tensor(y))
    assert found["loss"] < 0.8 * constant.item() and found["accuracy"] > 0.3


def test_bad_sizes_are_named():
    with pytest.raises(ConfigError, match="FaceDetector: a map of 17 cannot be halved"):
        FaceDetector(36)
    with pytest.raises(ConfigError, match="8 must divide the size, got 30"):
        KeypointCNN(30)
    with pytest.raises(ConfigError, match="PilotNet: images of 30 x 200 are too small"):
        PilotNet(30)
