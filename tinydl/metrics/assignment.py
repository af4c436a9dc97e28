"""The best way of giving everybody something of their own: the Hungarian method."""

from __future__ import annotations

import numpy as np

from ..doors import checked
from ..errors import ConfigError, ShapeError


@checked
def assignment(cost: np.ndarray) -> np.ndarray:
    """columns (N,) int64, all different, with the least sum of cost[i, columns[i]].

    cost (N, M) with N <= M, finite. Row after row is added to what is already assigned along the
    cheapest chain of exchanges: Dijkstra's shortest path over costs less potentials u_i + v_j,
    which are kept so that no cost falls below 0 and those in use are 0. N^2 M steps. Kuhn 1955,
    doi:10.1002/nav.3800020109; in this form Jonker and Volgenant 1987. ShapeError, ConfigError.
    """
    if cost.ndim != 2 or cost.shape[0] > cost.shape[1]:
        raise ShapeError(f"assignment: needs cost (N, M) with N <= M, got {cost.shape}")
    cost = cost.astype(np.float64)
    if not np.isfinite(cost).all():
        raise ConfigError("assignment: costs must be finite")
    N, M = cost.shape
    u, v = np.zeros(N), np.zeros(M)
    owner = np.full(M, -1)  # the row that has a column
    for row in range(N):
        away, before = np.full(M, np.inf), np.full(M, -1)  # of each column; the column before it
        done, here, column = np.zeros(M, bool), row, -1
        while True:
            length = 0.0 if column < 0 else away[column]
            shorter = length + cost[here] - u[here] - v < away
            shorter &= ~done
            away[shorter] = (length + cost[here] - u[here] - v)[shorter]
            before[shorter] = column
            column = int(np.where(done, np.inf, away).argmin())
            done[column], here = True, owner[column]
            if here < 0:
                break
        u[row] += away[column]
        inner = done & (owner >= 0)
        u[owner[inner]] += away[column] - away[inner]
        v[inner] -= away[column] - away[inner]
        while column >= 0:  # everybody on the path moves on by one
            last = before[column]
            owner[column] = row if last < 0 else owner[last]
            column = last
    columns = np.empty(N, np.int64)
    columns[owner[owner >= 0]] = np.flatnonzero(owner >= 0)
    return columns
