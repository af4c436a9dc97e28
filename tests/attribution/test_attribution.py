"""Every method on a case where its answer is known exactly."""

import numpy as np
import pytest
from closeness import assert_close, is_close

import tinydl as td
from tinydl import attribution as at
from tinydl import nn
from tinydl.backend import use_backend
from tinydl.errors import ConfigError, DTypeError, IndexRangeError, ShapeError
from tinydl.metrics import Found

HOSTS = pytest.mark.parametrize("backend", ["numpy", "cpu"], indirect=True)  # builds take seconds
RNG = np.random.default_rng(0)
X = RNG.normal(size=(3, 4, 4, 2))


def linear(backend):
    """Scores that are linear in the pixels, in float64, and their weights (4, 4, 2, 3)."""
    with use_backend(backend.name):
        model = nn.Sequential(nn.Flatten(), nn.Linear(32, 3, bias=True)).astype("float64")
    return model, model[1].weight.numpy().reshape(4, 4, 2, 3)


def of(weights, classes):
    """The weights of one class for each sample, (N, 4, 4, 2)."""
    return np.moveaxis(weights[..., classes], -1, 0)


CLASSES = np.array([2, 0, 1])


def test_saliency_of_a_linear_model_is_its_weights(backend):
    model, w = linear(backend)
    assert_close(at.saliency(model, X, CLASSES), of(w, CLASSES), 1e-12)
    best = (X.reshape(3, -1) @ w.reshape(32, 3) + model[1].bias.numpy()).argmax(axis=1)
    assert_close(at.saliency(model, X), of(w, best), 1e-12)


def test_saliency_of_a_net_that_looks_at_one_pixel():
    model, w = linear(td.backend.get("numpy"))
    only = np.zeros_like(w)
    only[1, 3, 0, 2] = 5.0
    model[1].load_state_dict({"weight": only.reshape(32, 3), "bias": np.zeros(3)})
    found = at.saliency(model, X, 2)
    assert (found[:, 1, 3, 0] == 5.0).all() and np.count_nonzero(found) == 3


def test_integrated_gradients_of_a_linear_model(backend):
    model, w = linear(backend)
    x0 = RNG.normal(size=(4, 4, 2))
    found = at.integrated_gradients(model, X, CLASSES, x0, steps=1)
    assert_close(found.values, of(w, CLASSES) * (X - x0), 1e-12)
    assert_close(found.change, found.values.sum(axis=(1, 2, 3)), 1e-12)
    assert found.gap.max() < 1e-12


def test_integrated_gradients_are_complete_on_a_tanh_net():
    """The sum is the change of the score: the requirement is 1e-4 of it within 256 steps."""
    td.seed(3)
    model = nn.Sequential(
        nn.Flatten(), nn.Linear(32, 40), nn.Tanh(), nn.Linear(40, 20), nn.Tanh(), nn.Linear(20, 3)
    ).astype("float64")
    rough = at.integrated_gradients(model, 2 * X, CLASSES, steps=4)
    found = at.integrated_gradients(model, 2 * X, CLASSES, steps=256)
    assert (found.gap <= 1e-4 * np.abs(found.change)).all()
    assert (found.gap < rough.gap).all() and rough.gap.min() > 0
    given = np.abs(found.values.sum(axis=(1, 2, 3)) - found.change)
    assert_close(given, found.gap, 1e-9)


def test_integrated_gradients_of_a_square():
    """f = sum x^2: (x - x0) (x + x0), which two midpoints give exactly; one gradient would not."""

    class Square(nn.Module):
        def __init__(self):
            self.w = nn.Parameter(np.ones(1))

        def forward(self, x):
            return (x * x * self.w).sum(axis=1, keepdims=True)

    x, x0 = RNG.normal(size=(2, 5)), np.full(5, 0.5)
    found = at.integrated_gradients(Square(), x, 0, x0, steps=2)
    assert_close(found.values, x * x - x0 * x0, 1e-12)
    assert at.saliency(Square(), x, 0) == pytest.approx(2 * x)


@HOSTS
def test_grad_cam_of_a_net_with_a_global_mean_is_the_class_activation_map(backend):
    """Section 3.1 of the paper: a_k is the weight of the class over h w."""
    with use_backend(backend.name):
        model = nn.Sequential(
            nn.Conv2d(2, 5, 3, padding="same"), nn.ReLU(), nn.GlobalAvgPool(), nn.Linear(5, 3)
        ).astype("float64")
    features = nn.activations(model, X, "layers.1")["layers.1"]
    w = model[3].weight.numpy()[:, CLASSES].T[:, None, None, :]
    cam = np.maximum((features * w).sum(axis=3), 0) / 16
    found = at.grad_cam(model, X, CLASSES, layer="layers.1", enlarged=False)
    assert_close(found, cam, 1e-12)
    assert_close(at.grad_cam(model, X, CLASSES, layer="layers.1"), cam, 1e-12)  # of one size


def test_grad_cam_is_enlarged_and_finds_the_last_convolution():
    model = nn.Sequential(
        nn.Conv2d(2, 3, 1), nn.AvgPool2d(2), nn.Conv2d(3, 4, 1), nn.Flatten(), nn.Linear(16, 3)
    )
    assert at.last_convolution(model, X) == "layers.2"
    whole = nn.Sequential(nn.Conv2d(2, 3, 2), nn.Conv2d(3, 4, 3), nn.Flatten(), nn.Linear(4, 2))
    assert at.last_convolution(whole, X) == "layers.0"  # the other has one place
    assert at.grad_cam(model, X).shape == (3, 4, 4)
    assert at.grad_cam(model, X, enlarged=False).shape == (3, 2, 2)
    assert at.last_convolution(nn.Linear(2, 3), X) is None
    with pytest.raises(ConfigError, match="no Conv2d"):
        at.grad_cam(nn.Sequential(nn.Flatten(), nn.Linear(32, 2)), X)
    with pytest.raises(ConfigError, match="no module"):
        at.grad_cam(model, X, layer="layers.9")
    with pytest.raises(ConfigError, match="needed is"):
        at.grad_cam(model, X, layer="layers.4")


@HOSTS
def test_occlusion_of_a_linear_model(backend):
    model, w = linear(backend)
    found = at.occlusion(model, X, CLASSES, size=1, value=0.25)
    assert_close(found, (of(w, CLASSES) * (X - 0.25)).sum(axis=3), 1e-11)
    # A square as large as the picture hides everything at once.
    everything = at.occlusion(model, X, CLASSES, size=4)
    assert_close(everything[:, 1, 2], (of(w, CLASSES) * X).sum(axis=(1, 2, 3)), 1e-11)


def test_occlusion_covers_the_border_and_is_a_mean():
    """Of two squares that cover a pixel, half the sum of what they cost."""
    model, w = linear(td.backend.get("cpu"))
    cost = (of(w, CLASSES) * X).sum(axis=3)
    block = {(i, j): cost[:, i : i + 3, j : j + 3].sum(axis=(1, 2)) for i in (0, 1) for j in (0, 1)}
    found = at.occlusion(model, X, CLASSES, size=3, stride=3)
    assert_close(found[:, 0, 0], block[0, 0], 1e-11)
    assert_close(found[:, 3, 3], block[1, 1], 1e-11)
    assert_close(found[:, 1, 1], sum(block.values()) / 4, 1e-11)


def test_occlusion_of_a_box_that_is_known():
    """A detector that says the mean of the pixels in its box as the score, and a box of another
    class that nothing changes: every pixel inside costs its share, what lies outside nothing."""
    box, other = np.array([2.0, 1.0, 6.0, 5.0]), np.array([0.0, 0.0, 8.0, 8.0])
    image = np.random.default_rng(3).random((8, 8, 1))

    def detector(x):
        inside = x[:, 1:5, 2:6, 0].mean(axis=(1, 2))
        boxes = np.stack([box, other])
        return [Found(boxes, np.array([0, 1]), np.array([s, 0.9])) for s in inside]

    found = at.box_occlusion(detector, image, box, 0, size=1)
    wanted = np.zeros((8, 8))
    wanted[1:5, 2:6] = image[1:5, 2:6, 0] / 16
    assert_close(found, wanted, 1e-12)
    half = at.box_occlusion(detector, image, np.array([2.0, 1.0, 6.0, 3.0]), 0, size=1)
    assert_close(half, wanted / 2, 1e-12)  # the box that is there covers half of what is asked
    assert not at.box_occlusion(detector, image, other, 1, size=3).any()
    nobody = at.box_occlusion(detector, image, box, 7, size=3)
    assert nobody.shape == (8, 8) and not nobody.any()
    with pytest.raises(DTypeError, match="floats"):
        at.box_occlusion(detector, np.ones((8, 8, 1), np.uint8), box, 0)
    with pytest.raises(ShapeError, match=r"a box \(4,\)"):
        at.box_occlusion(detector, image, box[:3], 0)


def test_guided_backpropagation_by_hand(backend):
    """Two rectifiers: at each, what is negative on the way back is left out."""
    with use_backend(backend.name):
        model = nn.Sequential(
            nn.Flatten(), nn.Linear(32, 8), nn.ReLU(), nn.Linear(8, 6), nn.ReLU(), nn.Linear(6, 3)
        ).astype("float64")
    w1, w2, w3 = (model[i].weight.numpy() for i in (1, 3, 5))
    h1 = np.maximum(X.reshape(3, -1) @ w1 + model[1].bias.numpy(), 0)
    h2 = np.maximum(h1 @ w2 + model[3].bias.numpy(), 0)
    plain = ((w3[:, CLASSES].T * (h2 > 0)) @ w2.T * (h1 > 0)) @ w1.T
    first = np.maximum(w3[:, CLASSES].T, 0) * (h2 > 0)
    guided = (np.maximum(first @ w2.T, 0) * (h1 > 0)) @ w1.T
    assert_close(at.saliency(model, X, CLASSES).reshape(3, -1), plain, 1e-11)
    assert_close(at.guided_backpropagation(model, X, CLASSES).reshape(3, -1), guided, 1e-11)
    assert not is_close(plain, guided, 1e-3)


def test_guided_backpropagation_without_a_rectifier_is_the_gradient():
    model, _ = linear(td.backend.get("cpu"))
    assert_close(
        at.guided_backpropagation(model, X, CLASSES), at.saliency(model, X, CLASSES), 1e-12
    )


@HOSTS
def test_activation_maximization_of_a_linear_model(backend):
    model, w = linear(backend)
    found = at.activation_maximization(model, X, CLASSES, steps=60, lr=1.0, decay=0.25)
    assert_close(found, of(w, CLASSES) / 0.5, 1e-9)
    kept = at.activation_maximization(model, X, CLASSES, steps=60, lr=1.0, low=-0.1, high=0.1)
    assert np.abs(kept).max() <= 0.1
    with pytest.raises(ConfigError, match="lr \\* decay < 1"):
        at.activation_maximization(model, X, 0, lr=2.0, decay=1.0)


@HOSTS
@pytest.mark.parametrize("attack", ["fgsm", "pgd"])
def test_attacks_on_a_linear_model_of_two_classes_are_the_sign_of_the_weights(attack, backend):
    """L falls with (w_y - w_other) x: the worst point of the box is its corner against that."""
    with use_backend(backend.name):
        model = nn.Sequential(nn.Flatten(), nn.Linear(32, 2)).astype("float64")
    w, y = model[1].weight.numpy().reshape(4, 4, 2, 2), np.array([1, 0, 1])
    corner = X + 0.05 * np.sign(of(w, 1 - y) - of(w, y))
    bounds = {"low": None, "high": None}
    if attack == "fgsm":
        found = at.fgsm(model, X, y, 0.05, **bounds)
    else:
        found = at.pgd(model, X, y, 0.05, steps=5, restarts=2, rng=td.Generator(1), **bounds)
    assert_close(found, corner, 1e-12)


def test_attacks_stay_in_the_box_and_in_the_range():
    model, _ = linear(td.backend.get("cpu"))
    x = np.clip(np.abs(X), 0, 1)
    for found in (
        at.fgsm(model, x, CLASSES, 0.3),
        at.pgd(model, x, CLASSES, 0.3, steps=3, rng=td.Generator(0)),
    ):
        assert found.min() >= 0 and found.max() <= 1 and np.abs(found - x).max() <= 0.3 + 1e-12
    assert (at.fgsm(model, x, CLASSES, 0.0) == x).all()
    assert (at.pgd(model, x, CLASSES, 0.0, steps=1) == x).all()


def test_restarts_keep_the_worst_of_all_searches():
    """A bump that only some starts find: more restarts fool at least what fewer fool."""

    class Bumps(nn.Module):
        def __init__(self):
            self.w = nn.Parameter(np.ones(1))

        def forward(self, x):
            wave = td.cos(x * 40.0) * self.w
            return td.concat([wave * 0.0 + 0.9, wave + 0.02 * td.sin(x * 9.0)], 1)

    x, y = np.linspace(0.2, 0.8, 12)[:, None], np.zeros(12, int)

    def margin(restarts):
        rng = td.Generator(5)
        found = at.pgd(Bumps(), x, y, 0.2, step=0.002, steps=8, restarts=restarts, rng=rng)
        outputs = Bumps()(td.tensor(found)).numpy()
        return outputs[:, 1] - outputs[:, 0]

    one, many = margin(1), margin(6)  # the first search is the same
    assert (many >= one - 1e-12).all() and (many > 0).sum() > (one > 0).sum()


def test_pgd_draws_new_starts_at_each_call():
    model, _ = linear(td.backend.get("cpu"))
    rng = td.Generator(0)
    first, second = (
        at.pgd(model, X, CLASSES, 0.1, step=0.0, steps=1, low=None, high=None, rng=rng)
        for _ in range(2)
    )
    assert not is_close(first, second, 1e-3)


# -- sanity ----------------------------------------------------------------------------------------


def test_cascading_randomization_of_one_layer_is_the_shuffle_of_its_weights():
    model, w = linear(td.backend.get("cpu"))
    stages = at.cascading_randomization(
        model, X, lambda m, x: at.saliency(m, x, 1), td.Generator(7)
    )
    assert [s.name for s in stages] == ["layers.1"]
    order = td.Generator(7).permutation(w.size)
    moved = w.reshape(-1)[order].reshape(w.shape)[..., 1]
    wanted = at.rank_correlation(np.abs(w[..., 1]), np.abs(moved))
    assert_close(stages[0].similarity, np.full(3, wanted), 1e-12)
    assert abs(wanted) < 0.5


def test_a_map_of_the_picture_alone_fails_the_check_and_the_model_comes_back():
    model = nn.Sequential(
        nn.Conv2d(2, 4, 3), nn.BatchNorm(4), nn.ReLU(), nn.Flatten(), nn.Linear(16, 3)
    )
    before = {k: np.array(v) for k, v in model.state_dict().items()}
    stages = at.cascading_randomization(model, X, lambda m, x: x, td.Generator(0))
    assert [s.name for s in stages] == ["layers.4", "layers.1", "layers.0"]
    assert all((s.similarity > 1 - 1e-9).all() for s in stages)
    after = model.state_dict()
    assert all((after[k] == before[k]).all() for k in before)


def test_rank_correlation():
    a = np.array([3.0, 1.0, 2.0, 10.0])
    assert at.rank_correlation(a, np.exp(a)) == pytest.approx(1)
    assert at.rank_correlation(a, -a) == pytest.approx(-1)
    # By hand: ranks (2, 0, 1, 3) and (0.5, 0.5, 2, 3).
    assert at.rank_correlation(a, np.array([1, 1, 2, 3.0])) == pytest.approx(3 / np.sqrt(5 * 4.5))
    assert at.rank_correlation(a, np.ones(4)) == 0
    with pytest.raises(ShapeError, match="rank_correlation"):
        at.rank_correlation(a, a[:3])


# -- what is asked first ---------------------------------------------------------------------------


def test_the_model_is_left_as_it_was():
    model = nn.Sequential(nn.Flatten(), nn.Linear(32, 8), nn.Dropout(0.5), nn.Linear(8, 3)).train()
    first = at.saliency(model, X, 0)
    assert model.training and all(p.grad is None for p in model.parameters())
    assert (at.saliency(model, X, 0) == first).all()  # dropout is off


def test_wrong_arguments():
    model, _ = linear(td.backend.get("cpu"))
    with pytest.raises(DTypeError, match="saliency: x must be floats"):
        at.saliency(model, np.ones((1, 4, 4, 2), int))
    with pytest.raises(IndexRangeError, match="does not fit 3 outputs"):
        at.saliency(model, X, 3)
    with pytest.raises(ShapeError, match="one for each of 3 samples"):
        at.saliency(model, X, np.array([1, 2]))
    with pytest.raises(ShapeError, match="must give"):
        at.saliency(nn.Sequential(nn.Linear(2, 3)).astype("float64"), X)
    with pytest.raises(ShapeError, match="does not broadcast"):
        at.integrated_gradients(model, X, 0, np.ones(3))
    with pytest.raises(ConfigError, match="epsilon >= 0"):
        at.fgsm(model, X, 0, -1.0)
    with pytest.raises(ShapeError, match="\\(N, H, W, C\\)"):
        at.occlusion(model, X.reshape(3, 32), 0)
