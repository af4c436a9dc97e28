"""Hooks: called once per backward, with the complete gradient, in the order of registration."""

import numpy as np
import pytest

from tinydl import Tensor, nn, optim
from tinydl.errors import GraphError, ShapeError
from tinydl.instruments import watching
from tinydl.train import fit

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


@pytest.mark.parametrize("place", ["leaf", "node"])
@pytest.mark.parametrize("which", [0, 1, 2])
@pytest.mark.parametrize("other", [0, 1, 2])
def test_hooks_that_change_the_list_while_it_is_walked(place, which, other):
    """Hook `which` removes hook `other` and adds one: all three run, the change counts later."""
    x, seen, removes = leaf(1.0), [], []
    y = x * x if place == "node" else x

    def hook(number):
        def call(grad):
            seen.append(number)
            if number == which:
                removes[other]()
                removes.append(y.register_hook(hook(3)))

        return call

    removes += [y.register_hook(hook(number)) for number in range(3)]
    loss = (y * 2.0).sum()
    loss.backward(retain_graph=True)
    assert seen == [0, 1, 2]
    seen.clear()
    loss.backward()
    assert seen == [*[n for n in range(3) if n != other], 3]


def test_one_function_registered_twice_is_removed_where_it_stands():
    def double(g):
        return g * 2.0

    x = leaf(1.0)
    removes = [x.register_hook(hook) for hook in (double, lambda g: g + 1.0, double)]
    removes[2](), removes[2]()
    (x * 1.0).sum().backward()
    assert x.grad.tolist() == [3.0]


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


class Leaves:
    """A callback that takes itself off the list, and another one after it."""

    def __init__(self, callbacks, seen, name):
        self.callbacks, self.seen, self.name = callbacks, seen, name

    def on_epoch_end(self, state):
        self.seen.append(self.name)
        if self in self.callbacks:
            self.callbacks.remove(self)

    on_fit_end = on_epoch_end


def test_callbacks_that_leave_the_list_skip_nobody():
    callbacks, seen = [], []
    callbacks += [Leaves(callbacks, seen, name) for name in "abc"]
    model, x = nn.Linear(2, 1), np.ones((2, 2), np.float32)
    fit(model, [(x, x[:, :1])], nn.mse, optim.SGD(model.parameters()), 1, callbacks=callbacks)
    assert "".join(seen) == "abcabc"


def test_watchers_that_leave_while_they_are_called():
    seen, blocks = [], []

    def watcher(*_):
        seen.append(len(seen))
        while blocks:
            blocks.pop().__exit__(None, None, None)

    for _ in range(2):
        blocks.append(watching(watcher))
        blocks[-1].__enter__()
    Tensor([1.0]) + Tensor([1.0])
    Tensor([1.0]) + Tensor([1.0])
    assert seen == [0, 1]
