"""Layer 7: numbers that say how good predictions are. NumPy on host arrays, the truth comes first.

The metrics that `fit` computes batch by batch on the model's backend are in `tinydl.train.metrics`.
"""

from .assignment import assignment
from .calibration import (
    CalibrationCurve,
    RejectionCurve,
    calibration_curve,
    calibration_error,
    rejection_auc,
    rejection_curve,
)
from .classification import (
    Scores,
    accuracy,
    confusion_matrix,
    precision_recall_f1,
    top_k_accuracy,
)
from .detection import (
    COCO_THRESHOLDS,
    Found,
    MeanAveragePrecision,
    Truth,
    box_iou,
    coco_average_precision,
    mask_iou,
    mean_average_precision,
    voc07_average_precision,
    voc_average_precision,
)
from .generation import (
    clustering_accuracy,
    frechet_distance,
    mutual_information_gap,
    pair_distance,
)
from .intervals import wilson_interval
from .language import (
    bits_per_character,
    bleu,
    edit_distance,
    exact_match,
    label_error_rate,
    perplexity,
)
from .ranking import (
    PrecisionRecallCurve,
    RocCurve,
    average_precision,
    pr_auc,
    precision_recall_curve,
    roc_auc,
    roc_curve,
)
from .regression import r2_score
from .segmentation import class_iou, mean_iou

__all__ = [
    "COCO_THRESHOLDS",
    "CalibrationCurve",
    "Found",
    "MeanAveragePrecision",
    "PrecisionRecallCurve",
    "RejectionCurve",
    "RocCurve",
    "Scores",
    "Truth",
    "accuracy",
    "assignment",
    "average_precision",
    "bits_per_character",
    "bleu",
    "box_iou",
    "calibration_curve",
    "calibration_error",
    "class_iou",
    "clustering_accuracy",
    "coco_average_precision",
    "confusion_matrix",
    "edit_distance",
    "exact_match",
    "frechet_distance",
    "label_error_rate",
    "mask_iou",
    "mean_average_precision",
    "mean_iou",
    "mutual_information_gap",
    "pair_distance",
    "perplexity",
    "pr_auc",
    "precision_recall_curve",
    "precision_recall_f1",
    "r2_score",
    "rejection_auc",
    "rejection_curve",
    "roc_auc",
    "roc_curve",
    "top_k_accuracy",
    "voc07_average_precision",
    "voc_average_precision",
    "wilson_interval",
]
