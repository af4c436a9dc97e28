"""Games of more than two networks, and of pictures against pictures: losses as NumPy has them."""

import numpy as np
import pytest
from cases.game_formulas import drawn, named, soft
from closeness import assert_close

import tinydl
from tinydl import Generator, Tensor, no_grad
from tinydl.errors import ConfigError, ShapeError
from tinydl.models import CycleGAN, Pix2Pix, StackedGAN

SMALL = {"picture": (8, 8, 1), "widths": (4, 6), "latent": 3, "classes": 3}


def test_the_stack_asks_on_both_levels(on_numpy):
    """Both games, what the encoder reads of the features and of the picture, the noise read
    back."""
    tinydl.seed(3)
    options = {"hidden": 5, "filters": (3, 4), "dense_width": 7, "conditional": 2.0}
    model = StackedGAN(**SMALL, **options, entropy=(3.0, 5.0))
    for _, p in model.named_parameters():
        p.assign(p.numpy() * 3)
    model, (x, labels) = model.astype("float64"), drawn()
    upper, lower = model.critic.features, model.critic.pictures

    def made(labels, z):
        rows, z = np.eye(3)[labels.numpy()], z.numpy()
        h = model.generator.features(Tensor(np.concatenate([rows, z[:, :3]], axis=1)))
        picture = model.generator.pictures(Tensor(np.concatenate([h.numpy(), z[:, 3:]], axis=1)))
        return h, picture, z[:, :3], z[:, 3:]

    def missed(a, b):
        return ((a.numpy() - b) ** 2).mean()

    with no_grad():
        h, fake, first, second = made(labels, model.noise(4, Generator(1)))
        reals = upper(model.encoder.features(x))[0].numpy(), lower(x)[0].numpy()
        (score_h, read_h), (score_x, read_x) = upper(h), lower(fake)
        found = model.critic_loss(x, labels, Generator(1)).item()
        wanted = sum(
            (soft(-r) + soft(f.numpy())).mean()
            for r, f in zip(reals, (score_h, score_x), strict=True)
        )
        wanted += 3 * missed(read_h, first) + 5 * missed(read_x, second)
        assert_close(np.array(found), np.array(wanted), 1e-12)
        found, rng = model.generator_loss(4, Generator(1)).item(), Generator(1)
        labels = model.labels(4, rng)
        h, fake, first, second = made(labels, model.noise(4, rng))
        (score_h, read_h), (score_x, read_x) = upper(h), lower(fake)
        wanted = soft(-score_h.numpy()).mean() + soft(-score_x.numpy()).mean()
        wanted += 3 * missed(read_h, first) + 5 * missed(read_x, second)
        wanted += 2 * named(model.encoder.classes(h).numpy(), labels.numpy())
        wanted += 2 * missed(model.encoder.features(fake), h.numpy())
        assert_close(np.array(found), np.array(wanted), 1e-12)
        said = model.encoder(x).numpy()
        assert said.shape == (4, 3) and (model.encoder.features(x).numpy() >= 0).all()


def test_a_stack_in_its_first_stage_is_two_games_apart(on_numpy):
    """Pictures are made of the encoder's features of real ones: nothing of their loss flows into
    the generator of features, and no noise of the features moves them."""
    tinydl.seed(3)
    model = StackedGAN(**SMALL, hidden=5, filters=(3, 4), dense_width=7, entropy=(0.0, 0.0))
    for _, p in model.named_parameters():
        p.assign(p.numpy() * 3)
    model, (x, labels) = model.astype("float64"), drawn()
    upper, lower = model.critic.features, model.critic.pictures
    with no_grad():
        real, rng = model.encoder.features(x), Generator(1)
        asked, z = model.labels(4, rng), model.noise(4, rng)
        h = model.levels(z, asked)[0]
        given = Tensor(np.concatenate([real.numpy(), z.numpy()[:, 3:]], axis=1))
        fake = model.generator.pictures(given)
        assert_close(model.levels(z, asked, real)[1].numpy(), fake.numpy(), 0)
        wanted = soft(-upper(h)[0].numpy()).mean() + soft(-lower(fake)[0].numpy()).mean()
        wanted += named(model.encoder.classes(h).numpy(), asked.numpy())
        wanted += ((model.encoder.features(fake).numpy() - real.numpy()) ** 2).mean()
        found = model.generator_loss(4, Generator(1), x).item()
        assert_close(np.array(found), np.array(wanted), 1e-12)
        z = model.noise(4, Generator(2))
        h, fake = model.levels(z, labels, real)
        wanted = sum(
            (soft(-critic(a)[0].numpy()) + soft(critic(b)[0].numpy())).mean()
            for critic, a, b in ((upper, real, h), (lower, x, fake))
        )
        found = model.critic_loss(x, labels, Generator(2), apart=True).item()
        assert_close(np.array(found), np.array(wanted), 1e-12)
        assert abs(found - model.critic_loss(x, labels, Generator(2)).item()) > 1e-6
    model.encoder.freeze()
    lower_loss = model.passed_off(lower(model.levels(z, labels, model.encoder.features(x))[1])[0])
    lower_loss.backward()
    assert all(p.grad is None for p in model.generator.features.parameters())


def test_what_a_picture_costs_does_not_change_the_features_it_is_made_of():
    """Else features become what is easily drawn, one of them for each class."""
    tinydl.seed(3)
    model = StackedGAN(**SMALL, hidden=5, filters=(3, 4), dense_width=7)
    _, labels = drawn()
    model.levels(model.noise(4, Generator(1)), labels)[1].sum().backward()
    assert all(p.grad is None for p in model.generator.features.parameters())
    assert any(p.grad is not None for p in model.generator.pictures.parameters())
    with pytest.raises(ConfigError, match=r"entropy is \(of features, of pictures\)"):
        StackedGAN(**SMALL, entropy=(1.0,))


UNET = {"widths": (4, 5, 6), "critic_widths": (4, 6), "in_channels": 2, "out_channels": 1}
CYCLE = {"widths": (3, 4), "blocks": 1, "critic_widths": (4, 6)}


def two_kinds(channels=(2, 1), n=3, side=8):
    rng = np.random.default_rng(0)
    return [Tensor(rng.uniform(-1, 1, (n, side, side, c))) for c in channels]


def louder(model):
    for _, p in model.named_parameters():
        p.assign(p.numpy() * 5)
    return model.astype("float64")


def test_pix2pix_plays_and_keeps_near_the_pair(on_numpy):
    """The critic sees x beside y; the generator's loss has weight |y - G(x)|."""
    tinydl.seed(0)
    model, (x, y) = louder(Pix2Pix(**UNET, dropouts=0, weight=7.0)), two_kinds()
    with no_grad():
        fake = model(x).numpy()
        pairs = [np.concatenate([x.numpy(), t], axis=3) for t in (y.numpy(), fake)]
        real, made_up = (model.critic(Tensor(p)).numpy() for p in pairs)
        critic = model.critic_loss(x, y, Generator(0)).item()
        generator = model.generator_loss(x, y, Generator(0)).item()
    assert real.shape == (3, 2, 2, 1) and fake.shape == (3, 8, 8, 1)
    assert_close(np.array(critic), np.array((soft(-real) + soft(made_up)).mean() / 2), 1e-12)
    wanted = soft(-made_up).mean() + 7 * abs(fake - y.numpy()).mean()
    assert_close(np.array(generator), np.array(wanted), 1e-12)


def test_the_u_net_hands_every_size_across():
    """With the smallest map cut off, the result still depends on every pixel by the maps beside;
    dropout is only in training."""
    tinydl.seed(0)
    model = Pix2Pix(**UNET, dropouts=2)
    x, _ = (t.astype("float32") for t in two_kinds())
    for stage in model.generator.up[:1]:
        stage.weight.replace(np.zeros(stage.weight.shape, np.float32))
    still = model.translate(x).numpy()
    changed = x.numpy().copy()
    changed[:, 5, 5] += 0.5
    moved = model.translate(Tensor(changed)).numpy()
    assert abs(moved - still).max() > 1e-6
    assert np.array_equal(model.translate(x).numpy(), still)
    assert not np.array_equal(model(x).numpy(), model(x).numpy())  # dropout draws
    with pytest.raises(ShapeError, match="multiples of 8, got"):
        model(tinydl.zeros((1, 12, 8, 2)))
    with pytest.raises(ConfigError, match="at least two widths"):
        Pix2Pix(widths=(4,))


def test_cyclegan_goes_there_and_back(on_numpy):
    """Both games of least squares, both cycles, both identities."""
    tinydl.seed(0)
    model = louder(CycleGAN(1, 1, **CYCLE, cycle=3.0, identity=0.5))
    x, y = two_kinds((1, 1))
    with no_grad():
        there, back = model.generator.y, model.generator.x
        fake_y, fake_x = there(x), back(y)
        scores = {
            "y": (model.critic.y(y).numpy(), model.critic.y(fake_y).numpy()),
            "x": (model.critic.x(x).numpy(), model.critic.x(fake_x).numpy()),
        }
        critic = model.critic_loss(x, y, Generator(0)).item()
        generator = model.generator_loss(x, y, Generator(0)).item()
        ends = [(back(fake_y), x), (there(fake_x), y), (there(y), y), (back(x), x)]
        missed = [abs(a.numpy() - b.numpy()).mean() for a, b in ends]
    told = [(((r - 1) ** 2).mean() + (f**2).mean()) / 2 for r, f in scores.values()]
    assert_close(np.array(critic), np.array(sum(told)), 1e-12)
    passed = sum(((f - 1) ** 2).mean() for _, f in scores.values())
    wanted = passed + 3 * (missed[0] + missed[1]) + 0.5 * (missed[2] + missed[3])
    assert_close(np.array(generator), np.array(wanted), 1e-12)
    assert_close(model.translate(x).numpy(), fake_y.numpy(), 1e-12)
    assert_close(model.translate_back(y).numpy(), fake_x.numpy(), 1e-12)


def test_cyclegan_takes_two_kinds_of_pictures():
    model, (x, y) = CycleGAN(2, 1, **CYCLE), two_kinds()
    x, y = x.astype("float32"), y.astype("float32")
    assert model.translate(x).shape == y.shape and model.translate_back(y).shape == x.shape
    losses = model.critic_loss(x, y, Generator(0)), model.generator_loss(x, y, Generator(0))
    assert all(np.isfinite(loss.item()) for loss in losses)
    with pytest.raises(ConfigError, match="identity needs as many channels"):
        CycleGAN(2, 1, **CYCLE, identity=0.5)
