"""Diffusion training: what is averaged, what is measured, what is drawn."""

import numpy as np
import pytest
from cases.generators import JUDGE, denoised
from closeness import assert_close

from tinydl import Generator
from tinydl.baselines import beside, gaussian_of_each_class, mean_of_each_class, noise_pictures
from tinydl.errors import ConfigError
from tinydl.recipes import RECIPES
from tinydl.runs.run import begin, claim, train_into


def test_the_model_holds_the_averages_and_training_goes_on_from_the_weights():
    """Steps in a row give the same weights, in one epoch or in two: the averages between them are
    not what is trained. They are decay a + (1 - decay) w of every step's weights."""
    training = begin(denoised(decay=0.8, judge=None))
    average = training.averaged.average
    mean = {n: p.numpy().copy() for n, p in training.model.named_parameters()}
    seen, update = [], average.update

    def watched():
        seen.append({n: p.numpy().copy() for n, p in training.model.named_parameters()})
        update()

    average.update = watched
    training.epoch()
    moved = [max(abs(w[n] - seen[0][n]).max() for n in mean) for w in seen]
    assert len(seen) == 16 and moved[-1] > moved[1] > 0
    for weights in seen:
        mean = {n: 0.8 * a + np.float32(0.2) * weights[n] for n, a in mean.items()}
    for name, held in training.model.named_parameters():
        assert_close(held.numpy(), mean[name], 1e-5)
    for held, (name, _) in zip(average.averages, training.model.named_parameters(), strict=True):
        assert np.array_equal(held.numpy(), seen[-1][name]), name
    before, last = training.model.state_dict(), seen[-1]
    seen.clear()
    training.averaged.begin()
    assert all(np.array_equal(p.numpy(), last[n]) for n, p in training.model.named_parameters())
    training.averaged.end()
    assert all(np.array_equal(v, before[n]) for n, v in training.model.state_dict().items())


def test_an_epoch_that_breaks_off_leaves_the_averages_in_the_model(monkeypatch):
    training = begin(denoised(judge=None))
    before = training.model.state_dict()
    step, count = training._step, iter(range(3))

    def stops(*batch):
        if next(count) == 2:
            raise KeyboardInterrupt
        return step(*batch)

    monkeypatch.setattr(training, "_step", stops)
    with pytest.raises(KeyboardInterrupt):
        training.epoch()
    moved = max(abs(v - before[n]).max() for n, v in training.model.state_dict().items())
    kept = training.averaged.average.averages
    away = max(
        abs(a.numpy() - p.numpy()).max()
        for a, p in zip(kept, training.model.parameters(), strict=True)
    )
    assert 0 < moved < 0.01 * away  # two steps of an average over a thousand


def test_samples_are_judged_by_the_classes_that_were_asked_for():
    recipe = denoised(judge=JUDGE).replaced(
        baselines=(noise_pictures, gaussian_of_each_class, mean_of_each_class), epochs=2
    )
    training = begin(recipe)
    training.fit()
    found, others = training.measure(), beside(training)
    measures = {"frechet", "way", "least_share", "variety", "agreement", "class_frechet"}
    ends = {"floor_frechet", "ceiling_frechet", "floor_class_frechet", "real_agreement"}
    assert set(found) == measures | ends
    assert found["real_agreement"] > 0.9 and found == training.measure()
    assert others["noise pictures"]["way"] == 1 and others["mean of each class"]["variety"] == 0
    assert others["mean of each class"]["agreement"] > 0.9
    rows = training.state.history.rows
    assert rows[-1]["loss"] < rows[0]["loss"] and measures < set(rows[0])


def test_without_a_judge_nobody_names_classes():
    found = begin(denoised(judge=None)).measure()
    assert set(found) == {"frechet", "way", "floor_frechet", "ceiling_frechet"}


def test_what_is_drawn(tmp_path):
    recipe = denoised(judge=None).replaced(epochs=1)
    folder = tmp_path / "run"
    with claim(folder, recipe.name) as lock:
        train_into(lock, begin(recipe), False)
    for name in ("samples/epoch-001.png", "denoising.png", "denoising.gif", "samples.gif"):
        assert (folder / name).stat().st_size > 500, name
    image = pytest.importorskip("PIL.Image")
    with image.open(folder / "denoising.gif") as film:
        assert film.n_frames >= recipe.program.back + 1  # equal pages in a row may be one
        pages = []
        for k in (0, film.n_frames - 1):
            film.seek(k)
            pages.append(np.asarray(film.convert("L"), dtype=np.float64))
    assert pages[0].std() > pages[1].std() > 0, "the film does not go from noise to pictures"


def test_samples_are_pictures_of_the_classes_in_turn():
    program = denoised(judge=None).program
    model, film = program.build(), []
    drawn = program.sample(model, 260, Generator(1), film)
    assert drawn.shape == (260, 8, 8, 1) and 0 <= drawn.min() < drawn.max() <= 1
    assert len(film) == 4 and film[0].shape == (250, 8, 8, 1)  # AT_ONCE of them together
    assert_close((film[-1] + 1) / 2, drawn[:250], 1e-6)


@pytest.mark.parametrize("name", ["batch_size", "back", "looked"])
@pytest.mark.parametrize("wrong", [0, -1, 1.5, "2", None])
def test_counts_are_counts(name, wrong):
    with pytest.raises(ConfigError, match=f"diffusing: {name} must be an integer >= 1"):
        denoised().replaced(**{name: wrong})


def test_a_training_without_a_batch_is_refused():
    with pytest.raises(ConfigError):
        begin(denoised(judge=None, batch_size=5_000)).epoch()


def test_settings_are_kept_and_other_ones_refused():
    program = RECIPES["ddpm-mnist"].program
    other = program.changed("ddpm-mnist", 7, 0.5)
    assert program.restored(other.stored()) == other
    with pytest.raises(ConfigError, match="not those of the recipe: guidance"):
        program.restored({**program.stored(), "guidance": 3.0})
