"""Every pair of networks: sizes, slopes of both losses, that each player wins alone, saving."""

import numpy as np
import pytest
from cases.models import slopes
from cases.models_adversarial import ADVERSARIAL, CLASSES
from closeness import assert_close
from support import load_backend, weightless

import tinydl
from tinydl import Generator, Tensor, models, no_grad
from tinydl.backend import use_backend
from tinydl.models.adversarial.game import Translator
from tinydl.optim import Adam
from tinydl.train import load_weights, save_weights

PLAYERS = ("critic", "generator")


@pytest.fixture(params=ADVERSARIAL, ids=str)
def case(request):
    return request.param


def made(case, backend="cpu", dtype="float32", seed=1):
    """A small pair whose weights are not as near 0 as they begin."""
    tinydl.seed(seed)
    with use_backend(backend):
        model = case.small().astype(dtype)
    rng = Generator(seed)
    for _, p in model.named_parameters():
        p.assign(p.numpy() + rng.normal(p.shape, std=0.2, dtype=p.dtype))
    return model


def batch_of(case, model, n):
    arrays = [a.astype(model.dtype) if a.dtype.kind == "f" else a for a in case.batch(n)]
    return [Tensor(a, backend=model.backend) for a in arrays]


def loss_of(model, player, batch, seed=5):
    """The loss of one player, its noise drawn from one seed."""
    if player == "critic":
        return model.critic_loss(*batch, Generator(seed))
    if isinstance(model, Translator):
        return model.generator_loss(*batch, Generator(seed))
    return model.generator_loss(len(batch[0]), Generator(seed))


def drawn_by(case, model, n, rng):
    """n samples, or translations of n pictures of noise."""
    if not case.pairs:
        return model.sample(n, rng)
    x = rng.uniform((n, *case.shape), low=-1, high=1, dtype=model.dtype)
    return model.translate(Tensor(x, backend=model.backend))


def play(model, player, batch, steps, lr=0.02):
    """The losses of one player while the other stands still."""
    optimizer, losses = Adam(getattr(model, player).parameters(), lr=lr), []
    for _ in range(steps):
        loss = loss_of(model, player, batch)
        losses.append(loss.item())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if player == "critic":
            model.after_critic()
    return losses


def test_every_public_pair_has_a_row():
    rows = {case.name for case in ADVERSARIAL}
    kinds = {n: getattr(models, n) for n in models.__all__}
    public = {n for n, k in kinds.items() if ".adversarial." in k.__module__}
    assert public and public <= rows, f"add rows for {sorted(public - rows)}"


def test_parameters_are_those_published(case):
    with weightless():
        model = case.full()
    assert model.generator.count_parameters() == case.generator
    assert model.critic.count_parameters() == case.critic
    assert model.count_parameters() == case.parameters


@pytest.mark.parametrize("player", PLAYERS)
def test_the_gradient_of_a_player_is_the_slope_of_its_loss(case, player):
    model = made(case, dtype="float64")
    batch = batch_of(case, model, 3)
    named = {n: p for n, p in model.named_parameters() if n.startswith(player)}
    named = {n: p for n, p in named.items() if not n.startswith(case.held)}
    measured, slope, absent = slopes(model, lambda: loss_of(model, player, batch), named)
    assert abs(measured - slope) <= 1e-4 * abs(slope), (measured, slope)
    assert not absent and len(named) > 3


def test_nothing_of_the_critics_loss_flows_into_the_generator(case):
    model = made(case)
    loss_of(model, "critic", batch_of(case, model, 3)).backward()
    assert all(p.grad is None for p in model.generator.parameters())


def test_each_player_wins_against_one_that_stands_still(case):
    """The critic tells eight samples from generated ones; then the generator finds what that
    critic takes for real."""
    model = made(case)
    batch = batch_of(case, model, 8)
    losses = play(model, "critic", batch, 150)
    assert min(losses) < case.below < losses[0], losses[::25]
    critic = [p.numpy().copy() for p in model.critic.parameters()]
    losses = play(model, "generator", batch, 60)
    assert losses[-1] < losses[0] - 0.05, losses[::10]
    assert all(
        np.array_equal(p.numpy(), q) for p, q in zip(model.critic.parameters(), critic, strict=True)
    )


def test_a_saved_pair_draws_the_same(case, tmp_path):
    model, other = made(case, seed=1), made(case, seed=7)
    loss_of(model, "critic", batch_of(case, model, 4))  # moves running statistics
    drawn = drawn_by(case, model, 4, Generator(0)).numpy()
    assert drawn.shape == (4, *case.shape) and abs(drawn).max() > 0
    save_weights(model, tmp_path / "model.safetensors")
    load_weights(other, tmp_path / "model.safetensors")
    assert drawn_by(case, other, 4, Generator(0)).numpy().tobytes() == drawn.tobytes()


def test_sampling_leaves_the_pair_as_it_was(case):
    """Statistics do not move, the mode comes back, the stream goes on, nothing is recorded; and a
    sample does not depend on those beside it."""
    model = made(case)
    before, rng = model.state_dict(), Generator(3)
    drawn = drawn_by(case, model, 2 * CLASSES, rng)
    assert model.training and not drawn.requires_grad
    assert all(np.array_equal(v, before[k]) for k, v in model.state_dict().items())
    assert not np.array_equal(drawn_by(case, model, 2 * CLASSES, rng).numpy(), drawn.numpy())
    assert_close(drawn_by(case, model, 1, Generator(3)).numpy(), drawn.numpy()[:1], 1e-5)


@pytest.mark.parametrize("name", ["cpu", "opencl"])
def test_backends_play_the_same(case, name):
    load_backend(name)
    found = []
    for backend in ("numpy", name):
        model = made(case, backend)
        batch = batch_of(case, model, 4)
        with no_grad():
            losses = [loss_of(model, player, batch).item() for player in PLAYERS]
        found.append((drawn_by(case, model, 3, Generator(0)).numpy(), np.array(losses)))
    for a, b in zip(*found, strict=True):
        assert_close(b, a, 1e-4)
