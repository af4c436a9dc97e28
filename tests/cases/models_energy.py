"""Rows of the energy models: those whose loss can be written out, and what learns by chains."""

import numpy as np

from cases.models import ModelCase
from tinydl.models import (
    DBN,
    RBM,
    BoltzmannMachine,
    DBNClassifier,
    GaussianRBM,
    MaskedRBM,
    RatingsRBM,
)

STATES = np.array([[int(c) for c in f"{n:05b}"] for n in (3, 5, 12, 17, 18, 22, 27, 30)], float)

ENERGY = [
    ModelCase(
        name="BoltzmannMachine",
        small=lambda: BoltzmannMachine(5, 3),
        batch=lambda rng, n: (STATES[rng.permutation(8)[:n]],),
        loss=lambda model, v: model.loss(v),
        full=BoltzmannMachine,
        parameters=55,
        lr=0.2,
        steps=250,
        overfit=0.65,  # eight states that are equally probable: log 8 of the log 32 of even chance
    ),
]

#: (what, how it is made, parameters): contrastive divergence has a slope, but no loss whose slope
#: it is, so that `tests/models/test_energy.py` compares it with all states written out.
CHAINED = [
    ("RBM", RBM, 16_704),
    ("GaussianRBM", lambda: GaussianRBM(784, 500), 393_284),
    ("MaskedRBM", lambda: MaskedRBM(3706, 80), 300_266),
    ("RatingsRBM", RatingsRBM, 849_510),
    ("DBN", DBN, 148_544),
    ("DBNClassifier", DBNClassifier, 153_674),
]
