"""Grad-CAM: where the last feature maps speak for a class."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import ops
from ..doors import checked
from ..errors import ConfigError, ShapeError
from ..nn import Conv2d, Module, looking
from ..nn.watch import Forward, shadowing, tensors_in
from ..quoting import quoted
from ..tensor import Tensor
from .asking import classes_of, on_model, outputs_of, recorded, samples, slope


@checked
def grad_cam(
    model: Module,
    x: np.ndarray,
    target: Any = None,
    layer: str | None = None,
    enlarged: bool = True,
) -> np.ndarray:
    """relu(sum_k a_k A_k), the feature maps A_k (N, h, w, K) of a layer weighted by what they do.

        a_k = 1 / (h w) sum_ij dS_c / dA_ij,k

    In a network that ends in a mean over all places and a linear layer, a_k is the weight of the
    map for the class, over h w: Grad-CAM is then the class activation map (section 3.1).

    x (N, H, W, C), target, errors: as in `saliency`. layer: a name of `named_modules()` with a
    result (N, h, w, K); None: `last_convolution`. Result: (N, H, W), by bilinear interpolation, or
    (N, h, w) where not `enlarged`; >= 0. Raises ConfigError for a layer that there is not, that is
    not called, or without such a convolution. Selvaraju et al. 2017 (arXiv:1610.02391), equations 1
    and 2.
    """
    x = samples("grad_cam", model, x)
    if x.ndim != 4:
        raise ShapeError(f"grad_cam: x must be (N, H, W, C), got {x.shape}")
    name = last_convolution(model, x) if layer is None else layer
    if name is None or name not in dict(model.named_modules()):
        told = f"there is no module {quoted(name)}" if name else "no Conv2d has more than one place"
        raise ConfigError(f"grad_cam: {told}; name a layer with a result (N, h, w, K)")
    found: list[Tensor] = []

    def wrap(called: str, module: Module, forward: Forward) -> Forward | None:
        def watched(*inputs: Any, **options: Any) -> Any:
            y = forward(*inputs, **options)
            found[:] = tensors_in(y)[:1]  # of a layer that is called twice, the last
            return y

        return watched if called == name else None

    with recorded(model), shadowing(model, wrap):
        inputs = on_model(model, x, requires_grad=True)
        outputs = outputs_of("grad_cam", model, inputs)
        if not found or found[0].ndim != 4:
            told = f"gives {found[0].shape}" if found else "is not called"
            raise ConfigError(f"grad_cam: {quoted(name)} {told}, needed is (N, h, w, K)")
        classes = classes_of("grad_cam", outputs.numpy(), target)
        weight = slope(outputs, found[0], classes).numpy().mean(axis=(1, 2), keepdims=True)
        maps = np.maximum((found[0].numpy() * weight).sum(axis=3), 0)
    if not enlarged:
        return maps
    wide = Tensor(np.ascontiguousarray(maps[..., None]), backend="numpy")
    return np.array(ops.resize(wide, x.shape[1:3], "bilinear").numpy()[..., 0])


@checked
def last_convolution(model: Module, x: np.ndarray) -> str | None:
    """The name of the Conv2d that is called last and whose result (N, h, w, K) has more than one
    place, or None: what sees the whole picture at once has no map. Errors as in `saliency`."""
    x = samples("last_convolution", model, x)
    found: list[str] = []

    def wrap(called: str, module: Module, forward: Forward) -> Forward | None:
        def watched(*inputs: Any, **options: Any) -> Any:
            y = forward(*inputs, **options)
            found.extend([called] * (y.shape[1] * y.shape[2] > 1))
            return y

        return watched if isinstance(module, Conv2d) else None

    with shadowing(model, wrap), looking(model):
        model(on_model(model, x[:1]))
    return found[-1] if found else None
