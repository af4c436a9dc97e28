"""Update rules in plain NumPy, for all parameters in one call. They write `params` and the state
arrays in place; these lists go side by side, and everything has one dtype.

`weight_decay` adds weight_decay * param to the gradient (the derivative of weight_decay/2 * sum
param^2).
"""

from __future__ import annotations

import numpy as np

from .arrays import Array


class Optim:
    def sgd_step(
        self,
        params: list[Array],
        grads: list[Array],
        velocities: list[Array] | None,
        lr: float,
        momentum: float,
        nesterov: bool,
        weight_decay: float,
    ) -> None:
        """v <- momentum * v + g;  param <- param - lr * v   (Nesterov: - lr * (g + momentum * v)).

        `velocities` is None when momentum is 0. Sutskever et al. 2013.
        """
        for i, (param, grad) in enumerate(zip(params, grads, strict=True)):
            step = grad + weight_decay * param
            if velocities is not None:
                velocity = velocities[i]
                velocity *= momentum
                velocity += step
                step = step + momentum * velocity if nesterov else velocity
            param -= param.dtype.type(lr) * step

    def rmsprop_step(
        self,
        params: list[Array],
        grads: list[Array],
        squares: list[Array],
        lr: float,
        rho: float,
        eps: float,
        weight_decay: float,
    ) -> None:
        """s <- rho * s + (1 - rho) * g^2;  param <- param - lr * g / (sqrt(s) + eps). Hinton 2012,
        lecture 6e."""
        for param, grad, square in zip(params, grads, squares, strict=True):
            g = grad + weight_decay * param
            square *= rho
            square += (1 - rho) * g * g
            param -= lr * g / (np.sqrt(square) + eps)

    def adam_step(
        self,
        params: list[Array],
        grads: list[Array],
        means: list[Array],
        squares: list[Array],
        largest: list[Array] | None,
        lr: float,
        beta1: float,
        beta2: float,
        eps: float,
        weight_decay: float,
        decoupled: bool,
        steps: tuple[int, ...],
    ) -> None:
        """Kingma and Ba 2015 (arXiv 1412.6980), algorithm 1; `steps[i]` of params[i] from 1 on:

        m <- beta1 m + (1 - beta1) g;  v <- beta2 v + (1 - beta2) g^2
        param <- param - lr * (m / (1 - beta1^step)) / (sqrt(v / (1 - beta2^step)) + eps)

        With `largest` (AMSGrad) the root is of largest <- max(largest, v). `decoupled` (AdamW):
        g is the gradient alone, and first param <- param - lr * weight_decay * param.
        """
        for i, (param, grad) in enumerate(zip(params, grads, strict=True)):
            mean, square = means[i], squares[i]
            g = grad + (0.0 if decoupled else weight_decay) * param
            mean *= beta1
            mean += (1 - beta1) * g
            square *= beta2
            square += (1 - beta2) * g * g
            if largest is not None:
                square = np.maximum(largest[i], square, out=largest[i])
            if decoupled:
                param *= 1 - lr * weight_decay
            mean_hat = mean / (1 - beta1 ** steps[i])
            square_hat = square / (1 - beta2 ** steps[i])
            param -= lr * mean_hat / (np.sqrt(square_hat) + eps)

    def adagrad_step(
        self,
        params: list[Array],
        grads: list[Array],
        squares: list[Array],
        lr: float,
        eps: float,
        weight_decay: float,
    ) -> None:
        """s <- s + g^2;  param <- param - lr * g / (sqrt(s) + eps). Duchi et al. 2011."""
        for param, grad, square in zip(params, grads, squares, strict=True):
            g = grad + weight_decay * param
            square += g * g
            param -= lr * g / (np.sqrt(square) + eps)

    def adadelta_step(
        self,
        params: list[Array],
        grads: list[Array],
        squares: list[Array],
        deltas: list[Array],
        lr: float,
        rho: float,
        eps: float,
        weight_decay: float,
    ) -> None:
        """s <- rho s + (1 - rho) g^2;  d = g sqrt(u + eps) / sqrt(s + eps);
        u <- rho u + (1 - rho) d^2;  param <- param - lr d. Zeiler 2012 (arXiv 1212.5701)."""
        for param, grad, square, delta in zip(params, grads, squares, deltas, strict=True):
            g = grad + weight_decay * param
            square *= rho
            square += (1 - rho) * g * g
            d = g * np.sqrt(delta + eps) / np.sqrt(square + eps)
            delta *= rho
            delta += (1 - rho) * d * d
            param -= lr * d

    def centred_rmsprop_step(
        self,
        params: list[Array],
        grads: list[Array],
        squares: list[Array],
        means: list[Array] | None,
        velocities: list[Array] | None,
        lr: float,
        rho: float,
        momentum: float,
        eps: float,
        weight_decay: float,
    ) -> None:
        """s <- rho s + (1 - rho) g^2;  m <- rho m + (1 - rho) g;
        v <- momentum v + g / (sqrt(max(s - m^2, 0)) + eps);  param <- param - lr v.

        Without `means` m is 0; `velocities` is None when momentum is 0. Graves 2013.
        """
        for i, (param, grad) in enumerate(zip(params, grads, strict=True)):
            g = grad + weight_decay * param
            square = squares[i]
            square *= rho
            square += (1 - rho) * g * g
            variance = square
            if means is not None:
                mean = means[i]
                mean *= rho
                mean += (1 - rho) * g
                variance = np.maximum(square - mean * mean, 0)  # rounding may leave it below 0
            step = g / (np.sqrt(variance) + eps)
            if velocities is not None:
                velocity = velocities[i]
                velocity *= momentum
                velocity += step
                step = velocity
            param -= param.dtype.type(lr) * step

    def adamax_step(
        self,
        params: list[Array],
        grads: list[Array],
        means: list[Array],
        largest: list[Array],
        lr: float,
        beta1: float,
        beta2: float,
        eps: float,
        weight_decay: float,
        steps: tuple[int, ...],
    ) -> None:
        """m <- beta1 m + (1 - beta1) g;  u <- max(beta2 u, |g| + eps);
        param <- param - lr (m / (1 - beta1^step)) / u. Kingma and Ba 2015, algorithm 2."""
        for i, (param, grad) in enumerate(zip(params, grads, strict=True)):
            mean, most = means[i], largest[i]
            g = grad + weight_decay * param
            mean *= beta1
            mean += (1 - beta1) * g
            np.maximum(beta2 * most, np.abs(g) + eps, out=most)
            param -= lr * (mean / (1 - beta1 ** steps[i])) / most

    def nadam_step(
        self,
        params: list[Array],
        grads: list[Array],
        means: list[Array],
        squares: list[Array],
        lr: float,
        beta1: float,
        beta2: float,
        eps: float,
        weight_decay: float,
        steps: tuple[int, ...],
        weights: tuple[tuple[float, float], ...],
    ) -> None:
        """m and v as Adam's; with weights[i] = (ahead, now) of params[i]

        param <- param - lr (ahead m + now g) / (sqrt(v / (1 - beta2^step)) + eps). Dozat 2016.
        """
        for i, (param, grad) in enumerate(zip(params, grads, strict=True)):
            mean, square, (ahead, now) = means[i], squares[i], weights[i]
            g = grad + weight_decay * param
            mean *= beta1
            mean += (1 - beta1) * g
            square *= beta2
            square += (1 - beta2) * g * g
            root = np.sqrt(square / (1 - beta2 ** steps[i])) + eps
            param -= lr * (ahead * mean + now * g) / root

    def rprop_step(
        self,
        params: list[Array],
        grads: list[Array],
        before: list[Array],
        sizes: list[Array],
        lr: float,
        shrink: float,
        grow: float,
        smallest: float,
        largest: float,
        weight_decay: float,
    ) -> None:
        """turn = sign(g) sign(before);  size <- clip(size (grow | 1 | shrink), smallest, largest)
        for turn 1 | 0 | -1;  g <- 0 where turn is -1;  param <- param - sign(g) size;
        before <- g. A size of 0 is one that has not begun: lr. Riedmiller and Braun 1993."""
        for i, (param, grad) in enumerate(zip(params, grads, strict=True)):
            g = grad + weight_decay * param
            turn = np.sign(g) * np.sign(before[i])
            factor = np.where(turn > 0, grow, np.where(turn < 0, shrink, 1.0))
            size = np.where(sizes[i] == 0, lr, sizes[i]) * factor
            sizes[i][...] = np.clip(size, smallest, largest)
            before[i][...] = np.where(turn < 0, 0.0, g)
            param -= np.sign(before[i]) * sizes[i]

    def norms(self, arrays: list[Array]) -> Array:
        """sqrt(sum x^2) of every array, (len(arrays),) of their dtype; no square overflows."""
        found = np.zeros(len(arrays), arrays[0].dtype)
        for i, x in enumerate(arrays):
            scale = np.abs(x).max(initial=0)
            unit = x / scale if np.isfinite(scale) and scale > 0 else x
            scale = scale if np.isfinite(scale) and scale > 0 else x.dtype.type(1)
            found[i] = scale * np.sqrt(np.sum(np.square(unit)))
        return found
