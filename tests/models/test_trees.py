"""Trees: read, made up, packed; recursive networks against a walk node by node."""

import numpy as np
import pytest
from closeness import assert_close

from tinydl import Generator, random
from tinydl.baselines import leaves_by_heart, most_frequent_label
from tinydl.data import (
    LOGIC_LABELS,
    LOGIC_WORDS,
    Tree,
    logic_tree,
    pack_trees,
    parse_tree,
)
from tinydl.errors import ConfigError, FormatError
from tinydl.models import RecursiveNet, RecursiveTensorNet
from tinydl.recipes import find
from tinydl.runs.run import begin

OPERATORS = {"and": lambda a, b: a and b, "or": lambda a, b: a or b, "xor": lambda a, b: a != b}


def meaning(node):
    """What a node says: a truth value, or a function of one or two."""
    if node.left is None:
        return {"F": False, "T": True, "not": lambda a: not a, **OPERATORS}[node.word]
    a, b = meaning(node.left), meaning(node.right)
    if node.left.word == "not":
        return a(b)
    if node.left.word in OPERATORS:
        return lambda x: bool(a(x, b))
    return b(a)


def label_of(node):
    found = meaning(node)
    if isinstance(found, bool):
        return ("false", "true")[found]
    if node.word in OPERATORS:
        return node.word
    kinds = {(False, False): "never", (False, True): "same", (True, False): "other"}
    return kinds.get((found(False), found(True)), "always")


def nodes(tree):
    return [tree] if tree.left is None else [tree, *nodes(tree.left), *nodes(tree.right)]


def nested(tree):
    if tree.left is None:
        return 0
    below = [nested(t) for t in (tree.left, tree.right)]
    whole = tree.left.word not in OPERATORS  # "and y" is half an operation
    return max(below) + whole


def test_every_node_of_a_sentence_is_labelled_with_its_meaning():
    rng, seen = Generator(0), set()
    for depth in (0, 1, 2, 4):
        for _ in range(30):
            tree = logic_tree(depth, rng)
            assert nested(tree) == depth
            for node in nodes(tree):
                seen.add(label_of(node))
                assert LOGIC_LABELS[node.label] == label_of(node), str(node)
    assert seen == set(LOGIC_LABELS)


def test_a_line_is_the_tree_that_it_was():
    tree = logic_tree(4, Generator(1))
    assert str(parse_tree(str(tree))) == str(tree)
    assert str(parse_tree("(3(2 It)\t(4 works))")) == "(3 (2 It) (4 works))"
    for wrong in ("", "3 It", "(3 It", "(3 It))", "(x It)", "(3 (2 a) b)", "(3 (2 a))", "(" * 300):
        with pytest.raises(FormatError, match="trees:"):
            parse_tree(wrong)


@pytest.mark.parametrize("kind", [RecursiveNet, RecursiveTensorNet])
def test_packed_trees_give_what_a_walk_gives(kind):
    random.seed(0)
    model = kind(6, 5, 9).astype("float64")
    weights = {name: p.numpy() for name, p in model.named_parameters()}
    trees = [logic_tree(d, Generator(d)) for d in (3, 0, 2)]
    found = {}

    def walk(node):
        if node.left is None:
            h = np.tanh(weights["embed.weight"][LOGIC_WORDS.index(node.word)])
        else:
            ab = np.concatenate([walk(node.left), walk(node.right)])
            inside = ab @ weights["compose.weight"] + weights["compose.bias"]
            if kind is RecursiveTensorNet:
                tensor = weights["tensor"].reshape(10, 10, 5)  # V[i, j, k]
                inside = inside + np.einsum("i,ijk,j->k", ab, tensor, ab)
            h = np.tanh(inside)
        found[id(node)] = h @ weights["linear.weight"] + weights["linear.bias"]
        return h

    for tree in trees:
        walk(tree)
    forest = pack_trees(trees, LOGIC_WORDS)
    logits = model(forest).numpy()
    assert len(logits) == len(found) == len(forest.labels)
    for tree, root in zip(trees, forest.roots, strict=True):
        assert_close(logits[root], found[id(tree)], 1e-12)
        assert forest.labels[root] == tree.label
    key = np.round(np.stack(list(found.values())), 9)
    assert_close(np.sort(np.round(logits, 9), axis=0), np.sort(key, axis=0), 1e-8)


def test_words_must_be_known():
    with pytest.raises(ConfigError, match="lacks 'maybe'"):
        pack_trees([Tree(0, "maybe")], LOGIC_WORDS)
    with pytest.raises(ConfigError, match="at least one"):
        pack_trees([], LOGIC_WORDS)


def test_a_tensor_learns_what_words_do_to_each_other():
    recipe = find("rntn-logic").replaced(depth=2, updates=150, tested=60, lr=0.02, epochs=1)
    training = begin(recipe)
    training.fit()
    found, beside = training.measure(), leaves_by_heart(training, "test")
    assert found["nodes"] > 0.9 > beside["nodes"] > most_frequent_label(training, "test")["nodes"]
    assert set(found) == {"nodes", "roots", "deeper", "deeper_roots"}
