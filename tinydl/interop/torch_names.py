"""A module's weights under the names and in the layouts that PyTorch's layers have.

| layer | here | PyTorch |
|---|---|---|
| Linear | weight (in, out) | weight (out, in) |
| Conv1d, Conv2d | (*K, in / groups, out) | (out, in / groups, *K) |
| DepthwiseConv2d | (KH, KW, C, m) | (C * m, 1, KH, KW) |
| ConvTranspose2d | (KH, KW, out / groups, in) | (in, out / groups, KH, KW) |
| normalisations | scale, shift | weight, bias; running_variance is running_var |
| SimpleRNN, LSTM, GRU | weight_x (D, gates * H), a bias | weight_ih_l0 (gates * H, D), two |
| Bidirectional | ahead, back | _l0, _l0_reverse |

Everything else keeps name and layout. A `Linear` behind a flattened image reads its columns channel
by channel in PyTorch and place by place here: that is not seen from the layer alone.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ..errors import ConfigError
from ..nn import GRU, Bidirectional, DepthwiseConv2d, Linear
from ..nn.conv import Conv2d
from ..nn.conv_forms import Conv1d, ConvTranspose2d
from ..nn.module import Module
from ..nn.norm import Affine
from ..nn.recurrent import Recurrent

Named = Iterator[tuple[str, np.ndarray]]
NORMS = {"scale": "weight", "shift": "bias", "running_variance": "running_var"}


def torch_state(model: Module) -> dict[str, np.ndarray]:
    """{PyTorch's name: array} of all parameters and buffers."""
    found: dict[str, np.ndarray] = {}
    inside: set[str] = set()
    for path, module in model.named_modules():
        if path.rpartition(".")[0] in inside:
            continue
        rows: list[tuple[str, np.ndarray]] = []
        if isinstance(module, Bidirectional):
            inside.add(path)
            rows += [*_recurrent(module.ahead, ""), *_recurrent(module.back, "_reverse")]
        else:
            rows += _recurrent(module, "") if isinstance(module, Recurrent) else _plain(module)
        found |= {f"{path}.{name}" if path else name: array for name, array in rows}
    return {name: np.ascontiguousarray(array) for name, array in found.items()}


def _plain(module: Module) -> Named:
    """The module's own arrays, without those of modules below."""
    for name, tensor in module._state().items():
        if "." in name:
            continue
        array = tensor.numpy()
        if isinstance(module, Affine):
            name = NORMS.get(name, name)
        elif name == "weight":
            array = _weight(module, array)
        yield name, array


def _weight(module: Module, array: np.ndarray) -> np.ndarray:
    if isinstance(module, Linear):
        return array.T
    if isinstance(module, DepthwiseConv2d) and array.ndim == 4:
        KH, KW, C, m = array.shape
        return array.transpose(2, 3, 0, 1).reshape(C * m, 1, KH, KW)
    if isinstance(module, ConvTranspose2d | Conv2d):
        return array.transpose(3, 2, 0, 1)
    return array.transpose(2, 1, 0) if isinstance(module, Conv1d) else array


def _recurrent(layer: Recurrent, suffix: str) -> Named:
    """The gates stand in PyTorch's order already: i, f, g, o; r, z, n."""
    first, bias_h = layer.bias.numpy(), getattr(layer, "bias_h", None)
    second = np.zeros_like(first) if bias_h is None else bias_h.numpy()
    if isinstance(layer, GRU) and bias_h is None:
        raise ConfigError("export: PyTorch's GRU resets behind the product; reset_after=False")
    yield f"weight_ih_l0{suffix}", layer.weight_x.numpy().T
    yield f"weight_hh_l0{suffix}", layer.weight_h.numpy().T
    yield f"bias_ih_l0{suffix}", first
    yield f"bias_hh_l0{suffix}", second
