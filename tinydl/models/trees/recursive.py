"""Recursive networks: one composition, applied at every inner node of a binary tree."""

from __future__ import annotations

from ... import ops
from ...data import Forest
from ...nn import Embedding, Linear, Module, Parameter, cross_entropy
from ...nn.init import draw
from ...random import default_generator
from ...tensor import Tensor


class RecursiveNet(Module):
    """p = tanh([a; b] W + c) at every inner node with the children a and b; logits of every node.

    | layer | output for V = 6 words, D = 16, K = 9 labels | parameters | in letters |
    |---|---|---|---|
    | Embedding of the leaves | (nodes, 16) | 96 | V D |
    | Linear at the inner nodes, tanh | (nodes, 16) | 528 | (2D + 1) D |
    | Linear at all nodes | (nodes, 9) | 153 | (D + 1) K |
    | all | | 777 | |

    A call takes a `Forest`, trees packed by height: all nodes of one height, of all trees, are one
    product. Result: logits (nodes, labels), the leaves first, then height by height.

    Socher, Lin, Ng and Manning, Parsing natural scenes and natural language with recursive neural
    networks, ICML 2011; Goller and Kuechler 1996, doi:10.1109/ICNN.1996.548916.
    """

    def __init__(self, words: int = 6, dimension: int = 16, labels: int = 9) -> None:
        self.embed = Embedding(words, dimension, weight_init="glorot_uniform")
        self.compose = Linear(2 * dimension, dimension)
        self.linear = Linear(dimension, labels)

    def forward(self, forest: Forest) -> Tensor:
        return self.linear(self.states(forest))

    def states(self, forest: Forest) -> Tensor:
        """The vectors (nodes, D) of all nodes."""
        words = Tensor(forest.words, backend=self.backend)
        h = ops.tanh(self.embed(words))
        for left, right in forest.levels:
            a, b = (ops.take(h, Tensor(k, backend=h.backend), axis=0) for k in (left, right))
            h = ops.concat([h, self.composed(ops.concat([a, b], 1))], 0)
        return h

    def composed(self, ab: Tensor) -> Tensor:
        """The parents (M, D) of pairs of children ab (M, 2D)."""
        return ops.tanh(self.compose(ab))

    def loss(self, forest: Forest) -> Tensor:
        """The mean cross-entropy over all nodes."""
        return cross_entropy(self(forest), Tensor(forest.labels, backend=self.backend))


class RecursiveTensorNet(RecursiveNet):
    """p_k = tanh([a; b]' V_k [a; b] + ([a; b] W + c)_k): the children also meet in products.

    | layer | output for V = 6 words, D = 16, K = 9 labels | parameters | in letters |
    |---|---|---|---|
    | Embedding, Linear, Linear of `RecursiveNet` | | 777 | |
    | tensor V at the inner nodes | (nodes, 16) | 16,384 | 4 D^3 |
    | all | | 17,161 | |

    Where a plain composition adds what a and b say, a product lets one decide what the other
    means: "not" turns whatever follows it. The tensor starts normal with deviation 1 / (2D).

    Socher et al., Recursive deep models for semantic compositionality over a sentiment treebank,
    EMNLP 2013, section 4.3.
    """

    def __init__(self, words: int = 6, dimension: int = 16, labels: int = 9) -> None:
        super().__init__(words, dimension, labels)
        both, rng = 2 * dimension, default_generator()
        self.tensor = Parameter(draw("normal", (both, both * dimension), rng) / both)

    def composed(self, ab: Tensor) -> Tensor:
        M, both = ab.shape
        # [M x 2D] @ [2D x 2D D]: row n is [a; b]' V, for every k
        half = ops.reshape(ab @ self.tensor, (M, both, both // 2))
        return ops.tanh(ops.sum(half * ops.expand_dims(ab, 2), axis=1) + self.compose(ab))
