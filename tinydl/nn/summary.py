"""The table of a model: output shape, parameters, multiply-adds and memory of each layer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..function import no_grad
from ..instruments import watching
from .module import Module, Parameter
from .watch import Forward, evaluating, one_sample, shadowing, tensors_in

Shape = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Row:
    """One call of one layer; or one operation between layers, in the module called `name`: a sum, a
    concatenation, a relu.

    `output_shape` is without the batch axis; `multiply_adds` and `activation_bytes`, the bytes of
    its results, are those of one sample; `parameters` are the layer's own, 0 where an earlier row
    has counted them; `trainable_parameters` those of them that are not frozen.
    """

    name: str
    layer: str
    output_shape: Shape
    parameters: int
    multiply_adds: int
    activation_bytes: int
    trainable_parameters: int


@dataclass(frozen=True, slots=True)
class Summary:
    """The rows in the order of the calls, and the totals; str() is the table of the books.

    `activation_bytes`: the sum of the rows', what the results of all layers take for one sample.
    Training keeps about that (a view, as of Flatten, takes no memory of its own; some layers keep
    more than their result). `buffers`: running statistics; Keras counts them as non-trainable
    parameters.
    """

    rows: tuple[Row, ...]
    parameters: int
    trainable_parameters: int
    multiply_adds: int
    activation_bytes: int
    buffers: int

    def __str__(self) -> str:
        heads = ["Layer (type)", "Output Shape", "Param #", "Multiply-adds", "Bytes"]
        frozen = self.trainable_parameters < self.parameters
        heads += ["Trainable"] if frozen else []
        cells = [[*_cells(row), *([_trainable(row)] if frozen else [])] for row in self.rows]
        widths = [max(len(line[i]) for line in [heads, *cells]) + 2 for i in range(len(heads))]
        rule = "=" * sum(widths)
        lines = [_line(heads, widths), rule, *[_line(c, widths) for c in cells], rule]
        lines.append(f"Total params: {self.parameters:,}")
        lines.append(f"Trainable params: {self.trainable_parameters:,}")
        lines.append(f"Non-trainable params: {self.parameters - self.trainable_parameters:,}")
        if self.buffers:
            lines.append(f"Running statistics (non-trainable params of Keras): {self.buffers:,}")
        lines.append(f"Multiply-adds per sample: {self.multiply_adds:,}")
        lines.append(f"Bytes of all results per sample: {self.activation_bytes:,}")
        return "\n".join(lines)


def _cells(row: Row) -> list[str]:
    return [
        f"{row.name} ({row.layer})" if row.name else row.layer,
        f"({', '.join(['None', *map(str, row.output_shape)])})",
        f"{row.parameters:,}",
        f"{row.multiply_adds:,}",
        f"{row.activation_bytes:,}",
    ]


def _trainable(row: Row) -> str:
    """As Keras prints it, and "part" where a layer has both kinds."""
    if row.parameters == 0:
        return "-"
    return {row.parameters: "Y", 0: "N"}.get(row.trainable_parameters, "part")


def _line(cells: list[str], widths: list[int]) -> str:
    """Text to the left, numbers to the right."""
    left = cells[0].ljust(widths[0]) + cells[1].ljust(widths[1])
    return left + "".join(c.rjust(w) for c, w in zip(cells[2:], widths[2:], strict=True))


def summary(model: Module, input_shape: Shape, dtype: Any = None) -> Summary:
    """Run one sample of zeros through `model` and note what each layer made of it.

    input_shape: without the batch axis; dtype: of the input (None: the model's). A row is a module
    without submodules, or with parameters of its own, or an operation outside of those that is no
    view; multiply-adds are those of modules. The model is in eval mode meanwhile, and
    nothing is recorded. Raises ConfigError for a bad shape, and what the layers raise if it does
    not fit.
    """
    x = one_sample("summary", model, input_shape, dtype)
    rows: list[Row] = []
    counted: set[int] = set()

    inside: list[tuple[str, bool]] = []  # the modules that are running, and whether they are rows

    def wrap(name: str, module: Module, forward: Forward) -> Forward:
        own = [member for _, member in module._members()]
        below = any(isinstance(m, Module) for m in own)
        layer = not below or any(isinstance(m, Parameter) for m in own)

        def watched(*inputs: Any, **options: Any) -> Any:
            inside.append((name, layer))
            y = forward(*inputs, **options)
            inside.pop()
            if layer:
                rows.append(_row(name, module, inputs, y, counted))
            return y

        return watched

    def between(function: Any, inputs: tuple, array: Any, seconds: float) -> None:
        name, layer = inside[-1]
        if not layer and not _is_view(array, inputs):
            held = array.size * array.dtype.itemsize
            rows.append(Row(name, function.name, tuple(array.shape[1:]), 0, 0, held, 0))

    with shadowing(model, wrap), watching(between), evaluating(model), no_grad():
        model(x)
    return Summary(
        tuple(rows),
        model.count_parameters(),
        sum(p.size for p in model.parameters() if p.requires_grad),
        sum(row.multiply_adds for row in rows),
        sum(row.activation_bytes for row in rows),
        sum(b.size for _, b in model.named_buffers()),
    )


def _is_view(array: Any, inputs: tuple) -> bool:
    """The result is another look at an input: no memory of its own."""
    if isinstance(array, np.ndarray):
        return any(np.may_share_memory(array, t.data) for t in inputs)
    return any(array.buffer is t.data.buffer for t in inputs)


def _row(name: str, module: Module, inputs: tuple, y: Any, counted: set[int]) -> Row:
    own = [m for _, m in module._members() if isinstance(m, Parameter)]
    fresh = [p for p in own if id(p) not in counted]
    counted.update(id(p) for p in fresh)
    results = tensors_in(y)
    return Row(
        name,
        type(module).__name__,
        tuple(results[0].shape[1:]) if results else (),
        sum(p.size for p in fresh),
        module.multiply_adds(inputs[0].shape),
        sum(t.size * t.dtype.itemsize for t in results),
        sum(p.size for p in fresh if p.requires_grad),
    )
