"""Neural style transfer: a picture with the content of one and the style of another."""

from __future__ import annotations

from collections.abc import Sequence

from ... import ops
from ...errors import ConfigError, ShapeError
from ...nn import Conv2d, MaxPool2d, Module, Parameter, ReLU, Sequential, mse, total_variation
from ...optim import Adam
from ...optim.schedules import Cosine
from ...tensor import Tensor


class StyleFeatures(Module):
    """A small VGG: stages of two 3x3 convolutions with ReLU, a pooling between stages.

    x (N, H, W, 3) -> one map per stage, (N, H / 2^k, W / 2^k, widths[k]), k = 0, 1, ... Trained as
    the base of a classifier; sides must survive the poolings. Simonyan and Zisserman 2014 (arXiv
    1409.1556) for the form.
    """

    def __init__(self, widths: Sequence[int] = (32, 64, 128)) -> None:
        if not widths:
            raise ConfigError("StyleFeatures: needs at least one width")
        self.stages = []
        channels = 3
        for width in widths:
            first = Conv2d(channels, width, 3, padding=1, weight_init="he_normal")
            second = Conv2d(width, width, 3, padding=1, weight_init="he_normal")
            self.stages.append(Sequential(first, ReLU(), second, ReLU()))
            channels = width
        self.pool = MaxPool2d(2)

    def forward(self, x: Tensor) -> list[Tensor]:
        maps: list[Tensor] = []
        for stage in self.stages:
            x = stage(self.pool(maps[-1]) if maps else x)
            maps.append(x)
        return maps


def gram(features: Tensor) -> Tensor:
    """(N, C, C): products of channels i and j, the mean over places; (N, H, W, C) in."""
    n, height, width, channels = features.shape
    rows = features.reshape(n, height * width, channels)
    return ops.einsum("npi,npj->nij", rows, rows) / float(height * width)


def style_loss(
    maps: Sequence[Tensor],
    content: Tensor,
    grams: Sequence[Tensor],
    picture: Tensor,
    weights: tuple[float, float, float] = (1.0, 10.0, 1e-4),
) -> Tensor:
    """w_c mean (F - content)^2 of the last map + w_s sum over maps of mean (Gram(F) - G)^2 + w_v
    total variation of the picture. Gatys et al. 2015 (arXiv 1508.06576), equations 1-7; the
    variation is Mahendran and Vedaldi's (2014, arXiv 1412.0035)."""
    if len(maps) != len(grams):
        raise ShapeError(f"style_loss: {len(maps)} maps and {len(grams)} Gram matrices")
    style = ops.sum(picture) * 0.0
    for features, target in zip(maps, grams, strict=True):
        style = style + mse(gram(features), target)
    wanted = weights[0] * mse(maps[-1], content) + weights[1] * style
    return wanted + weights[2] * total_variation(picture)


def transfer(
    features: Module,
    content: Tensor,
    style: Tensor,
    steps: int = 200,
    lr: float = 0.02,
    weights: tuple[float, float, float] = (1.0, 10.0, 1e-4),
) -> tuple[Tensor, list[float]]:
    """(picture (1, H, W, 3) in [0, 1], the loss of every step): Adam on the pixels, from `content`,
    its rate falling from lr to 0 along half a cosine.

    content, style (1, H, W, 3) in [0, 1] on the backend of `features`; the two may differ in size.
    The network is not changed. Raises ConfigError for no steps, ShapeError for other shapes.
    """
    for name, x in (("content", content), ("style", style)):
        if x.ndim != 4 or x.shape[0] != 1 or x.shape[3] != 3:
            raise ShapeError(f"transfer: {name} must be (1, H, W, 3), got {x.shape}")
    if steps < 1:
        raise ConfigError(f"transfer: steps must be >= 1, got {steps}")
    target = features(content)[-1].detach()
    grams = [gram(m).detach() for m in features(style)]
    picture = Parameter(content.numpy(), backend=content.backend)
    optimizer, schedule, losses = Adam([picture], lr=lr), Cosine(lr, steps), []
    for step in range(steps):
        optimizer.lr = schedule(step)
        loss = style_loss(features(picture), target, grams, picture, weights)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        picture.assign(picture.numpy().clip(0, 1))
        losses.append(loss.item())
    features.zero_grad()
    return picture.detach(), losses
