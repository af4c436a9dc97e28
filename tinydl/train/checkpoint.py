"""Weights and checkpoints as safetensors files, written atomically.

`save_weights` writes what a user keeps: the tensors of `state_dict()`, loadable by anything that
reads safetensors. `save_checkpoint` writes what a run needs to go on exactly as if it had never
stopped, as ONE file, so that there is one commit point (a rename): tensors "model.<name>",
"optimizer.<name>" and "state.<name>.<number>" (what stateful recurrent layers keep), and in the
header's metadata a JSON text with epoch, history, optimizer scalars, the states of all random
generators, the position in the data, and the caller's configuration.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import FormatError
from ..random import Generator, default_generator
from ..tensor import Tensor
from .files import write_atomically
from .history import History

if TYPE_CHECKING:
    from ..nn import Module
    from .loop import State

FORMAT = "tinydl-checkpoint-1"
MODEL, OPTIMIZER, KEPT = "model.", "optimizer.", "state."


def save_weights(model: Module, path: str | Path) -> None:
    """The model's `state_dict()` as a safetensors file, written atomically."""
    write_atomically(path, _packed(model.state_dict(), {"format": "tinydl"}))


def load_weights(model: Module, path: str | Path) -> None:
    """Load a safetensors file into the model; FormatError, nothing changed, if it does not fit."""
    tensors, _ = read_tensors(path)
    _fitting(model, tensors, path)


def read_tensors(path: str | Path) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """All tensors of a safetensors file, and the metadata of its header.

    FormatError for a file that is missing, truncated or something else; the message names the file.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load

    try:
        content = Path(path).read_bytes()
    except OSError as error:
        raise FormatError(f"safetensors: cannot read {path} ({error.strerror})") from None
    try:
        tensors = load(content)
        header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
    except (SafetensorError, KeyError, ValueError) as error:
        raise FormatError(
            f"safetensors: {path} is truncated or not a safetensors file ({len(content)} bytes: "
            f"{error})"
        ) from None
    return tensors, header.get("__metadata__", {})


def save_checkpoint(
    path: str | Path, state: State, config: Mapping[str, Any] | None = None
) -> None:
    """Everything that `restore` needs, at the end of an epoch; `config` (JSON-able) goes along."""
    optimizer = state.optimizer.state_dict()
    tensors = {MODEL + name: array for name, array in state.model.state_dict().items()}
    tensors |= {OPTIMIZER + name: array for name, array in optimizer["arrays"].items()}
    for name, layer in _stateful(state.model).items():
        kept = layer.kept_state()
        tensors |= {f"{KEPT}{name}.{k}": tensor.numpy() for k, tensor in enumerate(kept)}
    position = state.data.state_dict() if hasattr(state.data, "state_dict") else None
    saved = {
        "epoch": state.epoch,
        "history": state.history.rows,
        "optimizer": optimizer["scalars"],
        "generator": default_generator().state_dict(),
        "generators": {k: g.state_dict() for k, g in _generators(state.model).items()},
        "data": position,
        "config": dict(config or {}),
    }
    metadata = {"format": FORMAT, "state": json.dumps(saved, default=_plain)}
    write_atomically(path, _packed(tensors, metadata))


def load_checkpoint(path: str | Path) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """(tensors, saved state) of a checkpoint file; FormatError if it is none, or a part of one."""
    tensors, metadata = read_tensors(path)
    if metadata.get("format") != FORMAT:
        found = metadata.get("format", "no format mark")
        raise FormatError(f"checkpoint: {path} is not a {FORMAT} file (it has {found})")
    try:
        return tensors, json.loads(metadata["state"])
    except (KeyError, ValueError) as error:
        raise FormatError(f"checkpoint: the state in {path} is damaged ({error})") from None


def restore(path: str | Path, state: State) -> dict[str, Any]:
    """Put a run back where `save_checkpoint` found it; returns the saved `config`.

    Changes the model, the optimizer, the data's position, the default generator of this context,
    and `state.epoch` and `state.history`. FormatError if the file does not fit the model or the
    optimizer; then nothing was changed.
    """
    tensors, saved = load_checkpoint(path)
    generators = _generators(state.model)
    if generators.keys() != saved["generators"].keys():
        raise FormatError(
            f"checkpoint: {path} has generators {sorted(saved['generators'])}, not "
            f"{sorted(generators)}"
        )
    before = state.model.state_dict()
    _fitting(state.model, _below(MODEL, tensors), path)
    try:
        state.optimizer.load_state_dict(
            {"scalars": saved["optimizer"], "arrays": _below(OPTIMIZER, tensors)}
        )
    except FormatError:
        state.model.load_state_dict(before)
        raise
    _restore_kept(state.model, _below(KEPT, tensors))
    for name, generator in generators.items():
        generator.load_state_dict(saved["generators"][name])
    if saved["data"] is not None and hasattr(state.data, "load_state_dict"):
        state.data.load_state_dict(saved["data"])
    default_generator().load_state_dict(saved["generator"])
    state.epoch, state.history = saved["epoch"], History(saved["history"])
    return saved["config"]


SHOWN = 6  # differences that a message names; two networks may have hundreds


def _fitting(model: Module, tensors: Mapping[str, np.ndarray], path: str | Path) -> None:
    try:
        model.load_state_dict(dict(tensors))
    except FormatError as error:
        differences = str(error).split("; ")
        told = "; ".join(differences[:SHOWN])
        more = f"; and {len(differences) - SHOWN} more" if len(differences) > SHOWN else ""
        raise FormatError(f"{path} holds the weights of another model: {told}{more}") from None


def _generators(model: Module) -> dict[str, Generator]:
    """The generators that modules hold themselves (`Dropout(0.5, rng=...)`), by place."""
    return {
        f"{name}.{attribute}": value
        for name, module in model.named_modules()
        for attribute, value in vars(module).items()
        if isinstance(value, Generator)
    }


def _stateful(model: Module) -> dict[str, Any]:
    """The layers that go on from their last state, by place."""
    modules = dict(model.named_modules())
    return {name: module for name, module in modules.items() if getattr(module, "stateful", False)}


def _restore_kept(model: Module, arrays: Mapping[str, np.ndarray]) -> None:
    for name, layer in _stateful(model).items():
        kept = _below(f"{name}.", arrays)
        layer.keep_state([Tensor(kept[str(k)], model.backend) for k in range(len(kept))])


def _below(prefix: str, tensors: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}


def _packed(tensors: Mapping[str, np.ndarray], metadata: dict[str, str]) -> bytes:
    from safetensors.numpy import save

    return save({name: np.asarray(array, order="C") for name, array in tensors.items()}, metadata)


def _plain(value: Any) -> Any:
    """NumPy numbers as JSON's."""
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"checkpoint: {type(value).__name__} is not JSON-able")
