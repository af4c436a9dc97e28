"""Layer 7: `fit`, `evaluate`, `predict`; metrics, history, callbacks, checkpoints."""

from .callbacks import (
    Checkpoint,
    EarlyStopping,
    LearningRateSchedule,
    ReduceOnPlateau,
    WriteHistory,
)
from .checkpoint import (
    load_checkpoint,
    load_weights,
    read_tensors,
    restore,
    save_checkpoint,
    save_weights,
)
from .files import write_atomically
from .history import History
from .loop import State, evaluate, fit, predict
from .metrics import accuracy

__all__ = [
    "Checkpoint",
    "EarlyStopping",
    "History",
    "LearningRateSchedule",
    "ReduceOnPlateau",
    "State",
    "WriteHistory",
    "accuracy",
    "evaluate",
    "fit",
    "load_checkpoint",
    "load_weights",
    "predict",
    "read_tensors",
    "restore",
    "save_checkpoint",
    "save_weights",
    "write_atomically",
]
