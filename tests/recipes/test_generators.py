"""Adversarial training on pictures: whose turn it is, what is measured, what is drawn."""

import json

import numpy as np
import pytest
from cases.generators import ARCHITECTURE, PICTURES

from tinydl import Generator, models
from tinydl.baselines import beside, mixed_pixels
from tinydl.command.main import main
from tinydl.errors import ConfigError
from tinydl.models.adversarial.game import Game
from tinydl.programs.two_players import resting
from tinydl.recipes import RECIPES
from tinydl.runs.run import begin


def test_every_batch_is_a_step_of_the_critic_and_some_of_the_generator(monkeypatch):
    """8 batches of 200 of the 1,600 digits: 8 and 2 * 8 steps; 8 and one after the 3rd and 6th.
    Weights are bounded after every step of the critic; labels are those of the digits."""
    for name, steps in (("pictures", 16), ("pictures-of-classes", 2)):
        seen = {"critic": 0, "generator": 0, "after": 0}
        training = begin(PICTURES[name]())
        critic_loss, generator_loss = training.model.critic_loss, training.model.generator_loss

        def on_critic(*batch, seen=seen, loss=critic_loss):
            seen["critic"] += 1
            assert batch[0].shape == (200, 8, 8, 1) and batch[0].numpy().min() >= -1
            assert batch[0].numpy().min() < -0.9 and batch[0].numpy().max() > 0.9
            assert len(batch) == 2 or set(batch[1].numpy()) == set(range(10))
            return loss(*batch)

        def on_generator(count, rng, seen=seen, loss=generator_loss):
            seen["generator"] += 1
            return loss(count, rng)

        def after(seen=seen):
            seen["after"] += 1

        monkeypatch.setattr(training.model, "critic_loss", on_critic, raising=False)
        monkeypatch.setattr(training.model, "generator_loss", on_generator, raising=False)
        monkeypatch.setattr(training.model, "after_critic", after, raising=False)
        training.epoch()
        assert seen == {"critic": 8, "generator": steps, "after": 8}
        assert [o.lr for o in training.optimizers.values()] == [
            0.0002, 0.0001 if name == "pictures" else 0.0002,
        ]  # fmt: skip


PUBLIC = [getattr(models, name) for name in models.__all__]
GAMES = [kind for kind in PUBLIC if isinstance(kind, type) and issubclass(kind, Game)]


@pytest.mark.parametrize("kind", GAMES, ids=lambda kind: kind.__name__)
def test_every_game_of_pictures_is_trained_by_the_program(kind):
    """Both players move, both losses are numbers, samples are pictures."""
    recipe = PICTURES["pictures"]().replaced(model=kind, batch_size=500, critic_steps=3)
    training = begin(recipe)
    before = training.model.state_dict()
    row = training.epoch()
    assert np.isfinite([row["critic_loss"], row["generator_loss"], row["frechet"]]).all()
    moved = {n for n, v in training.model.state_dict().items() if not np.array_equal(v, before[n])}
    trained = [n for n, _ in training.model.named_parameters() if not n.startswith("encoder.")]
    if kind in (models.WGAN, models.WGANGP):
        # A difference of two means is the same with any last bias: rounding alone may move it.
        trained.remove([n for n in trained if n.startswith("critic.") and n.endswith(".bias")][-1])
    if kind is models.SAGAN:  # what attends stands behind a gain that begins at 0: it moves later
        trained = [n for n in trained if n.split(".")[-2] not in ("f", "g")]
    assert set(trained) <= moved, set(trained) - moved
    assert not any(n.startswith("encoder.") for n in moved)
    assert recipe.program.sample(training.model, 3, Generator(0)).shape == (3, 8, 8, 1)


@pytest.mark.parametrize("name", ["critic_steps", "generator_steps", "batch_size"])
@pytest.mark.parametrize("wrong", [0, -1, 1.5, "2", None])
def test_counts_are_counts(name, wrong):
    with pytest.raises(ConfigError, match=rf"adversarial.*{name}"):
        PICTURES["pictures"]().replaced(**{name: wrong})


@pytest.mark.parametrize(
    "recipe, player",
    [
        (RECIPES["ring-gan"].replaced(updates=0), "critic"),
        (PICTURES["pictures"]().replaced(critic_steps=9), "generator"),
    ],
)
def test_an_epoch_in_which_somebody_does_not_move_is_refused(recipe, player):
    with pytest.raises(ConfigError, match=f"{recipe.name}: the {player} makes no step"):
        begin(recipe).epoch()


def test_the_critic_rests_while_the_generator_moves():
    """No gradient for its weights, the generator's bitwise the same; then it is awake again."""
    model = PICTURES["pictures"]().program.build()
    model.generator_loss(4, Generator(0)).backward()
    wanted = [p.grad.numpy() for p in model.generator.parameters()]
    model.zero_grad()
    with resting(model.critic):
        model.generator_loss(4, Generator(0)).backward()
    assert all(p.grad is None and p.requires_grad for p in model.critic.parameters())
    found = [p.grad.numpy() for p in model.generator.parameters()]
    assert all(np.array_equal(a, b) for a, b in zip(found, wanted, strict=True))


def test_pictures_are_drawn_measured_and_padded(tmp_path):
    recipe = PICTURES["pictures"]().replaced(
        baselines=(mixed_pixels,),
        epochs=1,
        pad=4,
        architecture={**ARCHITECTURE, "picture": (16, 16, 1)},
    )
    training = begin(recipe)
    x = training.pictures.train[0]
    assert x.shape == (1_600, 16, 16, 1) and (x[:, :4] == -1).all()
    found, mixed = training.measure(), beside(training)["mixed pixels"]
    assert 0 < found["floor_frechet"] < 0.2 * mixed["frechet"] < found["frechet"]
    assert found["way"] > 0 and mixed["frechet"] < found["ceiling_frechet"]
    drawn = recipe.program.sample(training.model, 45, Generator(1))
    assert drawn.shape == (45, 16, 16, 1) and 0 <= drawn.min() < drawn.max() <= 1
    recipe.program.draw(training.model, tmp_path / "page.png", Generator(0))
    assert (tmp_path / "page.png").read_bytes().startswith(b"\x89PNG")


OWN_GAN = '''
"""A recipe of my own: a generator of drawn digits that is told the class."""

from tinydl.experiment.card import Recipe
from tinydl.models import ConditionalGAN
from tinydl.models.adversarial.game import Game
from tinydl.programs.adversarial_pictures import AdversarialPictures
from tinydl.programs.parts import Split

MINE = Recipe(
    name="my-gan",
    title="drawn digits that are asked for",
    book="my notes",
    chapter="2",
    dataset="synthetic_digits",
    parameters=2_545,
    program=AdversarialPictures(
        model=ConditionalGAN,
        architecture={"picture": (8, 8, 1), "widths": (16,), "latent": 4},
        picture_shape=(8, 8, 1),
        scale=1.0,
        split=Split("stratified", 0.2),
    ),
    epochs=1,
    time_budget=10,
)
'''


def test_a_generator_of_pictures_is_trained_evaluated_and_sampled(tmp_path, capsys):
    from PIL import Image

    path, run = tmp_path / "mine.py", tmp_path / "run"
    path.write_text(OWN_GAN)
    recipe = ["--recipe", str(path)]
    assert main(["train", str(path), "--quiet", "--out", str(run)]) == 0
    assert (run / "samples" / "epoch-001.png").exists()
    capsys.readouterr()
    assert main(["evaluate", str(run), "--json", *recipe]) == 0
    told = json.loads(capsys.readouterr().out)
    assert {"frechet", "way", "floor_frechet", "ceiling_frechet"} <= set(told)
    for file in ("a.npy", "b.png"):
        out = str(tmp_path / file)
        assert main(["sample", str(run), "--count", "10", "--out", out, *recipe]) == 0
    assert np.load(tmp_path / "a.npy").shape == (10, 8, 8, 1)
    with Image.open(tmp_path / "b.png") as image:
        assert image.size[0] > 100
