"""Autoencoders: penalties against their formulas, noise as it is said, what each is good for."""

import numpy as np
import pytest
from closeness import assert_close, is_close

import tinydl
from tinydl import Generator, Tensor, no_grad, ops
from tinydl.errors import ConfigError, ShapeError
from tinydl.metrics import roc_auc
from tinydl.models import (
    Autoencoder,
    ColouringAutoencoder,
    ContractiveAutoencoder,
    ConvAutoencoder,
    DenoisingAutoencoder,
    SparseAutoencoder,
)
from tinydl.models.autoencoders.colouring import LUMA, MeanChroma, chroma, chroma_error, grey
from tinydl.models.autoencoders.contractive import books_contraction, jacobian_norm
from tinydl.models.autoencoders.denoising import GaussianNoise, MaskNoise, denoising_loss
from tinydl.nn import Linear, Sequential, Tanh
from tinydl.optim import Adam

RNG = np.random.default_rng(0)
X = RNG.normal(size=(7, 5))


def trained(model, loss, steps, lr=0.01):
    optimizer = Adam(model.parameters(), lr=lr)
    for _ in range(steps):
        value = loss()
        optimizer.zero_grad()
        value.backward()
        optimizer.step()
    return model


def flat(n, seed, features=8):
    """Rows that lie in a plane of two of `features` directions, float32."""
    directions = np.linalg.qr(np.random.default_rng(0).normal(size=(features, 2)))[0]
    return (np.random.default_rng(seed).normal(size=(n, 2)) @ directions.T).astype(np.float32)


# -- vanilla and deep ------------------------------------------------------------------------------


def test_errors_are_the_loss_row_by_row(on_numpy):
    tinydl.seed(0)
    model = Autoencoder((5, 4, 3), "tanh").astype("float64")
    y = model.decoder(model.encoder(Tensor(X))).numpy()
    assert model.encoder(Tensor(X)).shape == (7, 3)
    assert_close(model(Tensor(X)).numpy(), y, 0)
    assert_close(model.errors(Tensor(X)).numpy(), ((y - X) ** 2).mean(axis=1), 1e-12)
    assert_close(model.loss(Tensor(X)).numpy(), ((y - X) ** 2).mean(), 1e-12)


def test_rows_unlike_the_training_rows_have_the_larger_errors():
    tinydl.seed(0)
    model, x = Autoencoder((8, 6), "tanh"), Tensor(flat(200, 1))
    trained(model, lambda: model.loss(x), 300)
    normal = flat(100, 2)
    strange = np.random.default_rng(3).normal(size=(100, 8)).astype(np.float32) / 2  # |x| alike
    with no_grad():
        scores = model.errors(Tensor(np.concatenate([normal, strange]))).numpy()
    assert roc_auc(np.repeat([0, 1], 100), scores) > 0.97


# -- sparse ----------------------------------------------------------------------------------------


def test_both_conventions_of_the_activity_penalty(on_numpy):
    summed, meant = (
        SparseAutoencoder((5, 6, 3), 0.01, reduction).astype("float64")
        for reduction in ("sum", "mean")
    )
    meant.load_state_dict(summed.state_dict())
    w, b = summed.encoder[0].weight.numpy(), summed.encoder[0].bias.numpy()
    awake = np.maximum(X @ w + b, 0).sum()
    for model, penalty in ((summed, 0.01 * awake), (meant, 0.01 * awake / len(X))):
        reconstruction = model.errors(Tensor(X)).mean().item()
        assert_close(model.loss(Tensor(X)).numpy(), reconstruction + penalty, 1e-12)


def test_the_penalty_puts_units_to_sleep():
    awake = {}
    for strength in (0.0, 3e-3):
        tinydl.seed(0)
        model, x = SparseAutoencoder((8, 20, 6), strength, "mean"), Tensor(flat(200, 1))
        trained(model, lambda model=model, x=x: model.loss(x), 300)
        with no_grad():
            awake[strength] = (model.first(x).numpy() > 1e-3).mean()
            assert model.errors(x).mean().item() < 0.1 * (x.numpy() ** 2).mean()
    assert awake[3e-3] < 0.7 * awake[0.0]


# -- denoising -------------------------------------------------------------------------------------


def test_masks_hide_their_share_and_touch_nothing_else():
    x, rng = Tensor(np.full((400, 50), 2.0, np.float32)), Generator(0)
    noisy, other = (MaskNoise(0.4)(x, rng).numpy() for _ in range(2))
    assert set(np.unique(noisy)) == {0.0, 2.0}
    assert abs((noisy == 0).mean() - 0.4) < 0.015 and not np.array_equal(noisy, other)
    assert np.array_equal(MaskNoise(0.0)(x, rng).numpy(), x.numpy())
    assert not MaskNoise(1.0)(x, rng).numpy().any()


def test_gaussian_noise_has_its_deviation_share_and_bounds():
    x, rng = Tensor(np.full((400, 50), 0.5, np.float32)), Generator(0)
    noise = GaussianNoise(0.3)(x, rng).numpy() - 0.5
    assert abs(noise.mean()) < 0.01 and abs(noise.std() - 0.3) < 0.005
    partly = GaussianNoise(0.3, rate=0.25)(x, rng).numpy() - 0.5
    assert abs((partly != 0).mean() - 0.25) < 0.015
    assert abs(partly[partly != 0].std() - 0.3) < 0.015
    clipped = GaussianNoise(2.0, within=(0.0, 1.0))(x, rng).numpy()
    assert clipped.min() == 0 and clipped.max() == 1 and np.isin(clipped, (0, 1)).mean() > 0.7


def test_the_loss_compares_with_what_was_whole(on_numpy):
    model = DenoisingAutoencoder((5, 6), MaskNoise(0.5)).astype("float64")
    noisy = MaskNoise(0.5)(Tensor(X), Generator(3))
    want = ((model(noisy).numpy() - X) ** 2).mean()
    assert_close(model.loss(Tensor(X), Generator(3)).numpy(), want, 1e-12)
    assert abs(model.loss(Tensor(X), Generator(4)).item() - want) > 1e-3
    layer = Linear(5, 5).astype("float64")
    found = denoising_loss(layer, Tensor(X), GaussianNoise(0.0), Generator(0))
    assert_close(found.numpy(), ((layer(Tensor(X)).numpy() - X) ** 2).mean(), 1e-12)


def test_noise_is_taken_away_nearly_as_by_the_best_linear_filter():
    """Rows in a plane with noise of 0.5 around it: for normal rows nothing is better than the
    shrunken projection, whose error is 2/8 of s^2 n^2 / (s^2 + n^2), s = 1 and n = 0.5."""
    tinydl.seed(0)
    noise, rng = GaussianNoise(0.5), Generator(0)
    model = DenoisingAutoencoder((8, 16), noise, "tanh")
    x = Tensor(flat(500, 1))
    trained(model, lambda: model.loss(x, rng), 500)
    test = Tensor(flat(2000, 2))
    with no_grad():
        error = model.loss(test, Generator(7)).item()
    best = 2 / 8 * 0.25 / 1.25
    assert 0.9 * best < error < 1.2 * best  # the noise itself: 0.25


# -- contractive -----------------------------------------------------------------------------------


@pytest.mark.parametrize("activation", ["sigmoid", "relu"])
def test_the_contraction_is_the_jacobians_norm(activation, on_numpy):
    """By formula and by second-order autodiff: values and the slopes of all weights."""
    tinydl.seed(0)
    model = ContractiveAutoencoder(5, 6, 0.1, activation).astype("float64")
    by_formula = model.contraction(Tensor(X))
    by_autodiff = jacobian_norm(model.encoder, Tensor(X))
    assert_close(by_autodiff.numpy(), by_formula.numpy(), 1e-12)
    slopes = []
    for norms in (by_formula, by_autodiff):
        model.zero_grad()
        (norms * Tensor(np.arange(1.0, 8))).sum().backward()
        grads = [p.grad for p in (model.encoder[0].weight, model.encoder[0].bias)]
        slopes.append([np.zeros(6) if g is None else g.numpy() for g in grads])
    assert_close(slopes[1][0], slopes[0][0], 1e-12)
    assert_close(slopes[1][1], slopes[0][1], 1e-9, atol=1e-12)
    reconstruction = model.errors(Tensor(X)).mean().item()
    want = reconstruction + 0.1 * by_formula.numpy().mean()
    assert_close(model.loss(Tensor(X)).numpy(), want, 1e-12)


def test_the_norm_of_a_deep_encoder_against_differences(on_numpy):
    tinydl.seed(0)
    encoder = Sequential(Linear(5, 6), Tanh(), Linear(6, 3)).astype("float64")
    step, columns = 1e-5, []
    for i in range(5):
        d = step * np.eye(5)[i]
        columns.append((encoder(Tensor(X + d)) - encoder(Tensor(X - d))).numpy() / (2 * step))
    want = (np.array(columns) ** 2).sum(axis=(0, 2))
    assert_close(jacobian_norm(encoder, Tensor(X)).numpy(), want, 1e-8)
    with no_grad():
        assert_close(jacobian_norm(encoder, Tensor(X)).numpy(), want, 1e-8)
    with pytest.raises(ShapeError, match=r"must be \(N, H\)"):
        jacobian_norm(lambda x: x.sum(axis=1), Tensor(X))


def test_what_the_books_penalty_is_not(on_numpy):
    """With a sigmoid right before training, and blind to W; with ReLU no norm of anything."""
    tinydl.seed(0)
    model = ContractiveAutoencoder(5, 6).astype("float64")
    weight = model.encoder[0].weight
    first = Tensor(weight.numpy().copy())
    assert_close(books_contraction(model, Tensor(X), first), model.contraction(Tensor(X)), 1e-12)
    weight.assign(3 * first.numpy())
    book = books_contraction(model, Tensor(X), first).numpy()
    assert (9 * book / model.contraction(Tensor(X)).numpy()).round(9).tolist() == [1.0] * 7
    other = ContractiveAutoencoder(5, 6, activation="relu").astype("float64")
    other.load_state_dict(model.state_dict())
    book = books_contraction(other, Tensor(X), Tensor(weight.numpy()))
    assert not is_close(book, other.contraction(Tensor(X)), 0.5)


def test_a_contracted_code_moves_less():
    norms = {}
    for strength in (0.0, 0.1):
        tinydl.seed(0)
        model, x = ContractiveAutoencoder(8, 12, strength), Tensor(flat(200, 1))
        trained(model, lambda model=model, x=x: model.loss(x), 300)
        with no_grad():
            norms[strength] = model.contraction(x).numpy().mean()
    assert norms[0.1] < 0.5 * norms[0.0]


# -- pictures --------------------------------------------------------------------------------------


def test_sizes_on_the_way_in_and_out():
    tinydl.seed(0)
    model = ConvAutoencoder((8, 12), (3, 4), 5, 2, 3)
    x = tinydl.uniform((2, 8, 12, 2))
    code = model.encoder(x)
    assert code.shape == (2, 5) and model.small == (2, 3, 4)
    y = model.decode(code)
    assert y.shape == (2, 8, 12, 3) and np.array_equal(y.numpy(), model(x).numpy())
    assert y.numpy().min() > 0 and y.numpy().max() < 1
    with pytest.raises(ShapeError):
        model(tinydl.uniform((2, 8, 8, 2)))


def test_grey_and_chroma():
    x = RNG.uniform(size=(2, 3, 4, 3))
    luminance = grey(Tensor(x)).numpy()
    assert_close(luminance[..., 0], x @ LUMA, 1e-12)
    assert_close(chroma(x) + luminance, x, 1e-12)
    assert_close(chroma(np.repeat(luminance, 3, axis=-1)), 0, 0, atol=1e-15)
    assert chroma_error(x, x) == 0
    only_grey = np.repeat(luminance, 3, axis=-1)
    assert_close(chroma_error(only_grey, x), (chroma(x) ** 2).mean(), 1e-12)


def test_the_mean_chroma_of_a_grey_level():
    """Two colours of one grey and one of another: their mean, itself, and nothing elsewhere."""
    a, b, c = np.array([[0.5, 0.2, 0.4], [0.2, 0.353, 0.4], [0.9, 0.1, 0.2]])
    assert abs(a @ LUMA - b @ LUMA) < 1e-3
    baseline = MeanChroma(np.array([a, b, b, c]).reshape(1, 2, 2, 3), 64)
    guess = baseline(np.array([a @ LUMA, c @ LUMA, 0.9]).reshape(1, 1, 3, 1))[0, 0]
    assert_close(guess[0] - a @ LUMA, (chroma(a) + 2 * chroma(b)) / 3, 1e-9)
    assert_close(guess[1], c, 1e-9)
    assert guess[2].tolist() == [0.9, 0.9, 0.9]


def test_colours_that_depend_on_the_place_are_beyond_the_baseline():
    """The left half is reddish, the right half bluish, with the same greys."""
    tinydl.seed(0)
    tint = np.zeros((8, 8, 3))
    tint[:, :4], tint[:, 4:] = [0.2, -0.15, 0.0], [-0.1, 0.0, 0.25]
    tint -= (tint @ LUMA)[..., None]
    light = np.random.default_rng(1).uniform(0.4, 0.6, (40, 1, 1, 1))
    x = (light + tint).astype(np.float32)
    model = ColouringAutoencoder((8, 8), (4, 8), 8)
    trained(model, lambda: model.loss(Tensor(x[:20])), 150, lr=0.02)
    luminance = grey(Tensor(x[20:]))
    with no_grad():
        found = chroma_error(model(luminance).numpy(), x[20:])
    baseline = chroma_error(MeanChroma(x[:20])(luminance.numpy()), x[20:])
    assert found < 0.2 * baseline and baseline <= (chroma(x[20:]) ** 2).mean() * 1.01


# -- what cannot be --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "make, error, words",
    [
        (lambda: Autoencoder((5,)), ConfigError, "at least two sizes"),
        (lambda: Autoencoder((5, 3), "swish"), ConfigError, "an activation of relu"),
        (lambda: SparseAutoencoder(reduction="none"), ConfigError, "reduction 'sum' or 'mean'"),
        (lambda: SparseAutoencoder(strength=-1.0), ConfigError, "strength must be >= 0"),
        (lambda: MaskNoise(1.5), ConfigError, "rate"),
        (lambda: GaussianNoise(-1.0), ConfigError, "sigma"),
        (lambda: ContractiveAutoencoder(activation="tanh"), ConfigError, "'sigmoid' or 'relu'"),
        (lambda: ContractiveAutoencoder(strength=-1.0), ConfigError, "strength"),
        (lambda: ConvAutoencoder((28, 30)), ConfigError, "multiples of 4"),
        (lambda: ConvAutoencoder((28, 28), ()), ConfigError, "needs channels"),
        (lambda: MeanChroma(np.zeros((1, 2, 2, 3)), 1), ConfigError, "levels"),
        (lambda: chroma(np.zeros((2, 2))), ShapeError, r"\(\.\.\., 3\)"),
    ],
)
def test_errors_say_what_is_wrong(make, error, words):
    with pytest.raises(error, match=words):
        make()


def test_the_slope_of_relu_at_zero_is_that_of_the_formula(on_numpy):
    """At h = 0 both say that the unit is asleep."""
    model = ContractiveAutoencoder(1, 1, activation="relu").astype("float64")
    model.encoder[0].weight.assign(np.ones((1, 1)))
    x = Tensor(np.zeros((1, 1)))
    assert ops.relu(x).item() == model.contraction(x).item() == 0
    assert jacobian_norm(model.encoder, x).item() == 0
