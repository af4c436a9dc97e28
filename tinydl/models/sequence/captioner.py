"""A picture is read as a grid of places, and a sentence is written about it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ... import ops
from ...errors import ShapeError
from ...nn import Conv2d, MaxPool2d, Module, ReLU, Sequential
from ...tensor import Tensor
from .attention_decoder import AttentionDecoder, Seen, Writer


class Captioner(Writer):
    """x (N, H, W, 3) -> words (N, T): convolutions, and an LSTM that looks at their places.

        for each width     3x3 convolution ("same"), ReLU, 2x2 maximum; the last 1x1 without
        memory             m_j = [the features of place j; its row and column in [-1, 1]]
        decoder            AttentionDecoder, "lstm", from zeros

    With three widths a place sees 10 pixels: were they more, one beside a thing would know it as
    well as one within, and a thing would be told without looking at it.

    What the decoder knows of a picture it has looked at: its first state says nothing.

    After Xu et al. 2015, "Show, attend and tell" (arXiv:1502.03044), soft attention, here asked by
    the state after the word as in Luong et al. 2015; Vinyals et al. 2015 (arXiv:1411.4555) without
    attention. Raises ConfigError; the call ShapeError.
    """

    def __init__(
        self,
        target_vocabulary: int,
        widths: Sequence[int] = (32, 32, 48),
        embedding: int = 16,
        hidden: int = 64,
    ) -> None:
        layers: list[Module] = []
        before = 3
        for k, width in enumerate(widths):
            layers += [MaxPool2d(2)] if k else []
            kernel = 3 if k < len(widths) - 1 else 1
            layers += [Conv2d(before, width, kernel, padding="same"), ReLU()]
            before = width
        self.features, self.hidden = Sequential(*layers), hidden
        self.decoder = AttentionDecoder(target_vocabulary, embedding, hidden, before + 2, "lstm")

    def read(self, x: Tensor) -> Seen:
        if x.ndim != 4 or x.shape[-1] != 3:
            raise ShapeError(f"Captioner: pictures must be (N, H, W, 3), got {x.shape}")
        grid = self.features(x)
        N, H, W, C = grid.shape
        rows, columns = np.meshgrid(np.linspace(-1, 1, H), np.linspace(-1, 1, W), indexing="ij")
        places = np.stack([rows, columns], -1).reshape(1, H * W, 2).repeat(N, 0)
        given = Tensor(places.astype(x.dtype), backend=x.backend)
        memory = ops.concat([grid.reshape(N, H * W, C), given], -1)
        nothing = Tensor(np.zeros((N, self.hidden), x.dtype), backend=x.backend)
        return Seen(memory, None, (nothing, nothing))
