"""Binary trees with a label at every node: read, made up, packed for a network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..doors import checked, sequence
from ..errors import ConfigError, FormatError
from ..foreign import reader
from ..quoting import shown
from .formats.archives import read_bytes

if TYPE_CHECKING:
    from ..random import Generator

DEEPEST = 200  # of a tree in a file
MAX_BYTES = 1 << 28


@dataclass(frozen=True, slots=True, eq=False)
class Tree:
    """A leaf with a word, or a node with two children; each has its label."""

    label: int
    word: str = ""
    left: Tree | None = None
    right: Tree | None = None

    def __str__(self) -> str:
        if self.left is None or self.right is None:
            return f"({self.label} {self.word})"
        return f"({self.label} {self.left} {self.right})"


@dataclass(frozen=True, slots=True, eq=False)
class Forest:
    """Trees packed by height. words (L,) int64: the leaves. levels: for each height 1, 2 ... the
    places (M,) of the left and of the right children among all nodes. labels (L + all M,); roots:
    the places of the trees' roots."""

    words: np.ndarray
    levels: tuple[tuple[np.ndarray, np.ndarray], ...]
    labels: np.ndarray
    roots: np.ndarray


@checked
def pack_trees(trees: Sequence[Tree], vocabulary: Sequence[str]) -> Forest:
    """All nodes of the trees, leaves first, then by height; the leaves' words as places in the
    vocabulary. ConfigError for no trees, or a word that is not in it."""
    sequence("pack_trees", "trees", trees)
    place = {word: k for k, word in enumerate(vocabulary)}
    by_height, number = _by_height(trees)
    if not number:
        raise ConfigError("pack_trees: needs at least one tree")
    order = [k for level in by_height for _, k in level]
    places = {k: place_ for place_, k in enumerate(order)}
    unknown = [node.word for node, _ in by_height[0] if node.word not in place]
    if unknown:
        raise ConfigError(f"pack_trees: the vocabulary lacks {unknown[0]!r}")
    levels = tuple(
        tuple(
            np.array([places[number[id(child)]] for child in children], np.int64)
            for children in zip(*((n.left, n.right) for n, _ in level), strict=True)
        )
        for level in by_height[1:]
    )
    labels = [node.label for level in by_height for node, _ in level]
    return Forest(
        np.array([place[node.word] for node, _ in by_height[0]], np.int64),
        levels,  # type: ignore[arg-type]
        np.array(labels, np.int64),
        np.array([places[number[id(tree)]] for tree in trees], np.int64),
    )


def _by_height(trees: Sequence[Tree]) -> tuple[list[list[tuple[Tree, int]]], dict[int, int]]:
    """For each height its nodes, each with its number; and the numbers by the nodes' id."""
    by_height: list[list[tuple[Tree, int]]] = [[]]
    number: dict[int, int] = {}

    def visit(node: Tree) -> int:
        if node.left is None or node.right is None:
            height = 0
        else:
            height = 1 + max(visit(node.left), visit(node.right))
        while len(by_height) <= height:
            by_height.append([])
        by_height[height].append((node, len(number)))
        number[id(node)] = len(number)
        return height

    for tree in trees:
        if not isinstance(tree, Tree):
            raise ConfigError("pack_trees: trees must be a sequence of Tree")
        visit(tree)
    return by_height, number


@checked
def parse_tree(text: str) -> Tree:
    """The tree of a line such as "(3 (2 It) (4 works))": a label, and a word or two trees, as in
    the Stanford Sentiment Treebank. FormatError for anything else."""
    tokens = text.replace("(", " ( ").replace(")", " ) ").split()
    open_nodes: list[list[str | int | Tree]] = []
    for k, token in enumerate(tokens):
        if token == "(":
            open_nodes.append([])
            if len(open_nodes) > DEEPEST:
                raise FormatError(f"trees: a tree is deeper than {DEEPEST}")
        elif token == ")" and open_nodes:
            node = _closed(open_nodes.pop())
            if not open_nodes:
                if k + 1 < len(tokens):
                    break
                return node
            open_nodes[-1].append(node)
        elif open_nodes:
            open_nodes[-1].append(token)
        else:
            break
    raise FormatError(f"trees: {shown(text[:60])} is no tree")


def _closed(parts: list) -> Tree:
    """The node whose parts stood between two parentheses."""
    label = parts[0] if parts else ""
    if isinstance(label, str) and label.isascii() and label.isdigit() and len(label) < 10:
        if len(parts) == 2 and isinstance(parts[1], str):
            return Tree(int(label), parts[1])
        if len(parts) == 3 and all(isinstance(p, Tree) for p in parts[1:]):
            return Tree(int(label), "", parts[1], parts[2])
    raise FormatError("trees: a node must be (label word) or (label tree tree)")


@reader("trees")
def read_trees(path: str | Path) -> list[Tree]:
    """A tree a line, of a text file (UTF-8, gzip or not): the format of the Stanford Sentiment
    Treebank, whose files have no licence that lets them be passed on: get your own."""
    lines = read_bytes(path, MAX_BYTES).decode("utf-8").split("\n")
    try:
        trees = [parse_tree(line) for line in lines if line.strip()]
    except FormatError as error:
        said = str(error).removeprefix("trees: ")
        raise FormatError(f"trees: {shown(path)}: {said}") from None
    if not trees:
        raise FormatError(f"trees: {shown(path)} holds no trees")
    return trees


# -- made up: logic --------------------------------------------------------------------------------

LOGIC_WORDS = ("F", "T", "not", "and", "or", "xor")
LOGIC_LABELS = ("false", "true", "never", "same", "other", "always", "and", "or", "xor")
_NEVER, _SAME, _OTHER, _ALWAYS = 2, 3, 4, 5  # functions of one truth value
_OPERATORS = {"and": (_NEVER, _SAME), "or": (_SAME, _ALWAYS), "xor": (_SAME, _OTHER)}
_APPLIED = {_NEVER: (0, 0), _SAME: (0, 1), _OTHER: (1, 0), _ALWAYS: (1, 1)}


@checked
def logic_tree(depth: int, rng: Generator) -> Tree:
    """A true or false sentence, operators nested exactly `depth` deep along one branch at least.

    "x and y" is the tree (x (and y)): "and y" has a meaning too, a function of x: "and F" is never
    true, "and T" says the same, "xor T" the other. So every node has its label of LOGIC_LABELS,
    and composition is applying a function. ConfigError for a depth below 0 or above 50.
    """
    if not 0 <= depth <= 50:
        raise ConfigError(f"logic_tree: depth must lie in 0 ... 50, got {depth}")
    if depth == 0:
        value = int(rng.integers(0, 2))
        return Tree(value, LOGIC_WORDS[value])
    kind = LOGIC_WORDS[int(rng.integers(2, 6))]
    deep = logic_tree(depth - 1, rng)
    if kind == "not":
        return Tree(1 - deep.label, "", Tree(_OTHER, kind), deep)
    other = logic_tree(int(rng.integers(0, depth)), rng)
    x, y = (deep, other) if rng.integers(0, 2) else (other, deep)
    function = _OPERATORS[kind][y.label]
    part = Tree(function, "", Tree(LOGIC_LABELS.index(kind), kind), y)
    return Tree(_APPLIED[function][x.label], "", x, part)
