"""What an agent has seen: the last steps, from which batches are drawn."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ...arguments import whole
from ...errors import ConfigError, FormatError
from ...random import Generator


class Replay:
    """The last `capacity` steps (state, action, reward, state after it, ended), in a ring.

    width: numbers of a state. total: how many steps were ever added. Drawing is even, with
    replacement. Lin 1992 (Machine Learning 8), Mnih et al. 2015. ConfigError for sizes below 1.
    """

    def __init__(self, capacity: int, width: int) -> None:
        whole("Replay", "capacity", capacity, 1)
        whole("Replay", "width", width, 1)
        self.lr, self.total = 0.0, 0  # a memory has no rate; a checkpoint asks its members
        self.columns: dict[str, np.ndarray] = {
            "states": np.zeros((capacity, width), np.float32),
            "actions": np.zeros(capacity, np.int64),
            "rewards": np.zeros(capacity, np.float32),
            "following": np.zeros((capacity, width), np.float32),
            "ended": np.zeros(capacity, np.uint8),
        }

    def __len__(self) -> int:
        return min(self.total, len(self.columns["actions"]))

    def add(
        self, state: np.ndarray, action: int, reward: float, following: np.ndarray, ended: bool
    ) -> None:
        """Keep one step; the oldest makes room. ended: nothing follows."""
        place = self.total % len(self.columns["actions"])
        step = (state, action, reward, following, ended)
        for column, value in zip(self.columns.values(), step, strict=True):
            column[place] = value
        self.total += 1

    def draw(self, count: int, rng: Generator) -> tuple[np.ndarray, ...]:
        """`count` steps: states, actions, rewards, following, ended (bool)."""
        if not len(self):
            raise ConfigError("Replay.draw: nothing was added yet")
        rows = rng.integers(0, len(self), (count,))
        *others, ended = (column[rows] for column in self.columns.values())
        return (*others, ended.astype(bool))

    def state_dict(self) -> dict[str, Any]:
        return {"scalars": {"total": self.total}, "arrays": dict(self.columns)}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """FormatError, nothing changed, for arrays of other names, shapes or types."""
        arrays, total = state["arrays"], state["scalars"].get("total")
        kinds = {name: (column.shape, column.dtype) for name, column in self.columns.items()}
        if {name: (a.shape, a.dtype) for name, a in arrays.items()} != kinds:
            raise FormatError("Replay: the state has other columns than this memory")
        if type(total) is not int or total < 0:
            raise FormatError(f"Replay: total must be a count, got {total!r}")
        self.columns = {name: np.array(arrays[name]) for name in self.columns}
        self.total = total
