"""The recurrent attention model: where to look next is an action, learnt by REINFORCE."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ... import ops
from ...errors import ConfigError, ShapeError
from ...nn import Linear, Module, cross_entropy
from ...random import Generator
from ...recording import no_grad
from ...tensor import Tensor


def glimpses(x: np.ndarray, places: np.ndarray, side: int, scales: int) -> np.ndarray:
    """What a retina sees of pictures x (N, H, W, C) around places (N, 2), rows and columns in
    -1 ... 1 from edge to edge: `scales` squares of side, 2 side, 4 side ... pixels, each averaged
    down to side x side, what lies outside as 0: (N, scales * side * side * C)."""
    n, height, width, channels = x.shape
    middles = np.rint((places + 1) / 2 * (height - 1, width - 1)).astype(int)
    pictures, seen = np.arange(n)[:, None, None], []
    for step in 2 ** np.arange(scales):
        reach = np.arange(side * step) - side * step // 2
        rows, columns = (middles[:, k, None] + reach for k in (0, 1))
        inside = ((rows >= 0) & (rows < height))[:, :, None] & ((columns >= 0) & (columns < width))[
            :, None, :
        ]
        rows, columns = rows.clip(0, height - 1)[:, :, None], columns.clip(0, width - 1)[:, None]
        cut = x[pictures, rows, columns] * inside[..., None]
        cells = cut.reshape(n, side, step, side, step, channels)
        seen.append(cells.mean(axis=(2, 4)).reshape(n, -1))
    return np.concatenate(seen, axis=1).astype(x.dtype)


class RecurrentAttention(Module):
    """`looks` glimpses at a picture, each where the state before says; then the class.

        g_t = relu(W relu(W_g glimpse(l_t)) + V relu(W_l l_t))      h_t = relu(U h_(t-1) + A g_t)
        l_(t+1) ~ N(tanh(L h_t), sigma^2), held within -1 ... 1; l_1 ~ N(0, sigma^2)
        logits = C h_T,  reward R = 1 if the largest is right,  promised reward b_t = B h_t

    Choosing a place has no slope, so it is learnt by REINFORCE: `surrogate` is the cross-entropy of
    the logits, plus the mean over steps of -(R - b_t) log p(l_(t+1)) and of (b_t - R)^2, with R and
    R - b_t as numbers that `rollout` played before. Called, the model looks at the most probable
    places: x (N, *picture) -> logits (N, classes); `places_of` gives them, (N, looks, 2). Default
    sizes have 256,269 parameters. Raises ConfigError, ShapeError. Mnih, Heess, Graves and
    Kavukcuoglu 2014 (arXiv:1406.6247).
    """

    def __init__(
        self,
        picture: Sequence[int] = (60, 60, 1),
        classes: int = 10,
        side: int = 12,
        scales: int = 3,
        looks: int = 6,
        hidden: int = 256,
        sigma: float = 0.15,
    ) -> None:
        if side % 2 or looks < 1 or not sigma > 0:
            raise ConfigError(
                f"RecurrentAttention: side must be even, looks >= 1 and sigma > 0, got {side}, "
                f"{looks} and {sigma}"
            )
        self.picture, self.side, self.scales = tuple(picture), side, scales
        self.looks, self.hidden, self.sigma = looks, hidden, sigma
        self.seen = Linear(scales * side * side * picture[2], hidden // 2)
        self.place = Linear(2, hidden // 2)
        self.joined = Linear(hidden, hidden)
        self.core = Linear(2 * hidden, hidden)
        self.next_place = Linear(hidden, 2)
        self.promised = Linear(hidden, 1)
        self.head = Linear(hidden, classes)

    def step(self, x: np.ndarray, places: np.ndarray, state: Tensor) -> Tensor:
        """h_t of h_(t-1) (N, hidden) and pictures seen at places (N, 2)."""
        found = (glimpses(x, places, self.side, self.scales), places.astype(x.dtype))
        glimpse, where = (Tensor(a, backend=state.backend) for a in found)
        parts = [ops.relu(self.seen(glimpse)), ops.relu(self.place(where))]
        g = ops.relu(self.joined(ops.concat(parts, axis=1)))
        return ops.relu(self.core(ops.concat([state, g], axis=1)))

    def start(self, x: Tensor) -> tuple[np.ndarray, Tensor]:
        """The pictures as an array, for the retina, and a state of zeros."""
        if x.shape[1:] != self.picture:
            raise ShapeError(
                f"RecurrentAttention: pictures must be (N, {self.picture}), got {x.shape}"
            )
        return x.numpy(), Tensor(np.zeros((len(x), self.hidden), x.dtype), backend=x.backend)

    def looked(self, x: Tensor, rng: Generator | None = None) -> tuple[np.ndarray, list[Tensor]]:
        """(places (N, looks, 2), the states after them); rng None: the most probable places."""
        pictures, state = self.start(x)
        mean, places, states = np.zeros((len(x), 2)), [], []
        for _ in range(self.looks):
            noise = 0.0 if rng is None else self.sigma * rng.normal((len(x), 2), dtype=np.float64)
            places.append(np.clip(mean + noise, -1, 1))
            state = self.step(pictures, places[-1], state)
            states.append(state)
            mean = ops.tanh(self.next_place(state)).numpy().astype(np.float64)
        return np.stack(places, axis=1), states

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.looked(x)[1][-1])

    def places_of(self, x: Tensor) -> np.ndarray:
        """Where it looks, (N, looks, 2) float64, rows and columns in -1 ... 1."""
        with no_grad():
            return self.looked(x)[0]

    def rollout(
        self, x: Tensor, labels: Tensor, rng: Generator
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Played once: (places (N, looks, 2), rewards R (N,), R - b_t (N, looks))."""
        with no_grad():
            places, states = self.looked(x, rng)
            right = self.head(states[-1]).numpy().argmax(axis=1) == labels.numpy()
            promised = np.stack([self.promised(s).numpy()[:, 0] for s in states], axis=1)
        rewards = right.astype(promised.dtype)
        return places, rewards, rewards[:, None] - promised

    def surrogate(
        self, x: Tensor, labels: Tensor, places: np.ndarray, rewards: np.ndarray, beyond: np.ndarray
    ) -> Tensor:
        """What is differentiated, of what was played."""
        (pictures, state), home = self.start(x), x.backend
        total = Tensor(np.zeros((), x.dtype), backend=home)
        gain = Tensor(rewards.astype(x.dtype), backend=home)
        for t in range(self.looks):
            state = self.step(pictures, places[:, t], state)
            short = self.promised(state).reshape(-1) - gain
            total = total + (short * short).mean()
            if t + 1 < self.looks:
                away = Tensor(places[:, t + 1].astype(x.dtype), backend=home) - ops.tanh(
                    self.next_place(state)
                )
                log_density = -ops.sum(away * away, axis=1) / (2 * self.sigma**2)
                weight = Tensor(beyond[:, t].astype(x.dtype), backend=home)
                total = total - (weight * log_density).mean()
        return cross_entropy(self.head(state), labels) + total / self.looks

    def loss(self, x: Tensor, labels: Tensor, rng: Generator) -> Tensor:
        return self.surrogate(x, labels, *self.rollout(x, labels, rng))
