"""Layer 6: update rules, schedules, clipping. SGD, RMSprop and Adam (AdamW, AMSGrad) are one kernel
call each for all parameters; the others are composed of operations. All write parameters and state
in place, on the backend."""

from .adam import Adam, AdamW, AMSGrad
from .clipping import (
    WeightAverage,
    clip_by_global_norm,
    clip_by_norm,
    clip_by_value,
    clip_weights,
)
from .composed import AdaDelta, AdaGrad, Adamax, CentredRMSprop, Groups, Nadam
from .optimizer import Optimizer
from .rmsprop import RMSprop
from .schedules import Cosine, Exponential, Piecewise, Plateau, Polynomial, StepDecay, WarmUp
from .sgd import SGD

__all__ = [
    "SGD", "AMSGrad", "AdaDelta", "AdaGrad", "Adam", "AdamW", "Adamax", "CentredRMSprop", "Cosine",
    "Exponential", "Groups", "Nadam", "Optimizer", "Piecewise", "Plateau", "Polynomial", "RMSprop",
    "StepDecay", "WarmUp", "WeightAverage", "clip_by_global_norm", "clip_by_norm", "clip_by_value",
    "clip_weights",
]  # fmt: skip
