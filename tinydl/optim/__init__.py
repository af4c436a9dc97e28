"""Layer 6: update rules, schedules, clipping. A step is one kernel call for all parameters, which
writes them and the state in place, on the backend."""

from typing import TYPE_CHECKING

from ..habits import asked as _asked
from .adagrad import AdaDelta, AdaGrad
from .adam import Adam, AdamW, AMSGrad
from .adam_family import Adamax, Nadam, RAdam
from .clipping import (
    WeightAverage,
    clip_by_global_norm,
    clip_by_norm,
    clip_by_value,
    clip_weights,
)
from .groups import Groups
from .optimizer import Optimizer
from .rmsprop import CentredRMSprop, RMSprop
from .rprop import Rprop
from .schedules import Cosine, Exponential, Piecewise, Plateau, Polynomial, StepDecay, WarmUp
from .sgd import SGD

__all__ = [
    "SGD", "AMSGrad", "AdaDelta", "AdaGrad", "Adam", "AdamW", "Adamax", "CentredRMSprop", "Cosine",
    "Exponential", "Groups", "Nadam", "Optimizer", "Piecewise", "Plateau", "Polynomial", "RAdam",
    "RMSprop", "Rprop", "StepDecay", "WarmUp", "WeightAverage", "clip_by_global_norm",
    "clip_by_norm", "clip_by_value", "clip_weights",
]  # fmt: skip

if not TYPE_CHECKING:  # for a checker every name would exist
    __getattr__ = _asked(__name__, "optim")
