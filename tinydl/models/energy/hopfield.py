"""The Hopfield network: patterns are stored as the valleys of an energy, and found by falling."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from ...doors import checked
from ...errors import ConfigError, ShapeError
from ...nn.linear import check_size
from ...random import Generator


@dataclass(slots=True)
class HopfieldNetwork:
    """E(s) = -s.W s / 2 for s in {-1, 1}^n, W symmetric with zeros on the diagonal.

    W = sum_p x_p x_p^T / n without its diagonal (Hebb's rule): one look at each pattern, no
    gradient. Recall sets one unit after the other to the sign of sum_j w_ij s_j, and leaves it
    where that is 0; each change lowers E, so that it ends in a valley: a stored pattern, its
    negative, or a mixture of several. Random patterns are recalled up to about 0.138 n of them
    (Amit, Gutfreund and Sompolinsky 1985); n of them can be no more told apart.

    units: n. Patterns (P, n) and states (N, n) hold -1 and 1. Hopfield 1982 (PNAS 79), whose units
    are 0 and 1. ConfigError, ShapeError.
    """

    units: int
    weight: np.ndarray = field(init=False)  # (n, n) float64

    def __post_init__(self) -> None:
        check_size("HopfieldNetwork", units=self.units)
        self.weight = np.zeros((self.units, self.units))

    @checked
    def store(self, patterns: np.ndarray) -> None:
        """Add patterns (P, n) to those that are stored."""
        x = self._signs("store", patterns)
        self.weight += x.T @ x / self.units
        np.fill_diagonal(self.weight, 0)

    @checked
    def energy(self, states: np.ndarray) -> np.ndarray:
        """E of states (N, n), (N,)."""
        s = self._signs("energy", states)
        return -0.5 * np.einsum("ni,ij,nj->n", s, self.weight, s)

    @checked
    def recall(self, start: np.ndarray, rng: Generator, sweeps: int = 100) -> list[np.ndarray]:
        """From one state (n,) downhill: the state at first and after every sweep over all units in
        a new random order; the last two are equal, unless `sweeps` were not enough."""
        seen = [self._signs("recall", start[None])[0]]
        for _ in range(sweeps):
            s = seen[-1].copy()
            for i in rng.permutation(self.units):
                field_here = self.weight[i] @ s
                if field_here:
                    s[i] = np.sign(field_here)
            seen.append(s)
            if np.array_equal(s, seen[-2]):
                break
        return seen

    def _signs(self, method: str, states: np.ndarray) -> np.ndarray:
        if states.ndim != 2 or states.shape[1] != self.units:
            raise ShapeError(
                f"HopfieldNetwork.{method}: states must be (N, {self.units}), got {states.shape}"
            )
        if not np.isin(states, (-1, 1)).all():
            raise ConfigError(f"HopfieldNetwork.{method}: states hold -1 and 1 only")
        return states.astype(np.float64)
