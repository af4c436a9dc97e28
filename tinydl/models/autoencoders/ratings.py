"""An autoencoder for a table with holes: it fills every cell and learns from the full ones."""

from __future__ import annotations

import numpy as np

from ... import ops
from ...doors import checked
from ...errors import ShapeError
from ...function import no_grad
from ...nn import Buffer, Linear, Module
from ...nn.linear import check_size
from ...random import Generator
from ...tensor import Tensor


class RatingsAutoencoder(Module):
    """y = W2 sigmoid(W1 x + b1) + b2 for the ratings x of one film, by user; 0 is "not rated".

    | layer | output | for 943 users, 100 hidden |
    |---|---|---|
    | encoder: Linear, sigmoid | (N, hidden) | 94,400 |
    | decoder: Linear | (N, users) | 95,243 |
    | all | | 189,643 |

    A row is a film: there are more films than users, and what a row is given that nobody rated is
    the mean. Rated cells are stars less `mean`, that of all ratings (a buffer, set by `start`); the
    loss compares rated cells only, each of a row given to the encoder.

    users, hidden: sizes. stars (U, I) of 1 to 5, 0 for none. Sedhain, Menon, Sanner and Xie 2015
    (AutoRec, WWW), equation 1, "I-AutoRec". Liu and Mehta, chapter 3, leave it as an exercise.
    """

    @checked
    def __init__(self, users: int = 943, hidden: int = 100) -> None:
        check_size("RatingsAutoencoder", users=users, hidden=hidden)
        self.encoder, self.decoder = Linear(users, hidden), Linear(hidden, users)
        self.mean = Buffer(np.zeros(1, np.float32))

    def forward(self, x: Tensor) -> Tensor:
        return self.decoder(ops.sigmoid(self.encoder(x)))

    def start(self, stars: np.ndarray) -> None:
        """Before the training: the mean of all ratings."""
        self.mean.replace(np.array([stars[stars > 0].mean()], self.dtype))

    def rows(self, stars: np.ndarray) -> np.ndarray:
        """What batches are taken of: the films' rows (I, U), 0 for none. ShapeError."""
        if stars.ndim != 2 or len(stars) != len(self.encoder.weight):
            raise ShapeError(
                f"RatingsAutoencoder: stars must be ({len(self.encoder.weight)}, I), got "
                f"{stars.shape}"
            )
        return np.ascontiguousarray(stars.T, self.dtype)

    def loss(self, x: Tensor, rng: Generator | None = None) -> Tensor:
        """Mean over the rated cells of (y - (x - mean))^2."""
        rated = (x > 0).astype(x.dtype)
        centred = (x - self.mean) * rated
        away = (self(centred) - centred) * rated
        return (away * away).sum() / ops.maximum(rated.sum(), 1.0)

    def guess(self, stars: np.ndarray) -> np.ndarray:
        """The stars (U, I) that it gives to all films, within 1 ... 5."""
        x = Tensor(self.rows(stars), backend=self.backend)
        with no_grad():
            y = self((x - self.mean) * (x > 0).astype(x.dtype)) + self.mean
        return np.clip(y.numpy().T, 1, 5)
