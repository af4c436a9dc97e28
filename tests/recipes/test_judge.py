"""Generated pictures judged by numbers: what the judge says of real ones, of means, of noise."""

import numpy as np
import pytest
from cases.generators import JUDGE, PICTURES, SPLIT, pictures
from closeness import assert_close

from tinydl import Generator, Tensor, models, random
from tinydl.baselines import (
    gaussian_of_each_class,
    k_means,
    mean_of_each_class,
    mixed_pixels,
    noise_pictures,
)
from tinydl.errors import ConfigError, FormatError
from tinydl.experiment.program import Settings
from tinydl.metrics import clustering_accuracy
from tinydl.programs.judge import (
    Beside,
    Judge,
    class_gaussians,
    correlation_within,
    slant_and_width,
)
from tinydl.programs.parts import load_parts
from tinydl.runs.run import OpenRun, begin, claim, resumed, train_into


@pytest.fixture(scope="module")
def parts():
    return load_parts(JUDGE)


@pytest.fixture(scope="module")
def judge():
    return Judge(JUDGE, Settings())


@pytest.fixture(scope="module")
def beside(judge, parts):
    return Beside(judge, parts.test)


def test_the_judge_names_real_pictures_and_only_those_of_its_size(judge, parts):
    x, y = parts.test
    seen = judge.see(x)
    assert (seen.classes == y).mean() > 0.95 and seen.features.shape == (len(x), 16)
    with pytest.raises(ConfigError, match=r"judge: judges pictures of \(8, 8, 1\), got \(4, 4, 1"):
        judge.see(x[:, 2:6, 2:6])


def test_the_judge_is_trained_once_whatever_the_seed_and_draws_nothing_from_the_run(
    tmp_path, parts, judge, monkeypatch
):
    random.seed(3)
    before = random.default_generator().state_dict()
    first = Judge(JUDGE, Settings(seed=7))
    first.file = tmp_path / "judge.safetensors"
    features = first.see(parts.test[0]).features
    assert random.default_generator().state_dict() == before
    assert np.array_equal(features, judge.see(parts.test[0]).features)

    def trained(*_):
        raise AssertionError("a second training")

    monkeypatch.setattr(type(JUDGE.program), "begin", trained)
    again = Judge(JUDGE, Settings(seed=8))
    again.file = first.file
    assert np.array_equal(again.see(parts.test[0]).features, features)
    assert random.default_generator().state_dict() == before
    first.file.write_bytes(first.file.read_bytes()[:-8])
    broken = Judge(JUDGE, Settings())
    broken.file = first.file
    with pytest.raises(FormatError):
        broken.see(parts.test[0])


def test_the_scale_goes_from_real_pictures_to_noise(beside, parts):
    x, y = parts.test
    real = beside.scores(x[1::2], y[1::2])
    assert real["frechet"] == beside.floor and real["way"] == 0
    assert real["agreement"] > 0.95 and abs(real["variety"] - 1) < 0.1
    assert real["least_share"] > 0.05
    noise = Generator(0).uniform(x[::2].shape).astype(x.dtype)
    assert beside.scores(noise)["way"] == 1 and "agreement" not in beside.scores(noise)
    asked = y[1::2][Generator(1).permutation(len(y) // 2)]
    mixed = beside.scores(x[1::2], asked)
    assert mixed["agreement"] < 0.3 and mixed["class_frechet"] > 10 * real["class_frechet"]
    assert mixed["frechet"] == real["frechet"], "all together they are the same pictures"


def test_means_agree_and_never_differ_and_gaussians_do_a_little_of_both(beside):
    training = begin(PICTURES["pictures-of-classes"]())
    means, gaussian = mean_of_each_class(training, "test"), gaussian_of_each_class(training, "test")
    noise, floor = noise_pictures(training, "test"), training.measure()["floor_class_frechet"]
    assert means["agreement"] == 1 and means["variety"] < 1e-6
    assert gaussian["agreement"] > 0.8 and gaussian["variety"] > 0.8
    assert floor < gaussian["class_frechet"] < means["class_frechet"] < noise["class_frechet"]
    assert noise["way"] == 1 and noise["frechet"] == beside.ceiling and noise["agreement"] < 0.4
    assert max(beside.floor, gaussian["frechet"]) < 0.2 * beside.ceiling
    nobody_asked = begin(PICTURES["pictures"]().replaced(judge=JUDGE))
    assert "agreement" not in gaussian_of_each_class(nobody_asked, "test")
    assert "floor_class_frechet" not in nobody_asked.measure()


def test_pictures_of_mixed_pixels_and_clusters_of_real_ones():
    training = begin(pictures(models.InfoGAN, judge=JUDGE))
    mixed = mixed_pixels(training, "test")
    assert 0.05 < mixed["way"] < 1 and mixed["least_share"] < 0.09
    rows, labels = training.beside.first.rows, training.beside.labels
    found = k_means(training, "test")["code_agreement"]
    assert 0.3 < found <= 1
    near = ((rows[:, None] - rows[None, :10]) ** 2).sum(axis=2).argmin(axis=1)
    assert found > clustering_accuracy(labels, near % 10, 10) - 0.1


def test_the_gaussian_of_a_class_has_its_mean_and_its_spread():
    """On numbers that stay within [0, 1]: moments of 20,000 draws."""
    rng = Generator(5)
    x = 0.5 + 0.03 * rng.normal((400, 2, 2, 1), dtype=np.float64)
    x[:, 0, 0] += x[:, 1, 1] - 0.5
    y = np.repeat([0, 1], 200)
    drawn = class_gaussians(x, y, np.zeros(20_000, int), Generator(6)).reshape(20_000, 4)
    rows = x[:200].reshape(200, 4)
    assert_close(drawn.mean(axis=0), rows.mean(axis=0), 0.002)
    assert_close(np.cov(drawn.T), np.cov(rows.T), 0.05)


def test_slant_and_width_of_bars():
    """A bar of 3 columns that moves by s columns a row; one of 5 columns, upright."""
    row, column = np.mgrid[:21, :41]
    bars = [abs(column - 20 - s * (row - 10)) <= half for s, half in ((0, 1), (0.5, 1), (0, 2))]
    slant, width = slant_and_width(np.stack(bars)[..., None].astype(np.float32))
    assert_close(slant, np.array([0, 0.5, 0]), 0.02)
    assert_close(width[[0, 2]], np.sqrt([2 / 3, 2.0]), 1e-6)
    code, groups = np.array([1.0, 2.0, 3.0, 4.0]), np.array([0, 0, 1, 1])
    assert correlation_within(code, np.array([5.0, 6.0, -3.0, -2.0]), groups) == 1.0
    assert correlation_within(code, np.ones(4), groups) == 0.0


def test_a_run_keeps_its_judge_and_goes_on_with_it(tmp_path, monkeypatch):
    recipe = PICTURES["pictures-of-classes"]().replaced(epochs=1)
    monkeypatch.setattr("tinydl.runs.outside.find", lambda _: recipe)
    with claim(tmp_path / "run", "pictures") as lock:
        outcome = train_into(lock, begin(recipe))
    assert {"way", "agreement", "variety", "class_frechet"} <= set(outcome.history.last)
    assert (tmp_path / "run" / "judge.safetensors").exists()
    assert (tmp_path / "run" / "samples.gif").read_bytes().startswith(b"GIF8")
    monkeypatch.setattr(type(JUDGE.program), "begin", lambda *_: 1 / 0)
    _, again = OpenRun(tmp_path / "run").measured("test")
    assert again == outcome.test
    train_into(tmp_path / "run", resumed(tmp_path / "run", epochs=2))


def test_a_stack_learns_its_classes_first_and_keeps_them(parts):
    recipe = pictures(models.StackedGAN, encoder_epochs=6, judge=JUDGE)
    training = begin(recipe.replaced(batch_size=50))
    training._first_stage()
    encoder = training.model.encoder
    learnt = encoder.state_dict()
    logits = encoder(Tensor(2 * parts.test[0] - 1)).numpy()
    assert (logits.argmax(axis=1) == parts.test[1]).mean() > 0.8
    assert all(p.grad is None for p in encoder.parameters())
    training.state.epoch = 1
    assert not training.apart
    training.epoch()
    assert all(np.array_equal(encoder.state_dict()[k], v) for k, v in learnt.items())


def test_the_levels_of_a_stack_begin_apart(monkeypatch):
    """In the first epoch pictures are made of real features, in the second of generated ones."""
    training = begin(pictures(models.StackedGAN, apart_epochs=1, judge=JUDGE))
    given = []
    levels = type(training.model).levels

    def watched(self, z, labels, of=None):
        given.append((training.state.epoch, of is not None))
        return levels(self, z, labels, of)

    monkeypatch.setattr(type(training.model), "levels", watched)
    for epoch in range(2):
        training.state.epoch = epoch
        for player in ("critic", "generator"):
            batch = next(iter(training.batches()))
            getattr(training, f"{player}_loss")(batch)
    assert given == [(0, True), (0, True), (1, False), (1, False)]


def test_what_the_codes_of_an_infogan_decide_is_measured():
    training = begin(pictures(models.InfoGAN, judge=JUDGE))
    found = training.measure()
    assert {"code_agreement", "code_slant", "code_width", "least_share"} <= set(found)
    assert 0.1 <= found["code_agreement"] <= 1 and "agreement" not in found
    assert str(SPLIT) in training.split()
