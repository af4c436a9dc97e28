"""`gradcheck_op`: check one operation by name, on examples drawn from its row in `cases`."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from time import perf_counter

from ..backend import Backend
from ..errors import ConfigError
from ..random import Generator
from ..tensor import Tensor
from .cases import CASES
from .draws import Draw
from .gradients import GradientError, check_grads


@dataclass(frozen=True)
class GradcheckReport:
    """What was compared; order 0: the operation has no derivative to check, and `note` says why."""

    name: str
    order: int
    examples: int
    largest: float
    seconds: float
    note: str = ""

    def __str__(self) -> str:
        if self.order == 0:
            return f"{self.name}: forward only, {self.examples} examples ({self.note})"
        return (
            f"{self.name}: {self.examples} examples, derivatives up to order {self.order} agree; "
            f"largest deviation {self.largest:.1e} ({self.seconds:.2f} s)"
        )


def gradcheck_op(
    name: str,
    order: int = 2,
    examples: int = 20,
    seed: int = 0,
    backend: str | Backend | None = None,
) -> GradcheckReport:
    """Compare backward of the operation `name` with central differences, on drawn float64 inputs.

    Raises GradientError (with the seed of the example) where they disagree, ConfigError for an
    unknown name.
    """
    case = CASES.get(name)
    if case is None:
        close = ", ".join(get_close_matches(name, CASES, n=3)) or ", ".join(sorted(CASES))
        raise ConfigError(f"gradcheck: no operation {name!r}; there are {close}")
    order, largest, start = min(order, case.order), 0.0, perf_counter()
    for i in range(examples):
        example = case.draw(Draw(seed + i))
        tensors = [Tensor(x, backend=backend) for x in example.inputs]

        def run(*arguments, options=example.options):
            return case.function(*arguments, **options)

        if order == 0:
            run(*tensors)
            continue
        try:
            largest = max(largest, check_grads(run, tensors, order, rng=Generator(seed + i)))
        except GradientError as error:
            shapes = ", ".join(str(t.shape) for t in tensors)
            raise GradientError(
                f"{name}, seed {seed + i}, shapes {shapes}, {example.options}: {error}"
            ) from None
    return GradcheckReport(name, order, examples, largest, perf_counter() - start, case.note)
