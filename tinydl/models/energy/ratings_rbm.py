"""Restricted Boltzmann machines for tables with holes: a user's machine has the films they rated.

What was not rated takes no part: such a unit is absent, not 0, so it adds nothing to the energy of
that user and gets no gradient. All users share the weights.
"""

from __future__ import annotations

import numpy as np

from ... import ops
from ...creation import uniform
from ...errors import ShapeError
from ...function import no_grad
from ...nn.linear import check_size
from ...random import Generator, default_generator
from ...tensor import Tensor
from .rbm import RBM, drawn

MOST, DAMPING = 5, 5.0  # stars; ratings' worth of the mean of all that each film begins with


class MaskedRBM(RBM):
    """The energy of `RBM` over the rated films, with v in (0, 1] and 0 for "not rated".

    v is a rating divided by the highest, 0.2 ... 1 for five stars, read as a probability: a step
    takes P(v | h) itself instead of a draw, and sets to 0 what was 0 (the book's changed chain).
    Parameters as in `RBM`: 300,266 for the 3706 films of MovieLens 1M and 80 hidden units.

    Liu and Mehta, chapter 3. A rating of two stars out of five is here a coin that shows 1 two
    times of five, and P(v | h) can never say "either one star or five": `RatingsRBM` can.
    """

    def step(self, v: Tensor, rng: Generator) -> Tensor:
        p = self.visible(drawn(self.hidden(v), rng))
        return ops.where(v != 0, p, ops.broadcast_to(0 * p, p.shape))

    def start(self, stars: np.ndarray) -> None:
        """Before the training: a = logit of each film's mean rating, as section 8.1 of Hinton's
        guide has it for bits. A film of few ratings is drawn towards the mean of all."""
        v = self.rows(stars)
        rated = (v > 0).sum(axis=0)
        mean = (v.sum(axis=0) + DAMPING * v.sum() / rated.sum()) / (rated + DAMPING)
        self.visible_bias.assign(np.log(mean / (1 - mean)).astype(self.dtype))

    def rows(self, stars: np.ndarray) -> np.ndarray:
        """Users with stars (U, I) of 0 to 5 as rows v; 0 is "not rated"."""
        return (np.asarray(stars) / MOST).astype(self.dtype)

    def guess(self, stars: np.ndarray) -> np.ndarray:
        """The stars (U, I) that are expected for all films: one step up and down with
        probabilities."""
        with no_grad():
            return MOST * self.reconstruct(Tensor(self.rows(stars), backend=self.backend)).numpy()


class RatingsRBM(RBM):
    """E(v, h) = -sum_ik v_ik a_ik - h.b - sum_ikj v_ik W_ikj h_j; v_i is one of K ratings, or none.

    | parameter | shape | for 1682 films, 5 ratings, 100 hidden |
    |---|---|---|
    | weight W | (I K, H) | 841,000 |
    | visible_bias a | (I K,) | 8,410 |
    | hidden_bias b | (H,) | 100 |
    | all | | 849,510 |

    P(v_i = k | h) = softmax_k(a_i + h W_i^T). v (N, I K) holds one-hot rows of K for rated films
    and K zeros for others, as `one_hot_ratings` makes them. A step draws every rated film anew; a
    film that was not rated stays absent.

    items, ratings, hidden: I, K, H. Salakhutdinov, Mnih and Hinton 2007 (ICML), equations 1 to 8.
    """

    def __init__(
        self,
        items: int = 1682,
        ratings: int = 5,
        hidden: int = 100,
        chains: int = 0,
        rng: Generator | None = None,
    ) -> None:
        check_size("RatingsRBM", items=items, ratings=ratings)
        rng = default_generator() if rng is None else rng
        super().__init__(items * ratings, hidden, chains=chains, rng=rng)
        self.items, self.ratings = items, ratings

    def films(self, v: Tensor) -> Tensor:
        """(N, I K) as (N, I, K)."""
        return v.reshape((len(v), self.items, self.ratings))

    def visible(self, h: Tensor) -> Tensor:
        """P(v_i = k | h) of all films, (N, I K)."""
        return ops.softmax(self.films(self.outputs(h)), axis=-1).reshape((len(h), -1))

    def sample_visible(self, h: Tensor, rng: Generator) -> Tensor:
        """One rating for every film: the number of cumulated probabilities that u has passed."""
        p = self.films(self.visible(h))
        u = uniform((*p.shape[:2], 1), dtype=p.dtype, rng=rng, backend=p.backend)
        passed = ops.cumsum(p, axis=-1)[:, :, :-1] <= u
        found = passed.astype("int64").sum(axis=-1)
        return ops.one_hot(found, self.ratings, p.dtype).reshape((len(h), -1))

    def step(self, v: Tensor, rng: Generator) -> Tensor:
        rated = self.films(v).sum(axis=-1, keepdims=True)
        made = self.films(super().step(v, rng))
        return (made * rated).reshape(v.shape)

    def log_sum_visible(self, h: Tensor) -> Tensor:
        """Of a user who rates everything, (N,)."""
        return h @ self.hidden_bias + ops.logsumexp(self.films(self.outputs(h)), axis=-1).sum(
            axis=1
        )

    def start(self, stars: np.ndarray) -> None:
        """Before the training: a = log of each film's shares of ratings, as section 8.1 of Hinton's
        guide has it for bits; of few ratings they are drawn towards the shares of all."""
        counts = self.rows(stars).sum(axis=0, dtype=np.float64).reshape(self.items, self.ratings)
        shares = counts.sum(axis=0) / counts.sum()
        drawn_to = counts + DAMPING * (shares + 1e-6)
        a = np.log(drawn_to / drawn_to.sum(axis=1, keepdims=True))
        self.visible_bias.assign(a.ravel().astype(self.dtype))

    def rows(self, stars: np.ndarray) -> np.ndarray:
        """Users with stars (U, I) of 0 to K as rows v."""
        return one_hot_ratings(stars, self.ratings).astype(self.dtype)

    def guess(self, stars: np.ndarray) -> np.ndarray:
        """The stars (U, I) that are expected for all films."""
        with no_grad():
            return self.stars(Tensor(self.rows(stars), backend=self.backend)).numpy()

    def stars(self, v: Tensor) -> Tensor:
        """The expected ratings 1 ... K of all films for users v, (N, I): one step up and down
        with probabilities."""
        p = self.films(self.reconstruct(v))
        scale = np.arange(1, self.ratings + 1, dtype=np.float64).astype(p.dtype)
        return p @ Tensor(scale, backend=p.backend)


def one_hot_ratings(stars: np.ndarray, ratings: int = 5) -> np.ndarray:
    """A table of stars (N, I), integers 1 ... K with 0 for none, as float32 (N, I K). ShapeError
    for values beyond."""
    table = np.asarray(stars)
    if table.ndim != 2 or not np.isin(table, np.arange(ratings + 1)).all():
        raise ShapeError(
            f"one_hot_ratings: stars must be (N, I) of 0 ... {ratings}, got {table.shape} with "
            f"{table.min(initial=0):g} ... {table.max(initial=0):g}"
        )
    held = table[:, :, None] == np.arange(1, ratings + 1)
    return held.reshape(len(table), -1).astype(np.float32)
