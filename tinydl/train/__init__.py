"""Layer 7: `fit`, `evaluate`, `predict`; metrics, history, callbacks, checkpoints."""

from typing import TYPE_CHECKING

from ..files import write_atomically
from ..habits import asked as _asked
from .callbacks import (
    BestCheckpoint,
    Checkpoint,
    EarlyStopping,
    LearningRateSchedule,
    ReduceOnPlateau,
    TerminateOnNaN,
    WriteHistory,
)
from .callbacks_report import PrintSamples, TensorBoard
from .checkpoint import (
    load_checkpoint,
    load_weights,
    read_tensors,
    restore,
    save_checkpoint,
    save_weights,
)
from .history import History
from .loop import State, evaluate, fit, predict
from .metrics import accuracy
from .parallel import Ranks
from .threads import in_threads

__all__ = [
    "BestCheckpoint",
    "Checkpoint",
    "EarlyStopping",
    "History",
    "LearningRateSchedule",
    "PrintSamples",
    "Ranks",
    "ReduceOnPlateau",
    "State",
    "TensorBoard",
    "TerminateOnNaN",
    "WriteHistory",
    "accuracy",
    "evaluate",
    "fit",
    "in_threads",
    "load_checkpoint",
    "load_weights",
    "predict",
    "read_tensors",
    "restore",
    "save_checkpoint",
    "save_weights",
    "write_atomically",
]

if not TYPE_CHECKING:  # for a checker every name would exist
    __getattr__ = _asked(__name__, "train")
