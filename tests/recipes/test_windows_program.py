"""Language models with windows: what is drawn, what decays, how the held-out part is told."""

import json

import numpy as np
import pytest
from cases.generators import TEXTS
from closeness import assert_close

from tinydl import Generator, Tensor, no_grad
from tinydl.baselines import WittenBell
from tinydl.command.main import main
from tinydl.errors import ConfigError
from tinydl.nn import cross_entropy
from tinydl.programs.windows import losses_in_windows
from tinydl.recipes import RECIPES
from tinydl.runs.run import begin, claim, train_into


@pytest.fixture(scope="module")
def trained():
    training = begin(TEXTS["windows"]().replaced(epochs=6))
    training.fit()
    return training


def test_it_learns(trained):
    rows, found = trained.state.history.rows, trained.measure()
    assert rows[-1]["bits"] < rows[0]["bits"] - 1
    assert found["bits"] == pytest.approx(found["loss"] / np.log(2))
    assert found["bits"] < WittenBell(0)(trained, "test")["bits"] - 0.3


def test_windows_are_pieces_of_the_text_and_begin_anywhere(trained):
    text, rng, begun = trained.text.train, Generator(1), set()
    for _ in range(150):
        x, y = trained.drawn(rng)
        assert x.shape == y.shape == (4, 20)
        for row, after in zip(x, y, strict=True):
            (place,) = [
                k for k in np.flatnonzero(text[: len(text) - 20] == row[0])
                if np.array_equal(text[k : k + 20], row)
            ][:1]  # fmt: skip
            assert np.array_equal(text[place + 1 : place + 21], after)
            begun.add(int(place))
    last = len(text) - 21
    assert min(begun) < last / 20 and max(begun) > last * 19 / 20 and len(begun) > 200


@pytest.mark.parametrize("overlap", [0, 3, 9])
@pytest.mark.parametrize("count", [1, 8, 10, 11, 57, 100])
def test_every_held_out_character_is_told_once(trained, overlap, count):
    model, ids = trained.model.eval(), np.tile(trained.text.test, 2)[:count]
    found = losses_in_windows(model, ids, 5, 10, overlap)
    seen, wanted = np.concatenate([[5], ids[:-1]]), np.full(count, np.nan)
    for start in range(0, count, 10 - overlap):
        with no_grad():
            part = slice(start, start + 10)
            logits = model(Tensor(seen[None, part]))
            told = cross_entropy(logits, Tensor(ids[None, part]), reduction="none").numpy()[0]
        for place, loss in enumerate(told, start):
            if np.isnan(wanted[place]):
                wanted[place] = loss
    assert_close(found, wanted, 1e-5)


def test_biases_and_norms_do_not_decay(trained):
    """Two trainings that differ in the decay alone, after one update: what is a vector is equal."""
    ends = {}
    for decay in (0.0, 0.5):
        training = begin(TEXTS["windows"]().replaced(weight_decay=decay, lr=0.1, updates=1))
        training.epoch()
        ends[decay] = {n: p.numpy().copy() for n, p in training.model.named_parameters()}
    for name, values in ends[0.0].items():
        assert np.array_equal(values, ends[0.5][name]) == (values.ndim == 1), name


def test_what_does_not_fit():
    recipe = TEXTS["windows"]()
    for changes, words in (
        ({"length": 21}, "windows of 21 characters for a model that sees 20"),
        ({"overlap": 20}, r"overlap must be in \[0, 20\), got 20"),
        ({"samples": (20, 40)}, "do not fit into a training part of 20"),
    ):
        with pytest.raises(ConfigError, match=words):
            begin(recipe.replaced(**changes))


def test_a_text_is_continued_by_the_command(trained, tmp_path, monkeypatch, capsys):
    recipe = TEXTS["windows"]().replaced(epochs=1)
    monkeypatch.setattr("tinydl.runs.outside.find", lambda _: recipe)
    run = tmp_path / "run"
    with claim(run, "windows") as lock:
        train_into(lock, begin(recipe), False)
    assert "--- greedy\n" in (run / "samples" / "epoch-001.txt").read_text()
    ask = ["sample", str(run), "--prompt", "ba", "--count", "50", "--top-p", "0.9", "--json"]
    capsys.readouterr()
    assert main(ask) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["prompt"] == "ba" and len(told["text"]) == 50
    assert main(["evaluate", str(run)]) == 0 and "bits" in capsys.readouterr().out
    assert main(["report", str(run), "--out", str(tmp_path / "report.html")]) == 0
    assert "The worst-predicted passages" in (tmp_path / "report.html").read_text()


def test_a_page_shows_what_the_text_was_told_by(tmp_path, monkeypatch):
    from tinydl.runs.run import OpenRun
    from tinydl.serving.kinds import asked

    recipe = TEXTS["windows"]().replaced(epochs=1)
    monkeypatch.setattr("tinydl.runs.outside.find", lambda _: recipe)
    run = tmp_path / "run"
    with claim(run, "windows") as lock:
        train_into(lock, begin(recipe), False)
    found = asked(OpenRun(run)).questions["text"].answer(b"abc de " * 5)
    shares = [t["share"] for t in found["tokens"]]
    assert len(shares) == 35 and not any(shares[:15]) and max(shares[15:]) == 1
    assert [(row["name"], row["kind"]) for row in found["layers"]] == [
        ("blocks.0", "TransformerEncoderLayer"), ("blocks.1", "TransformerEncoderLayer"),
    ]  # fmt: skip


def test_the_budget_is_that_of_nanogpt():
    recipe = RECIPES["gpt-shakespeare"]
    program = recipe.program
    assert (program.length, program.batch_size, program.updates * recipe.epochs) == (64, 12, 2_000)
    assert (program.weight_decay, program.beta2, program.clip) == (0.1, 0.99, 1.0)
