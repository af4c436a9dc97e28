"""One row per update rule and setting: the rule, its options, PyTorch's rule and its options; and
one row per schedule and setting: the schedule and its rates from its closed form.

They run in tests/optim: ten steps against PyTorch, saving, skipping, every backend.
"""

from math import sqrt

from tinydl import optim

ADAM = {"beta1": 0.8, "beta2": 0.95, "eps": 1e-5}
TORCH_ADAM = {"betas": (0.8, 0.95), "eps": 1e-5}
DECAY = {"weight_decay": 0.1}
NESTEROV = {"lr": 0.05, "momentum": 0.9, "nesterov": True, "weight_decay": 0.01}
UP = {"maximize": True}
DAMPED = {"lr": 0.05, "momentum": 0.9, "dampening": 0.3, "weight_decay": 0.01}
CENTRED = {"lr": 0.01, "momentum": 0.9}

RULES = {
    "sgd": (optim.SGD, {"lr": 0.1}, "SGD", {"lr": 0.1}),
    "sgd-decay": (optim.SGD, {"lr": 0.1, **DECAY}, "SGD", {"lr": 0.1, **DECAY}),
    "momentum": (
        optim.SGD,
        {"lr": 0.05, "momentum": 0.9},
        "SGD",
        {"lr": 0.05, "momentum": 0.9},
    ),
    "nesterov": (optim.SGD, NESTEROV, "SGD", NESTEROV),
    "rmsprop": (
        optim.RMSprop,
        {"lr": 0.01},
        "RMSprop",
        {"lr": 0.01, "alpha": 0.9, "eps": 1e-7},
    ),
    "rmsprop-all": (
        optim.RMSprop,
        {"rho": 0.8, "eps": 1e-3, **DECAY},
        "RMSprop",
        {"lr": 0.001, "alpha": 0.8, "eps": 1e-3, **DECAY},
    ),
    "adam": (optim.Adam, {"lr": 0.01}, "Adam", {"lr": 0.01, "eps": 1e-7}),
    "adam-all": (
        optim.Adam,
        {"beta1": 0.7, "beta2": 0.9, "eps": 1e-4, **DECAY},
        "Adam",
        {"lr": 0.001, "betas": (0.7, 0.9), "eps": 1e-4, **DECAY},
    ),
    "adamw": (
        optim.AdamW,
        {"lr": 0.02, **DECAY, **ADAM},
        "AdamW",
        {"lr": 0.02, **DECAY, **TORCH_ADAM},
    ),
    "amsgrad": (
        optim.AMSGrad,
        {"lr": 0.02, **DECAY, **ADAM},
        "Adam",
        {"lr": 0.02, "amsgrad": True, **DECAY, **TORCH_ADAM},
    ),
    "adagrad": (optim.AdaGrad, {"lr": 0.1, "eps": 1e-7}, "Adagrad", {"lr": 0.1, "eps": 1e-7}),
    "adadelta": (
        optim.AdaDelta,
        {"rho": 0.9, "eps": 1e-4},
        "Adadelta",
        {"lr": 1.0, "rho": 0.9, "eps": 1e-4},
    ),
    "centred": (
        optim.CentredRMSprop,
        CENTRED,
        "RMSprop",
        {**CENTRED, "alpha": 0.9, "centered": True, "eps": 1e-7},
    ),
    "not-centred": (
        optim.CentredRMSprop,
        {**CENTRED, "centred": False},
        "RMSprop",
        {**CENTRED, "alpha": 0.9, "eps": 1e-7},
    ),
    "adamax": (optim.Adamax, {"lr": 0.02, **ADAM}, "Adamax", {"lr": 0.02, **TORCH_ADAM}),
    "nadam": (optim.Nadam, {"lr": 0.02, **ADAM}, "NAdam", {"lr": 0.02, **TORCH_ADAM}),
    "sgd-up": (optim.SGD, {"lr": 0.02, **UP}, "SGD", {"lr": 0.02, **UP}),
    "damped": (optim.SGD, DAMPED, "SGD", DAMPED),
    "radam": (
        optim.RAdam,
        {"lr": 0.02, **ADAM, **DECAY},
        "RAdam",
        {"lr": 0.02, **TORCH_ADAM, **DECAY},
    ),
    "rprop": (optim.Rprop, {"lr": 0.02}, "Rprop", {"lr": 0.02}),
    "rprop-all": (
        optim.Rprop,
        {"lr": 0.02, "shrink": 0.4, "grow": 1.5, "smallest": 0.01, "largest": 0.03, **UP},
        "Rprop",
        {"lr": 0.02, "etas": (0.4, 1.5), "step_sizes": (0.01, 0.03), **UP},
    ),
    "adadelta-up": (
        optim.AdaDelta,
        {"rho": 0.9, "eps": 1e-4, **UP},
        "Adadelta",
        {"lr": 1.0, "rho": 0.9, "eps": 1e-4, **UP},
    ),
    "adagrad-up": (optim.AdaGrad, {"eps": 1e-7, **UP}, "Adagrad", {"eps": 1e-7, **UP}),
    "rmsprop-up": (
        optim.RMSprop,
        {"lr": 0.01, **UP},
        "RMSprop",
        {"lr": 0.01, "alpha": 0.9, "eps": 1e-7, **UP},
    ),
    "centred-up": (
        optim.CentredRMSprop,
        {**CENTRED, **UP},
        "RMSprop",
        {**CENTRED, "alpha": 0.9, "centered": True, "eps": 1e-7, **UP},
    ),
    "adam-up": (optim.Adam, {"lr": 0.02, **ADAM, **UP}, "Adam", {"lr": 0.02, **TORCH_ADAM, **UP}),
    "adamw-up": (
        optim.AdamW,
        {"lr": 0.02, **ADAM, **UP},
        "AdamW",
        {"lr": 0.02, **TORCH_ADAM, **UP},
    ),
    "adamax-up": (
        optim.Adamax,
        {"lr": 0.02, **ADAM, **UP},
        "Adamax",
        {"lr": 0.02, **TORCH_ADAM, **UP},
    ),
    "nadam-up": (
        optim.Nadam,
        {"lr": 0.02, **ADAM, **UP},
        "NAdam",
        {"lr": 0.02, **TORCH_ADAM, **UP},
    ),
    "radam-up": (
        optim.RAdam,
        {"lr": 0.02, **ADAM, **UP},
        "RAdam",
        {"lr": 0.02, **TORCH_ADAM, **UP},
    ),
}

STAIRS = [0.8, 0.8, 0.2, 0.2, 0.05, 0.05]
HALF_WAVE = [1.0, 0.6 + 0.4 * sqrt(0.5), 0.6, 0.6 - 0.4 * sqrt(0.5), 0.2]
SCHEDULES = [
    (optim.StepDecay(0.8, 3, 0.5), [0.8, 0.8, 0.8, 0.4, 0.4, 0.4, 0.2]),
    (optim.Exponential(0.8, 0.25, 2), [0.8 * 0.5**i for i in range(7)]),
    (optim.Exponential(0.8, 0.25, 2, staircase=True), STAIRS),
    (optim.Polynomial(1.0, 4, 0.2), [1.0, 0.8, 0.6, 0.4, 0.2, 0.2]),
    (optim.Polynomial(1.0, 4, 0.0, 2.0), [1.0, 0.5625, 0.25, 0.0625, 0.0, 0.0]),
    (optim.Cosine(1.0, 4, 0.2), HALF_WAVE),
    (optim.WarmUp(4, 0.8), [0.2, 0.4, 0.6, 0.8, 0.8]),
    (optim.WarmUp(2, optim.StepDecay(0.8, 1, 0.5)), [0.4, 0.8, 0.8, 0.4, 0.2]),
    (optim.Piecewise([2, 3], [1.0, 0.5, 0.1]), [1.0, 1.0, 0.5, 0.1, 0.1]),
]
