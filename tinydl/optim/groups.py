"""Several optimisers as one: parameter groups, each with its own rule and arguments."""

from __future__ import annotations

from typing import Any

from ..doors import checked
from ..errors import ConfigError, FormatError
from .optimizer import Optimizer


class Groups:
    """Several optimisers that step as one: parameter groups, each with its own rule and arguments.

    Groups(SGD(body, lr=0.01), Adam(head)). `steps` are those of all parameters; setting `lr` scales
    every group's rate by the same factor, so that their ratios stay. A parameter may be in one
    group only. Raises ConfigError.
    """

    @checked
    def __init__(self, *optimizers: Optimizer) -> None:
        if not optimizers:
            raise ConfigError("Groups: needs at least one optimiser")
        self.optimizers = optimizers
        self.parameters = [p for o in optimizers for p in o.parameters]
        if len({id(p) for p in self.parameters}) < len(self.parameters):
            raise ConfigError("Groups: a parameter is in two groups")
        self._relative = [o.lr for o in optimizers]
        self._lr = optimizers[0].lr

    @property
    def steps(self) -> list[int]:
        return [n for o in self.optimizers for n in o.steps]

    @property
    def lr(self) -> float:
        """The first group's rate."""
        return self._lr

    @lr.setter
    def lr(self, value: float) -> None:
        if self._relative[0] == 0:
            raise ConfigError("Groups: the first group's rate was 0; set each group's lr")
        self._lr = value
        for optimizer, rate in zip(self.optimizers, self._relative, strict=True):
            optimizer.lr = value * (rate / self._relative[0])  # exact where the rates are equal

    def step(self) -> None:
        for optimizer in self.optimizers:
            optimizer.check_gradients()
        for optimizer in self.optimizers:
            optimizer.step()

    def zero_grad(self) -> None:
        for optimizer in self.optimizers:
            optimizer.zero_grad()

    def state_dict(self) -> dict[str, dict[str, Any]]:
        """Those of the groups, with "<position>." before every name."""
        merged: dict[str, dict[str, Any]] = {"scalars": {}, "arrays": {}}
        for position, optimizer in enumerate(self.optimizers):
            for kind, values in optimizer.state_dict().items():
                merged[kind] |= {f"{position}.{name}": value for name, value in values.items()}
        return merged

    def load_state_dict(self, state: dict[str, dict[str, Any]]) -> None:
        """Restore every group.

        Raises one FormatError that lists everything that does not fit; then nothing was changed.
        """
        parts: list[dict[str, dict[str, Any]]] = []
        problems = []
        for position, optimizer in enumerate(self.optimizers):
            part = {kind: _below(f"{position}.", state.get(kind, {})) for kind in KINDS}
            found = optimizer._misfits(part["scalars"], part["arrays"])
            problems += [f"group {position}: {problem}" for problem in found]
            parts.append(part)
        starts = tuple(f"{position}." for position in range(len(parts)))
        extra = [n for kind in KINDS for n in state.get(kind, {}) if not n.startswith(starts)]
        problems += [f"unexpected {name}" for name in extra]
        if problems:
            raise FormatError("load_state_dict(Groups): " + "; ".join(problems))
        for optimizer, part in zip(self.optimizers, parts, strict=True):
            optimizer.load_state_dict(part)
        self._relative = [o.lr for o in self.optimizers]
        self._lr = self._relative[0]


KINDS = ("scalars", "arrays")


def _below(start: str, values: dict[str, Any]) -> dict[str, Any]:
    return {n.removeprefix(start): v for n, v in values.items() if n.startswith(start)}
