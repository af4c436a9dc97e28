"""Files of other libraries, in and out. What an import needs is loaded when it is called."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..models.transformers.llama import Llama
    from ..nn.module import Module
    from .imported import Imported
    from .pytorch.load import Loaded


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


def load_keras(path: str | Path, model: Module | None = None) -> Module:
    """The net in a Keras file as a Module whose weights are Parameters, in evaluation mode.

    path: `.keras` (Keras 3), `.h5` of Keras 2.0 to 2.15 and of Keras 3; what it is, its first bytes
    say. Every layer becomes an nn module under its name (`net.conv2d_1.weight`), in a graph with
    several inputs and outputs, shared layers and models in models as the file has it; images are
    (N, H, W, C) as in both libraries, (N, C, H, W) where the file says channels_first. Layers that
    were not trainable are frozen. model: a model of yours that takes the weights of the file, for
    files of weights alone and others; it is returned.

    Raises ConfigError that lists every layer which is not imported, Lambda and classes of the
    file's author among them, for weights without a model, and where the package h5py is missing
    (the extra `keras`); FormatError for a file that is damaged, cut off or claims what it does not
    hold; MissingFileError. No code in a file is ever run.
    """
    from .keras.load import load_keras as load

    return load(path, model)


def load_torch(
    path: str | Path, model: Module, names: Mapping[str, str] | None = None, strict: bool = True
) -> Loaded:
    """The arrays of a PyTorch state_dict in a model of tinydl's; returns the table of what went
    where, to be printed.

    path: a safetensors file, or .npz without arrays of objects. Arrays are found by the names that
    PyTorch would give them: those of the model's own attributes, without the `layers` of a
    Sequential, such as `features.0.weight`. Weights are transposed, gates and kernels turned, the
    two biases of an LSTM added; a GRU needs reset_after=True. names: {name in the file, or the
    beginning of names: what stands there instead}, as {"enc": "encoder.memory"}. strict=False takes
    what fits.

    Raises one FormatError that lists all missing, left over and misfitting arrays, and then the
    model is as it was; FormatError for a damaged file, MissingFileError, and ConfigError for .pt,
    .pth and whatever else holds a pickle, which is never opened, with the lines that convert it.
    """
    from .pytorch.load import load_torch as load

    return load(path, model, names, strict)


def load_llama(folder: str | Path) -> Llama:
    """The Llama in a folder of Hugging Face's libraries, in float32.

    folder: config.json and the weights, model.safetensors or the files that
    model.safetensors.index.json names, under names such as model.layers.0.self_attn.q_proj.weight;
    float32, float16 and bfloat16. The rows of queries and keys are put into the order of `Llama`,
    whose rotation turns neighbours. Tokenizers are not read: a checkpoint's own library or the
    tokenizer file of llama2.c (`models.read_llama2c_tokenizer`) has the tokens.

    Raises ConfigError for another net and for what is no plain Llama's (biases, scaled rotations,
    heads of another size); FormatError for what is damaged, missing, left over or of another shape,
    MissingFileError. Names: those of transformers' LlamaForCausalLM.
    """
    from .llama import load_llama as load

    return load(folder)


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


def operator(kind: str, *inputs: Any, **options: Any) -> Any:
    """One operator of ONNX by its name: what source that was written of a net calls where tinydl
    has no operation of its own (see `apply.operator`)."""
    from .apply import operator as apply

    return apply(kind, *inputs, **options)


__all__ = ["load_keras", "load_llama", "load_onnx", "load_torch", "operator", "save_onnx"]
