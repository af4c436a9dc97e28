"""The row of the recurrent attention model: its surrogate loss, of places that were played."""

import numpy as np

from cases.models import ModelCase
from tinydl.models import RecurrentAttention

PICTURE, CLASSES, LOOKS = (12, 12, 1), 3, 3


def played(rng, n):
    """A bar in each, its place the class; places, rewards and what was beyond the promise."""
    x, y = 0.1 * rng.random((n, *PICTURE)), np.arange(n) % CLASSES
    for picture, k in zip(x, y, strict=True):
        picture[4 * k + 1 : 4 * k + 3, 2:10] = 1.0
    places = rng.uniform(-0.8, 0.8, (n, LOOKS, 2))
    return x, y, places, rng.integers(0, 2, n) * 1.0, rng.normal(size=(n, LOOKS))


GLIMPSES = [
    ModelCase(
        name="RecurrentAttention",
        small=lambda: RecurrentAttention(PICTURE, CLASSES, 4, 2, LOOKS, 10, sigma=0.5),
        batch=played,
        loss=lambda model, x, y, *rest: model.surrogate(x, y, *(t.numpy() for t in rest)),
        full=RecurrentAttention,
        parameters=256_269,
        overfit=0.5,  # of the part that rewards the played places there is no end
        steps=150,
    ),
]
