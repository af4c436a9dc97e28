"""Update rules in plain NumPy. They write `param` and the state arrays in place; all have one
shape and dtype.

`weight_decay` adds weight_decay * param to the gradient (the derivative of weight_decay/2 * sum
param^2).
"""

from __future__ import annotations

import numpy as np

from .arrays import Array


class Optim:
    def sgd_step(
        self,
        param: Array,
        grad: Array,
        velocity: Array | None,
        lr: float,
        momentum: float,
        nesterov: bool,
        weight_decay: float,
    ) -> None:
        """v <- momentum * v + g;  param <- param - lr * v   (Nesterov: - lr * (g + momentum * v)).

        `velocity` is None when momentum is 0. Sutskever et al. 2013.
        """
        step = grad + weight_decay * param if weight_decay else grad
        if velocity is not None:
            velocity *= momentum
            velocity += step
            step = step + momentum * velocity if nesterov else velocity
        param -= param.dtype.type(lr) * step

    def rmsprop_step(
        self,
        param: Array,
        grad: Array,
        square: Array,
        lr: float,
        rho: float,
        eps: float,
        weight_decay: float,
    ) -> None:
        """s <- rho * s + (1 - rho) * g^2;  param <- param - lr * g / (sqrt(s) + eps). Hinton 2012,
        lecture 6e."""
        g = grad + weight_decay * param if weight_decay else grad
        square *= rho
        square += (1 - rho) * g * g
        param -= lr * g / (np.sqrt(square) + eps)

    def adam_step(
        self,
        param: Array,
        grad: Array,
        mean: Array,
        square: Array,
        lr: float,
        beta1: float,
        beta2: float,
        eps: float,
        weight_decay: float,
        step: int,
    ) -> None:
        """Kingma and Ba 2015 (arXiv 1412.6980), algorithm 1; `step` counts from 1:

        m <- beta1 m + (1 - beta1) g;  v <- beta2 v + (1 - beta2) g^2
        param <- param - lr * (m / (1 - beta1^step)) / (sqrt(v / (1 - beta2^step)) + eps)
        """
        g = grad + weight_decay * param if weight_decay else grad
        mean *= beta1
        mean += (1 - beta1) * g
        square *= beta2
        square += (1 - beta2) * g * g
        mean_hat = mean / (1 - beta1**step)
        square_hat = square / (1 - beta2**step)
        param -= lr * mean_hat / (np.sqrt(square_hat) + eps)
