"""Losses, metrics, optimisers and schedules refuse what they cannot use, before anything is
computed."""

import numpy as np
import pytest

import tinydl as td
from tinydl import metrics, nn, optim
from tinydl.errors import ConfigError, DTypeError, ShapeError
from tinydl.train.metrics import Within, accuracy, sign_accuracy

NAN, INFINITY = float("nan"), float("inf")


@pytest.mark.parametrize(
    "loss",
    [nn.mse, nn.mae, nn.huber, nn.bce_with_logits, nn.soft_cross_entropy, nn.cross_entropy, nn.nll],
)
def test_a_loss_names_what_is_no_tensor(loss):
    tensor = td.zeros((2, 3))
    for pair in ((tensor, [[0.0] * 3] * 2), ("x", tensor)):
        with pytest.raises(
            DTypeError, match=rf"{loss.__name__}: \w+ must be a tensor or an ndarray"
        ):
            loss(*pair)


@pytest.mark.parametrize("metric", [accuracy, sign_accuracy, Within(0.1)])
def test_a_metric_refuses_a_column_of_targets(metric):
    """(N,) against (N, 1) would broadcast to (N, N), and the mean would look like a score."""
    outputs = td.zeros((4, 3)) if metric is accuracy else td.zeros((4,))
    with pytest.raises(ShapeError, match=r"targets must be \(4,\).*got \(4, 1\)"):
        metric(outputs, td.zeros((4, 1)))


@pytest.mark.parametrize("value", ["0.1", None, NAN, INFINITY])
def test_rates_are_finite_numbers(value):
    parameters = [nn.Parameter(np.ones(2, np.float32))]
    for rule in (optim.SGD, optim.Adam, optim.AdaGrad):
        with pytest.raises(ConfigError, match=f"{rule.__name__}: lr must be (in|a number)"):
            rule(parameters, lr=value)
    makers = {
        "StepDecay: lr": lambda: optim.StepDecay(value, 2),
        "Exponential: factor": lambda: optim.Exponential(0.1, value),
        "Polynomial: power": lambda: optim.Polynomial(0.1, 10, power=value),
        "Cosine: steps": lambda: optim.Cosine(0.1, value),
        "Plateau: min_lr": lambda: optim.Plateau(min_lr=value),
        "WarmUp: then": lambda: optim.WarmUp(3, value),
        "Piecewise: each of boundaries and values": lambda: optim.Piecewise([1], [0.1, value]),
    }
    for words, make in makers.items():
        with pytest.raises(ConfigError, match=f"{words} must be an? .*(number|integer), got"):
            make()


def test_a_warm_up_to_a_negative_rate_is_refused():
    with pytest.raises(ConfigError, match="WarmUp: needs a rate >= 0"):
        optim.WarmUp(3, -0.1)


def test_average_precision_needs_a_curve():
    for area in (
        metrics.voc07_average_precision,
        metrics.voc_average_precision,
        metrics.coco_average_precision,
    ):
        with pytest.raises(ShapeError, match=rf"{area.__name__}: .* got \(3,\) and \(0,\)"):
            area(np.zeros(3), np.zeros(0))


def test_mean_average_precision_looks_at_every_picture():
    boxes, labels = np.array([[0.0, 0, 1, 1], [1, 1, 2, 2]]), np.array([0, 0])
    good = metrics.Found(boxes, labels, np.array([0.5, 0.4])), metrics.Truth(boxes, labels)
    assert metrics.mean_average_precision([good[0]], [good[1]], 1).value == 1
    short = metrics.Found(boxes, labels[:1], np.array([0.5, 0.4]))
    with pytest.raises(ShapeError, match="picture 1 has boxes, labels, scores of different"):
        metrics.mean_average_precision([good[0], short], [good[1]] * 2, 1)
    odd = metrics.Found(boxes, labels, np.array([0.5, NAN]))
    with pytest.raises(ConfigError, match="picture 0 has a score that is NaN"):
        metrics.mean_average_precision([odd], [good[1]], 1)
