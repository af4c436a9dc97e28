"""Weights and checkpoints as safetensors files, written atomically (tensor_files.py).

`save_weights` writes what a user keeps: the tensors of `state_dict()`, loadable by anything that
reads safetensors. `save_checkpoint` writes what a run needs to go on exactly as if it had never
stopped, as ONE file, so that there is one commit point (a rename): tensors "model.<name>",
"optimizer.<name>", "state.<name>.<number>" (what stateful recurrent layers keep) and
"callback.<which>.<name>" (such as the best epoch's weights of EarlyStopping), and in the header's
metadata a JSON text with epoch, history, optimizer scalars, the states of the default
random generator and of all that modules own (`Module.named_generators`), the position in the data,
and the caller's configuration.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..data import Batches
from ..doors import fitting
from ..errors import ConfigError, FormatError
from ..quoting import quoted, shown
from ..random import default_generator
from ..tensor import Tensor
from .history import History
from .schema import BATCHES, check, read_json
from .tensor_files import MOST_BYTES, read_tensors, write_tensors

if TYPE_CHECKING:
    from ..nn import Module
    from .loop import State

FORMAT = "tinydl-checkpoint-1"
MODEL, OPTIMIZER, KEPT, CALLBACK = "model.", "optimizer.", "state.", "callback."


@fitting
def save_weights(model: Module, path: str | Path) -> None:
    """The model's `state_dict()` as a file `NAME.safetensors`, written atomically. ConfigError for
    anything but a model, and for a name that promises another format."""
    _check_model("save_weights", model)
    if Path(path).suffix != ".safetensors":
        raise ConfigError(
            f"save_weights: writes safetensors files, got the name {shown(path)}; save to "
            f"{shown(Path(path).with_suffix('.safetensors'))}"
        )
    write_tensors(path, model.state_dict(), {"format": "tinydl"})


@fitting
def load_weights(model: Module, path: str | Path) -> None:
    """Load a safetensors file into the model; FormatError, nothing changed, if it does not fit or
    holds a NaN or an infinity. ConfigError for anything but a model."""
    _check_model("load_weights", model)
    tensors, _ = read_tensors(path)
    load_tensors(model, tensors, path)


def load_tensors(model: Module, tensors: Mapping[str, np.ndarray], path: str | Path) -> None:
    """The same with the tensors that `path` held."""
    if wrong := not_finite(tensors):
        raise FormatError(f"{path} holds weights that are no numbers: {wrong}")
    _fitting(model, tensors, path)


def _check_model(op: str, model: Any) -> None:
    if not hasattr(model, "load_state_dict"):
        raise ConfigError(f"{op}: takes the model, then the path, got {type(model).__name__} first")


def not_finite(tensors: Mapping[str, np.ndarray]) -> str:
    """ "head.weight (3 of 1,280 are NaN or infinite)", the first such tensor, or ""."""
    for name, array in tensors.items():
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            count = array.size - int(np.isfinite(array).sum())
            return f"{name} ({count:,} of {array.size:,} are NaN or infinite)"
    return ""


@fitting
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
    callbacks = {key: c.state_dict() for key, c in _with_state(state.callbacks).items()}
    for key, kept in callbacks.items():
        tensors |= {f"{CALLBACK}{key}.{name}": array for name, array in kept["arrays"].items()}
    position = state.data.state_dict() if hasattr(state.data, "state_dict") else None
    saved = {
        "epoch": state.epoch,
        "history": state.history.rows,
        "optimizer": optimizer["scalars"],
        "generator": default_generator().state_dict(),
        "generators": {k: g.state_dict() for k, g in state.model.named_generators()},
        "data": position,
        "callbacks": {key: kept["scalars"] for key, kept in callbacks.items()},
        "config": dict(config or {}),
    }
    metadata = {"format": FORMAT, "state": json.dumps(saved, default=_plain)}
    write_tensors(path, tensors, metadata)


@fitting
def load_checkpoint(
    path: str | Path, most: int = MOST_BYTES
) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """(tensors, saved state) of a checkpoint file of at most `most` bytes; FormatError if it is
    none, or a part of one."""
    tensors, metadata = read_tensors(path, most)
    found = metadata.get("format", "no format mark")
    if found != FORMAT:
        raise FormatError(f"checkpoint: {path} is not a {FORMAT} file (it has {quoted(found)})")
    for key in ("state", "sha256"):  # without a seal, damage would pass as good
        if key not in metadata:
            raise FormatError(
                f"checkpoint: {path} is damaged or of an older tinydl (its header lacks {key!r}); "
                "its run can be evaluated and predict, but a training must begin anew"
            )
    return tensors, read_json(metadata["state"], "checkpoint", f"checkpoint: {path}")


def restore(path: str | Path, state: State, callbacks: Sequence[Any] = ()) -> dict[str, Any]:
    """Put a run back where `save_checkpoint` found it; returns the saved `config`.

    Changes the model, the optimizer, the data's position, the default generator of this context,
    `state.epoch` and `state.history`, and what `callbacks` keep (those that the resumed `fit` gets,
    each taking what one of its class and monitor had saved): all of them, or none where an error is
    raised. FormatError if the file does not fit the model, the optimizer or a callback, ConfigError
    if it does not fit the data.
    """
    return restore_saved(*load_checkpoint(path), state, path, callbacks)


def restore_saved(
    tensors: Mapping[str, np.ndarray],
    saved: dict[str, Any],
    state: State,
    path: str | Path,
    callbacks: Sequence[Any] = (),
) -> dict[str, Any]:
    """The same with what `load_checkpoint` gave."""
    generators, layers = dict(state.model.named_generators()), _stateful(state.model)
    drawn = {k.removeprefix("."): v for k, v in saved["generators"].items()}  # ".rng": older files
    if generators.keys() != drawn.keys():
        raise FormatError(
            f"checkpoint: {path} has generators {quoted(sorted(drawn))}, not {sorted(generators)}"
        )
    optimizer = {"scalars": saved["optimizer"], "arrays": _below(OPTIMIZER, tensors)}
    kept = {name: _kept(name, tensors, path) for name in layers}
    told = saved.get("callbacks", {})  # older files have none
    if not isinstance(told, dict) or not all(isinstance(k, dict) for k in told.values()):
        raise FormatError(f"checkpoint: {path} has callbacks that are no objects")
    data: Any = state.data
    movable = saved["data"] is not None and hasattr(data, "load_state_dict")
    if movable and isinstance(data, Batches):
        check(saved["data"], BATCHES, f"checkpoint: {path} is damaged: its data")
    with ExitStack() as undo:  # run backwards where an error leaves the block
        undo.callback(state.model.load_state_dict, state.model.state_dict())
        load_tensors(state.model, _below(MODEL, tensors), path)
        undo.callback(state.optimizer.load_state_dict, state.optimizer.state_dict())
        state.optimizer.load_state_dict(optimizer)
        for name, layer in layers.items():
            undo.callback(layer.keep_state, layer.kept_state())
            layer.keep_state([Tensor(array, backend=state.model.backend) for array in kept[name]])
        for name, generator in generators.items():
            undo.callback(generator.load_state_dict, generator.state_dict())
            generator.load_state_dict(drawn[name])
        if movable:
            if not isinstance(data, Batches):  # those check before they change
                undo.callback(data.load_state_dict, data.state_dict())
            data.load_state_dict(saved["data"])
        for key, callback in _with_state(callbacks).items():
            if key in told:
                undo.callback(callback.load_state_dict, callback.state_dict())
                arrays = _below(f"{CALLBACK}{key}.", tensors)
                callback.load_state_dict({"scalars": told[key], "arrays": arrays})
        undo.pop_all()
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


def _with_state(callbacks: Sequence[Any]) -> dict[str, Any]:
    """The callbacks that keep something, by class and monitor; equal ones are numbered."""
    found: dict[str, Any] = {}
    for callback in callbacks:
        if hasattr(callback, "state_dict") and hasattr(callback, "load_state_dict"):
            key = name = f"{type(callback).__name__}({getattr(callback, 'monitor', '')})"
            while key in found:
                key = f"{name}#{len(found)}"
            found[key] = callback
    return found


def _stateful(model: Module) -> dict[str, Any]:
    """The layers that go on from their last state, by place."""
    modules = dict(model.named_modules())
    return {name: module for name, module in modules.items() if getattr(module, "stateful", False)}


def _kept(name: str, tensors: Mapping[str, np.ndarray], path: str | Path) -> list[np.ndarray]:
    """The kept tensors of the layer of this name, in order; FormatError if one is missing."""
    below = _below(f"{KEPT}{name}.", tensors)  # also those of stateful layers inside this one
    own = {number: array for number, array in below.items() if number.isdigit()}
    if own.keys() != {str(k) for k in range(len(own))}:
        raise FormatError(f"checkpoint: {path} is damaged: layer {name} kept {quoted(sorted(own))}")
    return [own[str(k)] for k in range(len(own))]


def _below(prefix: str, tensors: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}


def _plain(value: Any) -> Any:
    """NumPy numbers as JSON's."""
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"checkpoint: {type(value).__name__} is not JSON-able")
