"""The table of a model: output shape, parameters, multiply-adds and memory of each layer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..doors import checked
from ..instruments import watching
from ..tables import Column, Page, Table
from .embedding import Embedding
from .module import Module, Parameter
from .watch import Forward, looking, one_sample, shadowing, tensors_in

Sizes = tuple[int, ...]


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
    output_shape: Sizes
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
        return str(Page(self.parts()))

    def parts(self) -> list[Table | str]:
        """The table, then the totals."""
        frozen = self.trainable_parameters < self.parameters
        columns = COLUMNS if frozen else COLUMNS[:-1]
        rows = [_cells(row)[: len(columns)] for row in self.rows]
        totals = {
            "Total params": self.parameters,
            "Trainable params": self.trainable_parameters,
            "Non-trainable params": self.parameters - self.trainable_parameters,
            "Running statistics (non-trainable params of Keras)": self.buffers or None,
            "Multiply-adds per sample": self.multiply_adds,
            "Bytes of all results per sample": self.activation_bytes,
        }
        lines = [f"{name}: {value:,}" for name, value in totals.items() if value is not None]
        return [Table(columns, rows), "", *lines]


COLUMNS = (
    Column("Layer", least=22),
    Column("Type"),
    Column("Output Shape"),
    Column("Param #", right=True),
    Column("Multiply-adds", right=True),
    Column("Bytes", right=True, spare=1),
    Column("Trainable"),
)


def _cells(row: Row) -> list[str]:
    return [
        row.name,
        row.layer,
        f"({', '.join(['None', *map(str, row.output_shape)])})",
        f"{row.parameters:,}",
        f"{row.multiply_adds:,}",
        f"{row.activation_bytes:,}",
        _trainable(row),
    ]


def _trainable(row: Row) -> str:
    """As Keras prints it, and "part" where a layer has both kinds."""
    if row.parameters == 0:
        return "-"
    return {row.parameters: "Y", 0: "N"}.get(row.trainable_parameters, "part")


@checked
def summary(model: Module, input_shape: Sizes, dtype: Any = None) -> Summary:
    """Run one sample of zeros through `model` and note what each layer made of it.

    input_shape: without the batch axis; dtype: of the input (None: int64 for a model whose first
    layer is an Embedding, else the model's). A row is a module without submodules, or with
    parameters of its own, or a pair or stack of recurrent layers, or an operation outside of those
    that is no view; multiply-adds are those of modules. The model is in eval mode meanwhile, and
    nothing is recorded. Raises ConfigError for a bad shape, and what the layers raise if it does
    not fit.
    """
    if dtype is None and isinstance(first_layer(model), Embedding):
        dtype = np.int64
    x = one_sample("summary", model, input_shape, dtype)
    rows: list[Row] = []
    counted: set[int] = set()

    inside: list[tuple[str, bool]] = []  # the modules that are running, and whether they are rows
    closed: list[str] = []  # those of them that are one row with all that is below

    def wrap(name: str, module: Module, forward: Forward) -> Forward:
        layer = _is_layer(module)

        def watched(*inputs: Any, **options: Any) -> Any:
            if closed:
                return forward(*inputs, **options)
            inside.append((name, layer))
            closed.extend([name] * module.one_row)
            y = forward(*inputs, **options)
            inside.pop()
            closed.clear()
            if layer:
                rows.append(_row(name, module, inputs, y, counted))
            return y

        return watched

    def between(function: Any, inputs: tuple, array: Any, seconds: float) -> None:
        name, layer = inside[-1]
        if not layer and not _is_view(array, inputs):
            held = array.size * array.dtype.itemsize
            rows.append(Row(name, function.name, tuple(array.shape[1:]), 0, 0, held, 0))

    with shadowing(model, wrap), watching(between), looking(model):
        model(x)
    return _summed(model, rows)


def _is_layer(module: Module) -> bool:
    """Whether it is a row, and not only the place of others."""
    own = [member for _, member in module._members()]
    below = any(isinstance(m, Module) for m in own)
    return module.one_row or not below or any(isinstance(m, Parameter) for m in own)


def _summed(model: Module, rows: list[Row]) -> Summary:
    return Summary(
        tuple(rows),
        model.count_parameters(),
        sum(p.size for p in model.parameters() if p.requires_grad),
        sum(row.multiply_adds for row in rows),
        sum(row.activation_bytes for row in rows),
        sum(b.size for _, b in model.named_buffers()),
    )


def first_layer(model: Module) -> Module:
    """The first module without modules of its own, in the order of assignment."""
    return next((m for m in model.modules() if next(m.children(), None) is None), model)


def _is_view(array: Any, inputs: tuple) -> bool:
    """The result is another look at an input: no memory of its own."""
    if isinstance(array, np.ndarray):
        return any(np.may_share_memory(array, t.data) for t in inputs)
    return any(array.buffer is t.data.buffer for t in inputs)


def _row(name: str, module: Module, inputs: tuple, y: Any, counted: set[int]) -> Row:
    own = [m for _, m in module._members() if isinstance(m, Parameter)]
    own = module.parameters() if module.one_row else own
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
