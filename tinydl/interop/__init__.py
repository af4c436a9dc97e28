"""Files of other libraries, in and out. What an import needs is loaded when it is called."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..nn.module import Module
    from .imported import Imported


def load_onnx(
    path: str | Path,
    inputs: Mapping[str, Any] | None = None,
    shapes: Mapping[str, Sequence[int]] | None = None,
) -> Imported:
    """The net in an ONNX file as a Module whose weights are Parameters, in evaluation mode.

    inputs: {name: value} of inputs that are to be constants, such as a sampling rate on which the
    graph branches; shapes: {name: sizes} where the file leaves them open and the graph branches on
    them. Images stay (N, C, H, W) outside and run with the channels last inside; all arithmetic on
    constants is done here, that on shapes at the first call with these shapes. On the
    processor, in evaluation and with recording off, it runs as a program of `tinydl.compile`.

    Raises ConfigError that lists every operator which is not imported, with its nodes, and where
    the package onnx is missing (the extra `onnx`); FormatError for a file that is damaged, cut off
    or claims what it does not hold; MissingFileError. No code in a file is ever run.
    """
    from .imported import load_onnx as load

    return load(path, inputs, shapes)


def save_onnx(model: Module, path: str | Path, example: Any, opset: int = 17) -> None:
    """Write what the model computes in evaluation mode as an ONNX file with an open batch axis.

    example: one batch that the model takes (a tensor or an array), or a tuple of them. The forward
    pass runs twice, on batches of two lengths; its operations become the nodes, recurrent layers
    ONNX's RNN, LSTM and GRU, the weights keep their names. Images are (N, H, W, C) as in tinydl.
    The file is checked by onnx before it is written.

    Raises ConfigError that lists the operations which have no counterpart, for a model that
    computes outside of tinydl's operations or other operations for another number of samples, and
    where the package onnx is missing (the extra `onnx`).
    """
    from .export import save_onnx as save

    save(model, path, example, opset)


__all__ = ["load_onnx", "save_onnx"]
