"""The fully connected layer."""

from __future__ import annotations

from math import prod

from .. import ops
from ..arguments import whole
from ..doors import checked
from ..errors import ConfigError, ShapeError
from ..random import Generator, default_generator
from ..tensor import Tensor
from .init import Initializer, draw
from .module import Module, Parameter
from .penalties import Penalty, activity, penalized


def check_size(op: str, **sizes: int) -> None:
    """ConfigError unless every named size is an integer >= 1."""
    for name, size in sizes.items():
        whole(op, name, size, 1)


class Weighted(Module):
    """What Linear and the convolutions share: a weight, perhaps a bias, first values, penalties."""

    last_activity: Tensor | None = None  # the activity penalty of the most recent call

    @checked
    def __init__(
        self,
        weight_shape: tuple[int, ...],
        bias: bool,
        weight_init: str | Initializer,
        bias_init: str | Initializer,
        weight_penalty: Penalty | None = None,
        bias_penalty: Penalty | None = None,
        activity_penalty: Penalty | None = None,
        rng: Generator | None = None,
        bias_size: int | None = None,
    ) -> None:
        if bias_penalty is not None and not bias:
            raise ConfigError(f"{type(self).__name__}: bias_penalty is given but bias is False")
        rng = default_generator() if rng is None else rng
        self.weight = Parameter(draw(weight_init, weight_shape, rng))
        outputs = weight_shape[-1] if bias_size is None else bias_size
        self.bias = Parameter(draw(bias_init, (outputs,), rng)) if bias else None
        self.weight_penalty, self.bias_penalty = weight_penalty, bias_penalty
        self.activity_penalty = activity_penalty

    def own_penalties(self) -> list[Tensor]:
        values = []
        if self.weight_penalty is not None:
            values.append(penalized(self.weight_penalty, self.weight))
        if self.bias_penalty is not None and self.bias is not None:
            values.append(penalized(self.bias_penalty, self.bias))
        if self.last_activity is not None:
            values.append(self.last_activity)
        return values

    def watched(self, y: Tensor) -> Tensor:
        """y itself, its activity penalty noted."""
        if self.activity_penalty is not None:
            self.last_activity = activity(self.activity_penalty, y)
        return y


class Linear(Weighted):
    """y = x @ weight + bias: a "Dense" layer without activation.

    x (N, ..., in_features) -> (N, ..., out_features); weight (in_features, out_features), bias
    (out_features,) or None. First values by name or function (see nn/init.py), drawn from `rng`
    (None: the default generator). Penalties are callables such as L2(0.001); activity_penalty sees
    y, before any activation, and is divided by the batch size, as in Keras. Raises ConfigError for
    sizes below 1; the call raises ShapeError and DTypeError.
    """

    @checked
    def __init__(
        self,
        in_features: int,
        out_features: int,
        bias: bool = True,
        *,
        weight_init: str | Initializer = "glorot_uniform",
        bias_init: str | Initializer = "zeros",
        weight_penalty: Penalty | None = None,
        bias_penalty: Penalty | None = None,
        activity_penalty: Penalty | None = None,
        rng: Generator | None = None,
    ) -> None:
        check_size("Linear", in_features=in_features, out_features=out_features)
        self.in_features, self.out_features = in_features, out_features
        super().__init__(
            (in_features, out_features), bias, weight_init, bias_init,
            weight_penalty, bias_penalty, activity_penalty, rng,
        )  # fmt: skip

    def forward(self, x: Tensor) -> Tensor:
        shape = x.shape
        if len(shape) < 2 or shape[-1] != self.in_features:
            found = f"{x.shape[-1]} features" if x.ndim > 1 else f"{x.ndim} axes, not (N, ..., in)"
            raise ShapeError(
                f"Linear: x has {found} but in_features is {self.in_features} (x {x.shape})"
            )
        return self.watched(ops.linear(x, self.weight, self.bias))

    def multiply_adds(self, x_shape: tuple[int, ...]) -> int:
        return prod(x_shape) * self.out_features

    def arguments(self) -> str:
        return f"{self.in_features}, {self.out_features}"
