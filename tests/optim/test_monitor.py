"""Which way is better, by the names of everything that the library measures; what the best was."""

import math

import pytest

from tinydl import metrics, nn, optim
from tinydl.errors import ConfigError
from tinydl.optim.monitor import Best, best_of, direction
from tinydl.programs.scores import ACCURACY, MAP, MASK_MAP, MEAN_IOU
from tinydl.train import BestCheckpoint, EarlyStopping, ReduceOnPlateau
from tinydl.train import metrics as batch_metrics

RISE = {
    "accuracy", "top_k_accuracy", "roc_auc", "pr_auc", "average_precision", "bleu", "r2_score",
    "mean_iou", "class_iou", "coco_average_precision", "voc07_average_precision",
    "voc_average_precision", "mean_average_precision", "box_iou", "mask_iou", "sign_accuracy",
    "binary_accuracy", "pixel_accuracy", "clustering_accuracy", "mutual_information_gap",
    "Within", ACCURACY, MAP, MASK_MAP, MEAN_IOU, "acc", "top5_accuracy", "f1", "macro-F1", "psnr",
    "exact_match", "rejection_auc",
}  # fmt: skip
FALL = {
    "loss", "myloss", "g_loss", "perplexity", "bits_per_character", "mse", "mae", "cross_entropy",
    "top5 error", "edit_distance", "label_error_rate", "rmse", "bce", "nll", "frechet_distance",
    "calibration_error",
}  # fmt: skip
#: They give curves, tables or lists, not one number.
NO_NUMBER = {
    "confusion_matrix", "precision_recall_f1", "precision_recall_curve", "roc_curve", "assignment",
    "calibration_curve", "rejection_curve", "wilson_interval",
}  # fmt: skip
#: Neither way is better: samples should differ as much as real ones do.
NO_DIRECTION = {"pair_distance"}


@pytest.mark.parametrize("name", sorted(RISE | FALL))
def test_names_say_which_way_is_better(name):
    wanted = "max" if name in RISE else "min"
    for shown in (name, f"val_{name}", f"test/{name}", name.upper()):
        assert direction("rule", shown) == wanted
    assert direction("rule", name, "max") == "max" and direction("rule", name, "min") == "min"


def test_every_metric_is_known():
    numbers = {n for n in metrics.__all__ if n[0].islower()} - NO_NUMBER - NO_DIRECTION
    assert numbers <= RISE | FALL
    assert set(batch_metrics.KNOWN) <= RISE | FALL
    assert all(hasattr(nn, n) for n in ("mse", "mae", "cross_entropy", "bce", "nll"))


@pytest.mark.parametrize("name", ["score", "seconds", "epoch", "", "precise", "value", "maps", "x"])
def test_a_name_that_says_nothing_is_an_error_at_every_door(name):
    doors = {
        "EarlyStopping": EarlyStopping,
        "ReduceOnPlateau": ReduceOnPlateau,
        "BestCheckpoint": lambda monitor, **o: BestCheckpoint("x", monitor, **o),
    }
    for rule, make in doors.items():
        with pytest.raises(ConfigError, match=f"{rule}: cannot tell .* {name!r} should fall or ri"):
            make(monitor=name)
        with pytest.raises(ConfigError, match=f"{rule}: needs mode auto, min or max, got 'best'"):
            make(monitor=name, mode="best")
        assert make(monitor=name, mode="max") is not None


@pytest.mark.parametrize(
    ("values", "min_delta", "best"),
    [
        ([], 0, Best(0, math.inf, 0)),
        ([math.nan, math.inf, math.nan], 0, Best(0, math.inf, 3)),
        ([3, 2, 2, 4], 0, Best(2, 2, 2)),
        ([3, 2.5, 2.1, 1.9, 1.5], 1, Best(4, 1.9, 1)),
        ([3, -math.inf, -math.inf], 0, Best(2, -math.inf, 1)),
    ],
)
def test_the_best_is_the_last_improvement(values, min_delta, best):
    assert best_of(values, "min", min_delta) == best
    place, value, since = best
    negative = [-v for v in values]
    assert best_of(negative, "max", min_delta) == Best(place, -value, since)


def test_a_plateau_of_what_rises():
    for mode, sign in (("min", 1), ("max", -1)):
        plateau = optim.Plateau(0.5, 2, 0.05, mode=mode)
        values = [1.0, 0.9, 0.88, 0.87, 0.7, math.nan, 0.68]
        rates = [plateau.update(sign * value, 1.0) for value in values]
        assert rates == [1, 1, 1, 0.5, 1, 1, 0.5]
        plateau.reset()
        assert plateau.update(sign * 5.0, 1.0) == 1 and plateau.best == sign * 5
    with pytest.raises(ConfigError, match="Plateau: needs mode min, max or None, got 'auto'"):
        optim.Plateau(mode="auto")
