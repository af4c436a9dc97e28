"""Capsules: squashing, routing and the loss by the paper's formulas, sizes, what is refused."""

import numpy as np
import pytest
from closeness import assert_close
from support import weightless

import tinydl
from tinydl import Tensor
from tinydl.errors import ConfigError, ShapeError
from tinydl.models import CapsNet
from tinydl.models.capsules.routing import length, route, squash
from tinydl.nn import margin
from tinydl.programs.poses import explained, moved


def drawn(*shape, seed=0, scale=1.0):
    return scale * np.random.default_rng(seed).normal(size=shape)


def test_squashing_keeps_the_direction_and_not_the_books_length():
    """The book prints |s|^2 under the vector: a factor |s| away from the paper's."""
    s = np.array([[3.0, 4.0], [0.3, -0.4], [0.0, 0.0]])
    v = squash(Tensor(s)).numpy()
    wanted = np.array([[0.6, 0.8], [0.6, -0.8], [0.0, 0.0]]) * np.array([[25 / 26], [0.2], [0.0]])
    assert_close(v, wanted, 1e-6)
    lengths = np.array([5.0, 0.5])
    book = (lengths**2 / (1 + lengths**2)) / lengths
    assert_close(np.linalg.norm(v[:2], axis=1) / book, lengths, 1e-6)
    assert_close(length(Tensor(v)).numpy()[:2], np.array([25 / 26, 0.2]), 1e-6)


def test_a_capsule_of_zeros_has_a_finite_slope():
    s = tinydl.tensor(np.zeros((2, 3)), requires_grad=True)
    length(squash(s)).sum().backward()
    assert np.isfinite(s.grad.numpy()).all()


@pytest.mark.parametrize("rounds", [1, 2, 4])
def test_routing_is_procedure_1(rounds):
    """Loop by loop, as the paper writes it."""
    votes = drawn(2, 5, 3, 4)
    v, c = (t.numpy() for t in route(Tensor(votes), rounds))
    for n in range(2):
        b = np.zeros((5, 3))
        for _ in range(rounds):
            coupling = np.exp(b) / np.exp(b).sum(axis=1, keepdims=True)
            s = np.einsum("ij,ijk->jk", coupling, votes[n])
            square = (s**2).sum(axis=1, keepdims=True)
            out = square / (1 + square) * s / np.sqrt(square)
            b = b + np.einsum("ijk,jk->ij", votes[n], out)
        assert_close(v[n], out, 1e-6)
        assert_close(c[n], coupling, 1e-6)
    assert_close(c.sum(axis=2), np.ones((2, 5)), 1e-12)


def test_votes_that_agree_are_followed():
    """Nine capsules say the same to the first above, and contradict each other to the second."""
    votes = np.zeros((1, 9, 2, 2))
    votes[0, :, 0] = [1.0, 0.0]
    angles = np.arange(9) * 2 * np.pi / 9
    votes[0, :, 1] = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    even, sure = (route(Tensor(votes), rounds) for rounds in (1, 4))
    assert_close(even[1].numpy(), np.full((1, 9, 2), 0.5), 1e-12)
    assert sure[1].numpy()[..., 0].min() > 0.94
    lengths = length(sure[0]).numpy()[0]
    assert lengths[0] > 0.9 and lengths[1] < 0.1


def test_the_loss_is_equation_4_and_the_squared_error_of_the_true_capsules_picture():
    tinydl.seed(0)
    model = CapsNet((9, 9, 1), 3, (4, 8), (3, 3), primary=4, pose=4, hidden=(6,), weight=0.1)
    model = model.astype("float64")
    x, y = Tensor(np.abs(drawn(4, 9, 9, 1, scale=0.3))), np.array([0, 2, 1, 0])
    poses = model.poses(x).numpy()
    v = np.linalg.norm(poses, axis=2)
    t = np.eye(3)[y]
    terms = t * np.maximum(0, 0.9 - v) ** 2 + 0.5 * (1 - t) * np.maximum(0, v - 0.1) ** 2
    masked = (poses * t[:, :, None]).reshape(4, -1)
    made = model.decoder.layers(Tensor(masked)).numpy()
    away = ((made - x.numpy().reshape(4, -1)) ** 2).sum(axis=1)
    wanted = terms.sum(axis=1).mean() + 0.1 * away.mean()
    assert_close(model.loss(x, Tensor(y)).numpy(), np.array(wanted), 1e-6)
    assert_close(margin(model(x), t).numpy(), np.array(terms.sum(axis=1).mean()), 1e-6)
    bare = CapsNet((9, 9, 1), 3, (4, 8), (3, 3), primary=4, pose=4, hidden=())
    assert bare.decoder is None and bare.loss(x.astype("float32"), Tensor(y)).shape == ()


def test_sizes_are_the_papers():
    with weightless():
        assert CapsNet(hidden=()).count_parameters() == 6_804_224
        model = CapsNet()
    assert model.votes.shape == (1152, 10, 8, 16)
    assert model.decoder.count_parameters() == 1_411_344


@pytest.mark.parametrize(
    "make, words",
    [
        (lambda: CapsNet((8, 8, 1)), "must fit into"),
        (lambda: CapsNet(primary=7), "capsules of 7 divide 256"),
        (lambda: route(Tensor(drawn(1, 2, 3, 4)), 0), "rounds must be"),
    ],
)
def test_sizes_that_do_not_fit(make, words):
    with pytest.raises(ConfigError, match=words):
        make()


def test_shapes_that_do_not_fit():
    with pytest.raises(ShapeError, match="votes must be"):
        route(Tensor(drawn(2, 3, 4)))
    model = CapsNet((9, 9, 1), 3, (4, 8), (3, 3), primary=4, hidden=())
    with pytest.raises(ShapeError, match="pictures must be"):
        model(Tensor(drawn(2, 8, 9, 1).astype("float32")))


def test_pictures_are_moved_by_what_is_told():
    x = np.zeros((3, 9, 9, 1), np.float32)
    x[:, 4, 4] = 1
    pictures, amounts = moved(x, tinydl.Generator(1), turn=0.0, shift=2.0)
    rows, columns = np.meshgrid(np.arange(9), np.arange(9), indexing="ij")
    for picture, (_, right, down) in zip(pictures[..., 0], amounts, strict=True):
        assert_close((picture * columns).sum() - 4, np.array(2 * right), 1e-4)
        assert_close((picture * rows).sum() - 4, np.array(2 * down), 1e-4)


def test_explained_is_the_share_of_a_linear_function():
    rng = np.random.default_rng(0)
    given, y = rng.normal(size=(400, 3)), np.arange(400) // 2 % 2
    maps = rng.normal(size=(2, 3, 5))
    wanted = np.stack([row @ maps[k] for row, k in zip(given, y, strict=True)])
    assert explained(given, wanted, y) > 0.999
    assert abs(explained(given, rng.normal(size=(400, 5)), y)) < 0.1
