"""Networks that write: after every character, what the next one may be."""

from __future__ import annotations

from typing import Any

from ... import ops
from ...arguments import whole
from ...nn import LSTM, Dropout, Linear, Module, SimpleRNN
from ...nn.recurrent import Recurrent
from ...tensor import Tensor


class LanguageModel(Module):
    """What a network that foretells a text has, whatever it is made of.

    tokens: how many different characters there are. window: how many it sees at most; None: all.
    """

    tokens: int
    window: int | None = None

    def run(self, ids: Tensor, state: Any = None) -> tuple[Tensor, Any]:
        """(logits (N, T, tokens) of what follows each of ids (N, T), int64; state behind the last,
        from which the next piece of text goes on); state None: there is no text before."""
        raise NotImplementedError(f"{type(self).__name__} runs over no text")

    def trace(self, rows: Tensor) -> tuple[Tensor, list[tuple[str, Tensor]]]:
        """(logits (N, tokens) of what follows a text, name and output of every layer), of one-hot
        rows (N, T, tokens), by which the logits can be differentiated; T <= window."""
        raise NotImplementedError(f"{type(self).__name__} shows no layers")


class TextGenerator(LanguageModel):
    """P(x_{t+1} | x_1 ... x_t) = softmax(h_t V + c), h_t the state of recurrent layers one upon the
    other, with dropout behind each; the characters come in as one-hot rows.

    Subclasses hand in the layers. ids: (N, T) int64 of `tokens` characters; result: logits
    (N, T, tokens) of what follows each of them, for `cross_entropy`. `run(ids, state)` also gives
    the state, from which the next piece of text goes on.
    """

    def __init__(self, tokens: int, layers: list[Recurrent], dropout: float) -> None:
        self.tokens = whole(type(self).__name__, "tokens", tokens, 1)
        self.layers = list(layers)
        self.dropout = Dropout(dropout)
        self.linear = Linear(self.layers[-1].hidden_size, tokens)

    def run(self, ids: Tensor, state: Any = None) -> tuple[Tensor, Any]:
        """(logits (N, T, tokens), state behind the last character); state None: there is no text
        before."""
        x, ends = ops.one_hot(ids, self.tokens).astype(self.dtype), []
        for layer, first in zip(self.layers, state or [None] * len(self.layers), strict=True):
            x, end = layer.run(x, first)
            x = self.dropout(x)
            ends.append(end)
        return self.linear(x), tuple(ends)

    def forward(self, ids: Tensor) -> Tensor:
        return self.run(ids)[0]

    def trace(self, rows: Tensor) -> tuple[Tensor, list[tuple[str, Tensor]]]:
        x, found = rows, []
        for k, layer in enumerate(self.layers):
            x = self.dropout(layer.run(x, None)[0])
            found.append((f"layers.{k}", x))
        return self.linear(x[:, -1]), found


class VanillaGenerator(TextGenerator):
    """Layers of s_t = relu(x_t U + s_{t-1} W + b), the plain recurrent network (Elman 1990).

    | layer | output for windows of 100 | parameters | in letters |
    |---|---|---|---|
    | one-hot characters | (N, 100, 57) | | |
    | SimpleRNN | (N, 100, 800) | 686,400 | H (V + H + 1) |
    | SimpleRNN | (N, 100, 800) | 1,280,800 | H (2 H + 1) |
    | Linear at every step | (N, 100, 57) | 45,657 | V (H + 1) |
    | all | | 2,012,857 | |

    Nothing holds a ReLU's state down: clip the gradients. Liu and Mehta, Hands-On Deep Learning
    Architectures (2019), chapter 6.
    """

    def __init__(
        self, tokens: int = 57, hidden_size: int = 800, num_layers: int = 2, dropout: float = 0.3
    ) -> None:
        sizes = [tokens] + [hidden_size] * (num_layers - 1)
        layers = [
            SimpleRNN(size, hidden_size, activation=ops.relu, return_sequences=True)
            for size in sizes
        ]
        super().__init__(tokens, layers, dropout)  # type: ignore[arg-type]


class LSTMGenerator(TextGenerator):
    """Layers of LSTM (Hochreiter and Schmidhuber 1997; Gers et al. 2000).

    | layer | output for windows of 160 | parameters | in letters |
    |---|---|---|---|
    | one-hot characters | (N, 160, 57) | | |
    | LSTM | (N, 160, 800) | 2,745,600 | 4 H (V + H + 1) |
    | LSTM | (N, 160, 800) | 5,123,200 | 4 H (2 H + 1) |
    | Linear at every step | (N, 160, 57) | 45,657 | V (H + 1) |
    | all | | 7,914,457 | |

    Liu and Mehta, Hands-On Deep Learning Architectures (2019), chapter 6, whose s_t lacks the tanh
    of c_t; Karpathy et al. 2015 (arXiv 1506.02078) for the same on two books.
    """

    def __init__(
        self, tokens: int = 57, hidden_size: int = 800, num_layers: int = 2, dropout: float = 0.4
    ) -> None:
        sizes = [tokens] + [hidden_size] * (num_layers - 1)
        layers = [LSTM(size, hidden_size, return_sequences=True) for size in sizes]
        super().__init__(tokens, layers, dropout)  # type: ignore[arg-type]
