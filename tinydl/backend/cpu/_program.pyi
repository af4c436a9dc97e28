from collections.abc import Sequence
from typing import Any

from numpy import ndarray

KINDS: dict[str, int]
OPERATIONS: dict[str, int]
AXES: int

def level() -> int: ...
def block(size: int) -> ndarray: ...

class Steps:
    def __init__(self, arena: ndarray, outputs: Sequence[tuple[Sequence[int], Any]]) -> None: ...
    def add(
        self,
        kind: int,
        wide: bool,
        level: int,
        operands: list[tuple | None],
        sizes: Sequence[int],
        epilogue: int = 0,
        packed: bool = False,
        eps: float = 0.0,
    ) -> None: ...
    def new_outputs(self) -> list[ndarray]: ...
    def bind(self, inputs: list[ndarray], outputs: list[ndarray]) -> None: ...
    def run(self, first: int, last: int, seconds: list[float] | None = None) -> None: ...
    def call(self, inputs: list[ndarray]) -> list[ndarray]: ...
