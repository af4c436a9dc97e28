"""The contractive autoencoder: a code that hardly moves when the row moves."""

from __future__ import annotations

from collections.abc import Callable

from ... import ops
from ...doors import checked
from ...errors import ConfigError, ShapeError
from ...function import enable_grad, grad, is_recording
from ...nn import mse
from ...tensor import Tensor
from .autoencoder import Autoencoder


def jacobian_norm(encode: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """sum_ji (dh_j / dx_i)^2 of every row, (N,), for any encoder of x (N, D) -> h (N, H).

    One backward walk for each of the H units, recorded so that the result can be differentiated by
    the encoder's weights (no gradient goes to x); rows must not meet in the encoder. ShapeError.
    """
    x = x.detach()
    x.requires_grad = True
    recording = is_recording()
    with enable_grad():
        h = encode(x)
        if h.ndim != 2 or len(h) != len(x):
            raise ShapeError(f"jacobian_norm: the code of {x.shape} must be (N, H), got {h.shape}")
        total = ops.sum(x.detach() * 0.0, axis=1)
        for j in range(h.shape[1]):
            (slope,) = grad(h[:, j].sum(), x, create_graph=recording, retain_graph=True)
            total = total + (slope * slope).sum(axis=1)
    return total


class ContractiveAutoencoder(Autoencoder):
    """loss = mean (y - x)^2 + strength * mean_n |dh_n / dx_n|^2, the Jacobian's squares added up.

    Layers and parameters as `Autoencoder` with one hidden layer: 2,389 for 29-40-29. For h =
    s(x W + b) the Jacobian is known, dh_j / dx_i = s'_j W_ij, and so is its norm:

        sum_j s'_j^2 sum_i W_ij^2,   s' = h (1 - h) for a sigmoid, 1 where h > 0 for ReLU, else 0.

    activation: "sigmoid" or "relu"; `jacobian_norm` does the same for any encoder. ConfigError.

    Rifai et al. 2011 (ICML), equation 9. Liu and Mehta, chapter 3, print the inner sum over j, use
    h (1 - h) with ReLU units, and W as it was before training: `books_contraction`.
    """

    @checked
    def __init__(
        self,
        features: int = 29,
        hidden: int = 40,
        strength: float = 1e-5,
        activation: str = "sigmoid",
    ) -> None:
        if activation not in ("sigmoid", "relu") or not strength >= 0:
            raise ConfigError(
                "ContractiveAutoencoder: activation must be 'sigmoid' or 'relu' and strength >= 0,"
                f" got {activation!r} and {strength!r}"
            )
        super().__init__((features, hidden), activation)
        self.strength = strength

    def contraction(self, x: Tensor) -> Tensor:
        """|dh / dx|^2 of every row, (N,), by the formula."""
        return self._norms(self.encoder(x))

    def _norms(self, h: Tensor) -> Tensor:
        slope = h * (1.0 - h) if self.activation == "sigmoid" else (h > 0).astype(h.dtype)
        weight = self.encoder[0].weight  # type: ignore[attr-defined]
        return (slope * slope) @ _squares(weight)  # [N x H] @ [H]

    def loss(self, x: Tensor) -> Tensor:
        h = self.encoder(x)
        return mse(self.decoder(h), x) + self.strength * self._norms(h).mean()


def _squares(weight: Tensor) -> Tensor:
    """sum_i W_ij^2 of a weight (D, H), (H,)."""
    return (weight * weight).sum(axis=0)


def books_contraction(model: Autoencoder, x: Tensor, first_weight: Tensor) -> Tensor:
    """What the book's code adds for every row, (N,): the sigmoid's formula whatever the activation,
    and W as a constant of before the training, so that only h is ever pulled at. For ReLU, whose h
    is not below 1, it is no Jacobian's norm. To be compared with only."""
    h = model.encoder(x)
    slope = h * (1.0 - h)
    return (slope * slope) @ _squares(first_weight.detach())
