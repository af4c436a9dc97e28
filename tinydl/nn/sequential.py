"""Modules in a row."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..doors import fitting
from ..errors import ConfigError
from .module import Module


class Sequential(Module):
    """Modules one after the other: the output of each is the input of the next.

    Raises ConfigError for anything that is not a Module.
    """

    @fitting
    def __init__(self, *modules: Module) -> None:
        for i, module in enumerate(modules):
            if not isinstance(module, Module):
                raise ConfigError(
                    f"Sequential: item {i} must be a Module, got {type(module).__name__}"
                    " (write Sequential(*modules) for a list)"
                )
        self.layers = list(modules)

    def forward(self, x: Any) -> Any:
        for layer in self.layers:
            x = layer(x)
        return x

    def __len__(self) -> int:
        return len(self.layers)

    def __getitem__(self, index: int) -> Module:
        return self.layers[index]

    def __iter__(self) -> Iterator[Module]:
        return iter(self.layers)
