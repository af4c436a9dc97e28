"""Hooks: called once per backward, with the complete gradient, in the order of registration."""

import numpy as np
import pytest

from tinydl import Tensor
from tinydl.errors import GraphError, ShapeError

pytestmark = pytest.mark.usefixtures("on_numpy")


def leaf(*values):
    return Tensor(np.array(values), requires_grad=True)


def test_a_leaf_hook_sees_the_complete_gradient_once():
    x, seen = leaf(2.0), []
    x.register_hook(lambda g: seen.append(g.tolist()))
    (x * x + x).sum().backward()
    assert seen == [[5.0]] and x.grad.tolist() == [5.0]


def test_an_interior_hook_sees_the_sum_of_all_paths():
    x, seen = leaf(2.0), []
    y = x * x
    y.register_hook(lambda g: seen.append(g.tolist()))
    (y * y + y).sum().backward()
    assert seen == [[9.0]] and x.grad.tolist() == [36.0]


def test_a_hook_may_replace_the_gradient():
    x = leaf(2.0)
    y = x * x
    y.register_hook(lambda g: g * 10.0)
    x.register_hook(lambda g: g + 1.0)
    y.sum().backward()
    assert x.grad.tolist() == [41.0]


def test_hooks_run_in_order():
    x = leaf(1.0)
    x.register_hook(lambda g: g + 1.0)
    x.register_hook(lambda g: g * 10.0)
    (x * 1.0).sum().backward()
    assert x.grad.tolist() == [20.0]


def test_removal():
    x, seen = leaf(1.0), []
    remove = x.register_hook(lambda g: seen.append(g))
    remove()
    (x * x).sum().backward()
    assert not seen


def test_a_replacement_of_the_wrong_shape():
    x = leaf(1.0, 2.0)
    x.register_hook(lambda g: g.sum())
    with pytest.raises(ShapeError, match=r"hook: returned float64 \(\) .* float64 \(2,\)"):
        (x * x).sum().backward()


def test_a_constant_takes_no_hook():
    with pytest.raises(GraphError, match="takes no gradient"):
        Tensor([1.0]).register_hook(print)


def test_hooks_may_print_or_compute_without_recording():
    x, seen = leaf(1.0), []
    x.register_hook(lambda g: seen.append((g * g).requires_grad))
    (x * x).sum().backward()
    assert seen == [False]
