"""Before GANs and beside DCGAN: predictability minimisation, self-attention, by their formulas."""

import numpy as np
import pytest
from closeness import assert_close

import tinydl
from tinydl import Generator, Tensor
from tinydl.errors import ConfigError
from tinydl.models import DCGAN, SAGAN
from tinydl.models.adversarial.predictability import PredictabilityMinimisation
from tinydl.models.adversarial.sagan import SelfAttention
from tinydl.optim import Adam

SMALL = {"picture": (8, 8, 1), "widths": (4, 6), "latent": 3}


def test_attention_is_its_formula_place_by_place(on_numpy):
    tinydl.seed(1)
    layer, rng = SelfAttention(4, reduction=2).astype("float64"), np.random.default_rng(0)
    for p in layer.parameters():
        p.assign(rng.normal(size=p.shape))
    x = rng.normal(size=(2, 3, 2, 4))
    f, g, h, v = (m.weight.numpy() for m in (layer.f, layer.g, layer.h, layer.v))
    wanted = np.empty_like(x)
    for n in range(2):
        places = x[n].reshape(6, 4)
        for j, at in enumerate(places):
            alike = np.exp([(p @ f) @ (at @ g) for p in places])
            seen = sum(a * (p @ h) for a, p in zip(alike / alike.sum(), places, strict=True))
            wanted[n].reshape(6, 4)[j] = at + layer.gain.numpy() * (seen @ v)
    assert_close(layer(Tensor(x)).numpy(), wanted, 1e-12)
    assert layer.count_parameters() == 4 * 4 * 4 // 2 + 1
    with pytest.raises(ConfigError, match="1 <= reduction <= channels, got 8 and 4"):
        SelfAttention(4)


def test_at_first_attention_changes_nothing(on_numpy):
    """With its gain at 0 a SAGAN is the DCGAN of the same weights."""
    tinydl.seed(2)
    with_it, without = SAGAN(**SMALL, reduction=2), DCGAN(**SMALL)
    numbers = [p for n, p in with_it.named_parameters() if not is_attention(with_it, p)]
    for p, q in zip(without.parameters(), numbers, strict=True):
        p.assign(q.numpy())
    drawn = [m.sample(3, Generator(0)).numpy() for m in (with_it, without)]
    np.testing.assert_array_equal(*drawn)


def is_attention(model, parameter):
    return any(
        parameter is p
        for m in model.modules()
        if isinstance(m, SelfAttention)
        for p in m.parameters()
    )


def play(model, x, steps):
    players = [(Adam(model.critic.named_parameters(), 0.04), model.critic_loss)] * 2
    players.append((Adam(model.generator.named_parameters(), 0.02), model.generator_loss))
    for _ in range(steps):
        for optimizer, loss in players:
            optimizer.zero_grad()
            loss(x).backward()
            optimizer.step()


def test_a_code_that_cannot_be_guessed_is_factorial():
    """Four symbols, equally likely, two units: one bit each, every combination once; then the best
    guess of a bit is 1/2 and misses it by 1/4. Nothing asked for binary units."""
    tinydl.seed(0)
    model, x = PredictabilityMinimisation(4, 2, hidden=8), Tensor(np.eye(4, dtype=np.float32))
    play(model, x, 400)
    code = model(x).numpy()
    assert len(set(map(tuple, code > 0.5))) == 4 and abs(abs(code - 0.5) - 0.5).max() < 0.02
    assert_close(np.array(model.critic_loss(x).item()), np.array(0.5), 0.02)


def test_a_guesser_sees_all_but_its_own_unit():
    model = PredictabilityMinimisation(3, 3)
    code = Generator(0).uniform((1, 3)).astype(np.float32)
    guessed = model.critic(Tensor(code)).numpy()
    for i in range(3):
        moved = code.copy()
        moved[0, i] += 0.5
        changed = model.critic(Tensor(moved)).numpy() != guessed
        assert changed.tolist() == [[k != i for k in range(3)]]
    assert_close(model.missed(Tensor(code)).numpy(), ((guessed - code) ** 2).sum(), 1e-6)
    assert model.critic_loss(Tensor(np.eye(3, dtype=np.float32))).requires_grad
    with pytest.raises(ConfigError, match="needs units >= 2, got 1"):
        PredictabilityMinimisation(3, 1)


def test_the_game_is_of_one_sum():
    """Each player wants the opposite of the other, and moves its own numbers alone."""
    model, x = PredictabilityMinimisation(4, 2), Tensor(np.eye(4, dtype=np.float32))
    assert model.critic_loss(x).item() == -model.generator_loss(x).item()
    model.critic_loss(x).backward()
    assert all(p.grad is None for p in model.generator.parameters())
    assert all(p.grad is not None for p in model.critic.parameters())
