"""The update rules of the group `optim`: each of ours with the same rule of torch.optim.

The arguments make both take the same step; everything else is what the library does by default
(`fused=True`, which some of PyTorch's rules offer, is measured by the group `adam`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

TENSORS = 20  # the parameters are shared out among


@dataclass(frozen=True)
class Rule:
    """ours, options: class of tinydl.optim and its arguments; theirs, their_options: of
    torch.optim; states: arrays of a parameter's size that a step reads and writes beside it."""

    ours: str
    options: dict[str, Any]
    theirs: str
    their_options: dict[str, Any]
    states: int


MOMENTUM = {"lr": 0.01, "momentum": 0.9}
ADAM = {"lr": 0.001, "eps": 1e-7}
RMS = {"lr": 0.001, "eps": 1e-7}

RULES = {
    "sgd": Rule("SGD", {"lr": 0.01}, "SGD", {"lr": 0.01}, 0),
    "momentum": Rule("SGD", MOMENTUM, "SGD", MOMENTUM, 1),
    "nesterov": Rule(
        "SGD", {**MOMENTUM, "nesterov": True}, "SGD", {**MOMENTUM, "nesterov": True}, 1
    ),
    "adagrad": Rule("AdaGrad", RMS, "Adagrad", RMS, 1),
    "adadelta": Rule(
        "AdaDelta", {"rho": 0.9, "eps": 1e-6}, "Adadelta", {"rho": 0.9, "eps": 1e-6}, 2
    ),
    "rmsprop": Rule("RMSprop", {"rho": 0.99, **RMS}, "RMSprop", {"alpha": 0.99, **RMS}, 1),
    "centred_rmsprop": Rule(
        "CentredRMSprop", {"rho": 0.99, "momentum": 0.9, **RMS},
        "RMSprop", {"alpha": 0.99, "momentum": 0.9, "centered": True, **RMS}, 3,
    ),
    "adam": Rule("Adam", ADAM, "Adam", ADAM, 2),
    "adamw": Rule("AdamW", ADAM, "AdamW", ADAM, 2),
    "amsgrad": Rule("AMSGrad", ADAM, "Adam", {**ADAM, "amsgrad": True}, 3),
    "adamax": Rule("Adamax", ADAM, "Adamax", ADAM, 2),
    "nadam": Rule("Nadam", ADAM, "NAdam", ADAM, 2),
    "radam": Rule("RAdam", {**ADAM, "lr": 0.01}, "RAdam", {**ADAM, "lr": 0.01}, 2),
    "rprop": Rule("Rprop", {"lr": 0.01}, "Rprop", {"lr": 0.01}, 2),
}  # fmt: skip
