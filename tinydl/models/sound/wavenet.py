"""WaveNet: sound sample by sample, each from the thousand before it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ... import ops
from ...nn import Conv1d, Embedding, Linear, Module, cross_entropy
from ...random import Generator, by_shares
from ...tensor import Tensor

DILATIONS = tuple(2**k for k in range(10))
KERNEL = 2  # every convolution sees one sample and one other, `dilation` samples before


class GatedLayer(Module):
    """z = tanh(W_f * h) sigmoid(W_g * h), a causal dilated convolution twice; gives h + V z to the
    layer above, if there is one, and U z to the output (equation 2 and figure 4)."""

    def __init__(self, channels: int, skip: int, dilation: int, last: bool) -> None:
        self.channels, self.dilation = channels, dilation
        self.conv = Conv1d(channels, 2 * channels, KERNEL, padding="causal", dilation=dilation)
        self.residual = None if last else Linear(channels, channels)
        self.skip = Linear(channels, skip, bias=False)

    def forward(self, h: Tensor) -> tuple[Tensor, Tensor]:
        filtered, gate = ops.split(self.conv(h), sections=2, axis=2)
        z = ops.tanh(filtered) * ops.sigmoid(gate)
        return h if self.residual is None else h + self.residual(z), self.skip(z)


class WaveNet(Module):
    """p(x_1 ... x_T) = prod_t p(x_t | x_1 ... x_{t-1}), x_t one of `levels` levels of the mu-law.

    | layer | output, 32 channels, 64 skip, dilations 1, 2, 4 ... 512 | parameters | in letters |
    |---|---|---|---|
    | Embedding | (N, T, 32) | 8,192 | L C |
    | 10 x GatedLayer | (N, T, 32), and (N, T, 64) | 71,584 | 10 (4 C^2 + 2C + C S) + 9 (C + 1) C |
    | ReLU, Linear of the skips' sum | (N, T, 64) | 4,160 | (S + 1) S |
    | ReLU, Linear | (N, T, 256) | 16,640 | (S + 1) L |
    | all | | 100,576 | |

    x (N, T) int64; result: logits (N, T, levels), those at step t of the sample at t + 1, which
    see x_{t-R+1} ... x_t, R = 1 + sum of the dilations: what doubles from layer to layer reaches
    1,024 samples in ten layers. `loss`: the mean of -ln p(x_{t+1} | ...), in nats.

    van den Oord et al., WaveNet: a generative model for raw audio (2016), arXiv 1609.03499.
    """

    def __init__(
        self,
        levels: int = 256,
        channels: int = 32,
        skip: int = 64,
        dilations: Sequence[int] = DILATIONS,
    ) -> None:
        self.levels = levels
        self.embed = Embedding(levels, channels, weight_init="normal")
        last = len(dilations) - 1
        self.layers = [GatedLayer(channels, skip, d, k == last) for k, d in enumerate(dilations)]
        self.hidden = Linear(skip, skip)
        self.out = Linear(skip, levels)

    @property
    def receptive_field(self) -> int:
        """How many samples, the newest included, a prediction sees."""
        return 1 + (KERNEL - 1) * sum(layer.dilation for layer in self.layers)

    def forward(self, x: Tensor) -> Tensor:
        return self.logits(self.embed(x))

    def logits(self, h: Tensor) -> Tensor:
        """The logits of embedded samples h (N, T, C)."""
        total = None
        for layer in self.layers:
            h, skip = layer(h)
            total = skip if total is None else total + skip
        return self.out(ops.relu(self.hidden(ops.relu(total))))

    def loss(self, x: Tensor, first: int = 0) -> Tensor:
        """Of the samples first + 1 ... T - 1 of x (N, T), each from those before it."""
        return cross_entropy(self(x[:, :-1])[:, first:], x[:, first + 1 :])

    def generate(
        self,
        steps: int,
        rng: Generator,
        start: np.ndarray | None = None,
        temperature: float = 1.0,
        cached: bool = True,
    ) -> np.ndarray:
        """(steps,) int64: samples drawn one after the other, behind `start` (K,), K >= 1 (None:
        silence). cached: every layer keeps what it will need once more (`Memory`); else the whole
        receptive field is computed anew for each sample. Both give the same."""
        seen = [self.levels // 2] if start is None else [int(v) for v in start]
        memory = Memory(self) if cached else None
        logits = np.zeros(self.levels)
        if memory is not None:
            for sample in seen:
                logits = memory.step(sample)
        for share in rng.uniform(steps).tolist():
            if memory is None:
                window = np.array([seen[-self.receptive_field :]])
                logits = self(Tensor(window, backend=self.backend)).detach().numpy()[0, -1]
            p = np.exp((logits.astype(np.float64) - logits.max()) / temperature)
            sample = int(by_shares(p.cumsum(), share))
            seen.append(sample)
            if memory is not None:
                logits = memory.step(sample)
        return np.array(seen[-steps:], np.int64) if steps else np.zeros(0, np.int64)


def _on_host(layer: Any) -> tuple[np.ndarray, np.ndarray]:
    return layer.weight.numpy(), layer.bias.numpy()


class Memory:
    """One sample at a time: what a layer computed `dilation` steps ago is looked up, not computed
    again, so that a step costs each layer one product (Le Paine et al. 2016, arXiv 1611.09482).

    Layer d keeps its last d inputs in a ring; before the sound began there are zeros, as the causal
    padding has them. NumPy on the host: the vectors are too short to be sent anywhere.
    """

    def __init__(self, model: WaveNet) -> None:
        self.embed, self.time = model.embed.weight.numpy(), 0
        self.layers: list[Any] = []
        for layer in model.layers:
            (past, now), bias = _on_host(layer.conv)
            weight = np.concatenate([past, now])  # [2C x 2C]: (what was, what is) -> (filter, gate)
            residual = (0.0, 0.0) if layer.residual is None else _on_host(layer.residual)
            ring = np.zeros((layer.dilation, layer.channels), weight.dtype)
            self.layers.append((weight, bias, *residual, ring))
        # [all C x S]: the sum over the layers of z U is one product
        self.skips = np.concatenate([layer.skip.weight.numpy() for layer in model.layers])
        self.head = (*_on_host(model.hidden), *_on_host(model.out))

    def step(self, sample: int) -> np.ndarray:
        """The logits (levels,) of the sample that follows this one."""
        h, found = self.embed[sample], []
        C = len(h)
        for weight, bias, residual, shift, ring in self.layers:
            place = self.time % len(ring)
            z = np.concatenate((ring[place], h)) @ weight
            z += bias
            ring[place] = h
            z = np.tanh(z[:C]) / (1 + np.exp(-z[C:]))
            found.append(z)
            h = h + np.dot(z, residual) + shift
        self.time += 1
        total = np.concatenate(found) @ self.skips
        weight, bias, last, shift = self.head
        return np.maximum(np.maximum(total, 0) @ weight + bias, 0) @ last + shift
