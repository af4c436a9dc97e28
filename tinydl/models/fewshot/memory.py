"""A memory-augmented network: what is seen is written into rows, and found again by content."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ... import ops
from ...errors import ShapeError
from ...nn import BatchNorm, Linear, Module, cross_entropy
from ...random import Generator
from ...tensor import Tensor
from .encoder import conv_encoder

TINY = 1e-8  # under the root of a length
#: Where strength and gate begin. With a strength near 1 all rows are read alike, with an even gate
#: all are written alike, and there is no slope to learn by.
SHARP, NEW = 10.0, 3.0
#: The logit of the label that is read, at the beginning.
BELIEVED = 5.0


def cosines(key: Tensor, rows: Tensor) -> Tensor:
    """Keys (N, M) with rows (N, S, M), (N, S); an empty row has 0 with everything."""
    a, b = (t / ops.sqrt(ops.sum(t * t, axis=-1, keepdims=True) + TINY) for t in (key, rows))
    return ops.sum(ops.expand_dims(a, 1) * b, axis=-1)


def label_read(shape: tuple[int, ...], rng: Generator, dtype: np.dtype) -> np.ndarray:
    """First weights (width + classes, classes) of a head that answers with the label it reads."""
    key, label = np.zeros((shape[0] - shape[1], shape[1])), np.eye(shape[1])
    return np.concatenate([key, BELIEVED * label]).astype(dtype)


class MemoryNet(Module):
    """Pictures one after the other, the label of each told one step *later*; asked is its own. The
    memory is new in every stream, so it is not the weights that know a class.

    With the code h_t of the picture, its key k_t = BatchNorm(W h_t), strength
    b_t = softplus(w h_t + 10), gate g_t = sigmoid(v h_t - 3), and how much each of S rows was used,
    u:

        write   w = g_(t-1) read_(t-1) + (1 - g_(t-1)) least     rows += w (k_(t-1), label_(t-1))
        read    read_t = softmax_s(b_t cos(k_t, key of row s))     r_t = sum_s read_t row_s
        usage   u = decay u + read_t + w       least: 1 for the row with the smallest u

    and logits, linear in r_t. The least used row is emptied before the write. Content addressing
    with a strength is that of Graves et al. 2014 (arXiv:1410.5401), equation 5; writing to the
    least or the last used row that of Santoro et al. 2016 (arXiv:1605.06065), equations 5 to 8.
    Theirs is an LSTM over (picture, last label), which has to find out in 100,000 batches that the
    two belong together; here `conv_encoder` sees the picture, a row holds a key and its label, and
    the head begins as `label_read`. With a drawn head one of three seeds stayed at chance: as long
    as nothing is found the logits only lose their size, and then nothing teaches the keys. The
    batch norm takes off what all keys share, by which all cosines are near 1.

    x (N, T, *picture) float, labels (N, T) -> logits (N, T, classes). 29,976 parameters for 28x28x1
    and the default sizes. Raises ConfigError, ShapeError.
    """

    def __init__(
        self,
        picture: Sequence[int] = (28, 28, 1),
        classes: int = 5,
        filters: int = 32,
        blocks: int = 4,
        width: int = 40,
        rows: int = 40,
        decay: float = 0.95,
    ) -> None:
        self.picture, self.classes = tuple(picture), classes
        self.rows, self.width, self.decay = rows, width, decay
        self.encoder = conv_encoder(picture, filters, blocks)
        code = picture[0] // 2**blocks * (picture[1] // 2**blocks) * filters
        self.key, self.norm = Linear(code, width, bias=False), BatchNorm(width, momentum=0.9)
        self.addressing = Linear(code, 2)  # strength and gate
        self.head = Linear(width + classes, classes, weight_init=label_read)

    def forward(self, x: Tensor, labels: Tensor) -> Tensor:
        if x.shape[2:] != self.picture or x.shape[:2] != labels.shape:
            raise ShapeError(
                f"MemoryNet: needs x (N, T, {self.picture}) and labels (N, T), got {x.shape} and "
                f"{labels.shape}"
            )
        n, steps = labels.shape
        codes = self.encoder(x.reshape(n * steps, *self.picture)).reshape(n, steps, -1)
        return self.head(self.remembered(codes, ops.one_hot(labels, self.classes, x.dtype)))

    def remembered(self, codes: Tensor, told: Tensor) -> Tensor:
        """What is read at every step, (N, T, width + classes): of codes (N, T, D) and labels
        (N, T, classes)."""
        (n, steps), home = codes.shape[:2], codes.backend
        keys, how = self.norm(self.key(codes)), self.addressing(codes)
        strength, gate = ops.softplus(how[:, :, :1] + SHARP), ops.sigmoid(how[:, :, 1:] - NEW)
        pairs = ops.concat([keys, told], axis=-1)
        zeros = np.zeros((n, self.rows, self.width + self.classes), codes.dtype)
        memory, usage, found = Tensor(zeros, backend=home), zeros[..., 0].copy(), []
        read = Tensor(usage, backend=home)
        for t in range(steps):
            if t:
                least = np.eye(self.rows, dtype=codes.dtype)[usage.argmin(axis=1)]
                share = gate[:, t - 1]
                write = share * read + (1.0 - share) * Tensor(least, backend=home)
                kept = Tensor(1.0 - least[..., None], backend=home)
                memory = memory * kept + ops.expand_dims(write, 2) * pairs[:, t - 1 : t]
                usage = usage + write.numpy()
            near = cosines(keys[:, t], memory[:, :, : self.width])
            read = ops.softmax(strength[:, t] * near, axis=-1)
            usage = self.decay * usage + read.numpy()
            found.append(ops.sum(ops.expand_dims(read, 2) * memory, axis=1))
        return ops.stack(found, axis=1)

    def loss(self, x: Tensor, labels: Tensor) -> Tensor:
        """The mean cross-entropy over all steps, first sights among them."""
        n, steps = labels.shape
        return cross_entropy(self(x, labels).reshape(n * steps, -1), labels.reshape(-1))
