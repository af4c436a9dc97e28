"""Choosing a network: each action is the width of one more layer, the reward how well it learns."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from ..arguments import finite, whole
from ..data import Dataset
from ..doors import checked
from ..errors import ConfigError
from ..nn import Linear, Module, ReLU, Sequential, cross_entropy
from ..optim import Adam
from ..quoting import quoted
from ..random import Generator
from ..recording import no_grad
from ..tensor import Tensor
from .environment import Environment
from .spaces import Discrete

WIDTHS = (2, 4, 8, 16, 32, 64)
PASSES, BATCH, RATE, UNIT = 6, 50, 0.01, 10_000
BAR, SIDE, AGENT = 30, 64, (38, 92, 166)  # pixels


class WidthSearch(Environment):
    """An episode builds a multilayer perceptron for the data, `layers` hidden layers wide as the
    actions say: 2, 4, 8, 16, 32 or 64 units.

    After the last action it is trained, a few passes of Adam, and the reward is the share of the
    test part that it names rightly, less `price` for every 10,000 parameters. What the agent sees
    is the number of the layer and the last width; Zoph and Le 2017 (arXiv:1611.01578) have an LSTM
    that remembers all of them. The same widths are the same network with the same first weights:
    their score is kept in `known` and not found again. layers >= 1, price a number.
    """

    @checked
    def __init__(
        self,
        data: Dataset,
        layers: int = 3,
        price: float = 0.1,
        known: dict[tuple[int, ...], float] | None = None,
    ) -> None:
        super().__init__(whole("WidthSearch", "layers", layers, 1, 100))
        self.price = finite("WidthSearch", "price", price)
        if known is not None and not isinstance(known, dict):
            raise ConfigError(f"WidthSearch: known must be a dictionary, got {quoted(known)}")
        self.known = {} if known is None else known
        self.x = [part.reshape(len(part), -1) for part in (data.x_train, data.x_test)]
        self.y = [data.y_train, data.y_test]
        self.classes = len(data.classes)
        self.observation_space = Discrete(1 + (layers - 1) * len(WIDTHS))
        self.action_space = Discrete(len(WIDTHS))
        self.chosen: tuple[int, ...] = ()

    def _begin(self) -> int:
        self.chosen = ()
        return 0

    def _move(self, action: int) -> tuple[int, float, bool]:
        self.chosen = (*self.chosen, WIDTHS[int(action)])
        if len(self.chosen) == self.steps:
            return 0, self.worth(self.chosen), True
        return 1 + (len(self.chosen) - 1) * len(WIDTHS) + int(action), 0.0, False

    def worth(self, widths: tuple[int, ...]) -> float:
        """The reward of the network with these hidden layers."""
        if widths not in self.known:
            self.known[widths] = self._trained(widths)
        return self.known[widths]

    def _trained(self, widths: tuple[int, ...]) -> float:
        rng = Generator(0)
        sizes = (self.x[0].shape[1], *widths)
        parts: list[Module] = []
        for d_in, d_out in pairwise(sizes):
            parts += [Linear(d_in, d_out, rng=rng), ReLU()]
        model = Sequential(*parts, Linear(sizes[-1], self.classes, rng=rng))
        optimizer = Adam(model.parameters(), RATE)
        for _ in range(PASSES):
            order = rng.permutation(len(self.y[0]))
            for first in range(0, len(order), BATCH):
                rows = order[first : first + BATCH]
                x, y = Tensor(self.x[0][rows].astype(np.float32)), Tensor(self.y[0][rows])
                optimizer.zero_grad()
                cross_entropy(model(x), y).backward()
                optimizer.step()
        with no_grad():
            found = model(Tensor(self.x[1].astype(np.float32))).numpy().argmax(axis=1)
        cost = self.price * model.count_parameters() / UNIT
        return float((found == self.y[1]).mean()) - cost

    def render(self) -> np.ndarray:
        """A bar for every hidden layer, as high as it is wide."""
        image = np.full((SIDE + 4, BAR * self.steps, 3), 235, np.uint8)
        for k, width in enumerate(self.chosen):
            image[SIDE + 2 - width : SIDE + 2, BAR * k + 6 : BAR * (k + 1) - 6] = AGENT
        return image
