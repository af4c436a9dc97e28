"""The table of a model: output shape, parameters and multiply-adds of each layer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ..errors import ConfigError
from ..function import no_grad
from ..tensor import Tensor
from .module import Module, Parameter

Shape = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Row:
    """One call of one layer.

    `output_shape` is without the batch axis; `multiply_adds` are those of one sample; `parameters`
    are the layer's own; 0 where an earlier row has counted them.
    """

    name: str
    layer: str
    output_shape: Shape
    parameters: int
    multiply_adds: int


@dataclass(frozen=True, slots=True)
class Summary:
    """The rows in the order of the calls, and the totals; str() is the table of the books."""

    rows: tuple[Row, ...]
    parameters: int
    trainable_parameters: int
    multiply_adds: int

    def __str__(self) -> str:
        heads = ("Layer (type)", "Output Shape", "Param #", "Multiply-adds")
        cells = [
            (
                f"{row.name} ({row.layer})" if row.name else row.layer,
                f"({', '.join(['None', *map(str, row.output_shape)])})",
                f"{row.parameters:,}",
                f"{row.multiply_adds:,}",
            )
            for row in self.rows
        ]
        widths = [max(len(line[i]) for line in [heads, *cells]) + 2 for i in range(4)]
        rule = "=" * sum(widths)
        lines = [_line(heads, widths), rule, *[_line(c, widths) for c in cells], rule]
        lines.append(f"Total params: {self.parameters:,}")
        lines.append(f"Trainable params: {self.trainable_parameters:,}")
        lines.append(f"Non-trainable params: {self.parameters - self.trainable_parameters:,}")
        lines.append(f"Multiply-adds per sample: {self.multiply_adds:,}")
        return "\n".join(lines)


def _line(cells: tuple[str, ...], widths: list[int]) -> str:
    """Text to the left, numbers to the right."""
    left = cells[0].ljust(widths[0]) + cells[1].ljust(widths[1])
    return left + cells[2].rjust(widths[2]) + cells[3].rjust(widths[3])


def summary(model: Module, input_shape: Shape, dtype: Any = None) -> Summary:
    """Run one sample of zeros through `model` and note what each layer made of it.

    input_shape: without the batch axis; dtype: of the input (None: the model's). A row is a module
    without submodules, or with parameters of its own. The model is in eval mode meanwhile, and
    nothing is recorded. Raises ConfigError for a bad shape, and what the layers raise if it does
    not fit.
    """
    shape = (input_shape,) if isinstance(input_shape, int) else tuple(input_shape)
    if not all(isinstance(n, int) and n >= 1 for n in shape):
        raise ConfigError(
            f"summary: input_shape must be sizes >= 1 without batch, got {input_shape!r}"
        )
    backend = model.backend
    zeros = backend.zeros((1, *shape), model.dtype if dtype is None else dtype)
    rows: list[Row] = []
    modules = list(model.named_modules())
    modes = [module.training for _, module in modules]
    counted: set[int] = set()
    replaced: list[tuple[Module, Any]] = []
    try:
        model.eval()
        for name, module in modules:
            own = [member for _, member in module._members()]
            below = any(isinstance(m, Module) for m in own)
            if any(isinstance(m, Parameter) for m in own) or not below:
                replaced.append((module, vars(module).get("forward")))
                _watch(name, module, rows, counted)
        with no_grad():
            model(Tensor._new(zeros, backend))
    finally:
        for (_, module), mode in zip(modules, modes, strict=True):
            module.training = mode
        for module, forward in replaced:
            vars(module).pop("forward", None)
            if forward is not None:
                vars(module)["forward"] = forward
    trained = sum(p.size for p in model.parameters() if p.requires_grad)
    total = sum(row.multiply_adds for row in rows)
    return Summary(tuple(rows), model.count_parameters(), trained, total)


def _watch(name: str, module: Module, rows: list[Row], counted: set[int]) -> None:
    """Shadow module.forward on the instance with one that also appends a row."""
    forward: Callable[..., Any] = module.forward

    def watching_forward(*inputs: Any, **options: Any) -> Any:
        y = forward(*inputs, **options)
        fresh = [
            m for _, m in module._members() if isinstance(m, Parameter) and id(m) not in counted
        ]
        counted.update(id(p) for p in fresh)
        rows.append(
            Row(
                name,
                type(module).__name__,
                tuple(y.shape[1:]) if isinstance(y, Tensor) else (),
                sum(p.size for p in fresh),
                module.multiply_adds(inputs[0].shape),
            )
        )
        return y

    module.forward = watching_forward  # type: ignore[method-assign]
