"""Language models: what is held out, how it is read, what counting and xz say beside it."""

import json
import lzma

import numpy as np
import pytest
from cases.generators import TEXTS
from closeness import assert_close

from tinydl import Generator, Tensor, no_grad
from tinydl.baselines import WittenBell, xz
from tinydl.command.main import main
from tinydl.errors import ConfigError
from tinydl.models import LSTMGenerator, VanillaGenerator
from tinydl.models.recurrent.writing import next_probabilities, write, write_by_window
from tinydl.nn import cross_entropy
from tinydl.programs.language import Language, Text, losses_of, written
from tinydl.runs.run import begin, claim, train_into


@pytest.fixture(scope="module")
def trained():
    training = begin(TEXTS["text"]().replaced(epochs=6))
    training.fit()
    return training


def test_the_last_tenth_is_held_out_and_its_new_signs_are_unknown():
    text = Text("abcab" * 18 + "abxabcdabc")
    assert len(text.train) == 90 and len(text.test) == 10 and text.tokens == 4
    assert text.decoded(text.train) == "abcab" * 18
    assert text.decoded(text.test) == "ab<unk>abc<unk>abc"
    less = Text("abcab" * 18 + "abxabcdabc", (30, 5))
    assert len(less.train) == 30 and len(less.test) == 5 and less.tokens == 4


def test_it_learns_and_is_above_its_frequencies(trained):
    rows, found = trained.state.history.rows, trained.measure()
    assert rows[-1]["bits"] < rows[0]["bits"] and found["bits"] == pytest.approx(
        found["loss"] / np.log(2)
    )
    assert found["bits"] < WittenBell(0)(trained, "test")["bits"] - 0.3
    with pytest.raises(ConfigError, match="has no train part"):
        trained.measure("train")


def test_every_held_out_character_is_told_once(trained):
    """In stretches that begin without a state, and what is left over behind the last of them."""
    model, ids = trained.model, trained.text.test
    found = losses_of(model.eval(), ids, int(trained.text.train[-1]))
    assert found.shape == ids.shape and len(ids) % 128
    seen = np.concatenate([trained.text.train[-1:], ids[:-1]])
    with no_grad():
        logits = model(Tensor(seen[None]))
        alone = cross_entropy(logits, Tensor(ids[None]), reduction="none").numpy()[0]
    assert_close(found, alone.astype(np.float64), 1e-4)  # one stretch: 200 characters
    many = np.tile(ids, 5)  # seven stretches
    losses = losses_of(model, many, int(seen[0]))
    per_row = len(many) // (len(many) // 128)
    row = np.concatenate([many[per_row - 1 : per_row], many[per_row : 2 * per_row - 1]])
    with no_grad():
        logits = model(Tensor(row[None]))
        told = cross_entropy(logits, Tensor(many[None, per_row : 2 * per_row]), reduction="none")
    assert_close(losses[per_row : 2 * per_row], told.numpy()[0].astype(np.float64), 1e-4)


def test_windows_may_begin_anew(trained):
    """In training and in the test: nothing is known of what stands before a window."""
    model, ids = trained.model.eval(), trained.text.test
    seen = np.concatenate([trained.text.train[-1:], ids[:-1]])
    found = losses_of(model, ids, int(seen[0]), window=20)
    with no_grad():
        rows = Tensor(seen[:200].reshape(10, 20)), Tensor(ids[:200].reshape(10, 20))
        alone = cross_entropy(model(rows[0]), rows[1], reduction="none").numpy().reshape(-1)
    assert_close(found[:200], alone.astype(np.float64), 1e-4)
    given = {}
    for carried in (True, False):
        training, states = begin(TEXTS["text"]().replaced(carried=carried)), []
        plain = training.step
        training.step = lambda x, y, state, s=states, p=plain: (s.append(state), p(x, y, state))[1]
        training.epoch()
        given[carried] = [state is None for state in states]
    assert given[True] == [True, *[False] * (len(given[True]) - 1)] and len(given[True]) > 2
    assert all(given[False])


def test_gradients_stop_between_windows_and_the_state_does_not(trained):
    training = begin(TEXTS["text"]())
    model, rng = training.model.eval(), np.random.default_rng(0)
    x = rng.integers(0, model.tokens, (2, 12))
    whole, _ = model.run(Tensor(x))
    first, state = model.run(Tensor(x[:, :5]))
    second, _ = model.run(Tensor(x[:, 5:]), state)
    assert_close(np.concatenate([first.numpy(), second.numpy()], axis=1), whole.numpy(), 1e-5)
    _, carried = training.step(x[:, :5], x[:, 1:6], None)
    before = [s.numpy().copy() for layer in carried for s in layer]
    training.step(x[:, 5:11], x[:, 6:], carried)
    for s, kept in zip([s for layer in carried for s in layer], before, strict=True):
        assert s.grad is None and np.array_equal(s.numpy(), kept)


# -- what stands beside it -------------------------------------------------------------------------


def by_hand(learnt, text, tokens, order):
    """Witten and Bell's formula with dictionaries, character by character."""
    found = []
    for place, character in enumerate(text):
        p = 1 / tokens
        for length in range(min(order, place) + 1):
            context = tuple(text[place - length : place])
            followers = [
                learnt[k + length]
                for k in range(len(learnt) - length)
                if tuple(learnt[k : k + length]) == context
            ]
            if followers:
                d = len(set(followers))
                p = (followers.count(character) + d * p) / (len(followers) + d)
        found.append(p)
    return np.array(found)


@pytest.mark.parametrize("order", [0, 1, 3])
def test_witten_bell_is_its_formula_and_sums_to_one(order):
    rng = np.random.default_rng(1)
    learnt, text = rng.integers(0, 3, 60), rng.integers(0, 4, 25)
    model = WittenBell(order)
    assert_close(model.probabilities(learnt, text, 4), by_hand(learnt, text, 4, order), 1e-12)
    ends = [model.probabilities(learnt, np.append(text, c), 4)[-1] for c in range(4)]
    assert sum(ends) == pytest.approx(1)


def test_xz_counts_the_bytes_that_a_file_grows_by(trained):
    text = trained.text
    parts = [text.decoded(ids).encode() for ids in (text.train, text.test)]
    best = 9 | lzma.PRESET_EXTREME
    grown = len(lzma.compress(parts[0] + parts[1], preset=best)) - len(
        lzma.compress(parts[0], preset=best)
    )
    assert xz(trained, "test")["bits"] == pytest.approx(8 * grown / len(text.test))


# -- writing ---------------------------------------------------------------------------------------

LOGITS = np.log(np.array([0.4, 0.3, 0.2, 0.06, 0.04]))


@pytest.mark.parametrize(
    "how, wanted",
    [
        ({}, [0.4, 0.3, 0.2, 0.06, 0.04]),
        ({"temperature": 0.0}, [1, 0, 0, 0, 0]),
        ({"temperature": 0.5}, np.array([16, 9, 4, 0.36, 0.16]) / 29.52),
        ({"top_k": 2}, [4 / 7, 3 / 7, 0, 0, 0]),
        ({"top_k": 9}, [0.4, 0.3, 0.2, 0.06, 0.04]),
        ({"top_p": 0.65}, [4 / 7, 3 / 7, 0, 0, 0]),
        ({"top_p": 0.1}, [1, 0, 0, 0, 0]),
        ({"top_k": 3, "top_p": 0.75}, [4 / 7, 3 / 7, 0, 0, 0]),
    ],
)
def test_what_is_drawn_from(how, wanted):
    assert_close(next_probabilities(LOGITS, **how), np.array(wanted, np.float64), 1e-12)


def test_draws_are_as_frequent_as_their_probabilities():
    class Fixed:
        backend, layers = None, ()

        def run(self, ids, state):
            assert ids.shape == (1, 1) and state == (None if self.first else "state")
            self.first = False
            return Tensor(LOGITS.reshape(1, 1, 5)), "state"

    model = Fixed()
    model.first, model.backend = True, Tensor(LOGITS).backend
    drawn = write(model, np.array([0]), 4_000, Generator(0))
    shares = np.bincount(drawn, minlength=5) / 4_000
    assert np.abs(shares - np.exp(LOGITS)).max() < 0.03


@pytest.mark.parametrize("kind", [VanillaGenerator, LSTMGenerator])
def test_greedy_writing_with_a_state_is_the_books_with_an_endless_window(kind):
    model = kind(6, 8, 2, 0.5).eval()
    prompt = np.array([1, 2, 0])
    carried = write(model, prompt, 12, Generator(0), temperature=0)
    assert np.array_equal(carried, write_by_window(model, prompt, 12, 100))
    assert carried.shape == (12,) and len(write(model, prompt, 0, Generator(0))) == 0


@pytest.mark.parametrize(
    "how, words",
    [
        ({"temperature": -1.0}, "temperature must be >= 0"),
        ({"top_k": 0}, "top_k must be an integer >= 1"),
        ({"top_p": 0.0}, r"top_p must be in \(0, 1\]"),
        ({"top_p": 1.5}, r"top_p must be in \(0, 1\]"),
    ],
)
def test_what_cannot_be_drawn_by(how, words):
    with pytest.raises(ConfigError, match=words):
        next_probabilities(LOGITS, **how)


def test_a_text_is_continued_by_the_command(trained, tmp_path, monkeypatch, capsys):
    recipe = TEXTS["text"]().replaced(epochs=1)
    monkeypatch.setattr("tinydl.runs.outside.find", lambda _: recipe)
    run = tmp_path / "run"
    with claim(run, "text") as lock:
        train_into(lock, begin(recipe), False)
    page = (run / "samples" / "epoch-001.txt").read_text()
    assert "--- temperature 1\n" in page and "--- greedy\n" in page
    capsys.readouterr()
    ask = ["sample", str(run), "--prompt", "ba", "--count", "30", "--top-k", "3", "--json"]
    assert main(ask) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["prompt"] == "ba" and len(told["text"]) == 30
    monkeypatch.setattr(Language, "load", None)  # from here on the data set is not asked for
    assert main(ask) == 0 and json.loads(capsys.readouterr().out) == told
    assert main(["sample", str(run), "--count", "5", "--temperature", "-1"]) == 2
    assert "temperature must be >= 0" in capsys.readouterr().err
    out = tmp_path / "text.txt"
    assert main(["sample", str(run), "--count", "5", "--out", str(out)]) == 0
    assert len(out.read_text()) == 5
    assert main(["sample", str(run), "--out", "x.png"]) == 2


def test_the_models_characters_are_the_texts(trained):
    wrong = TEXTS["text"]().replaced(architecture={"tokens": 7, "hidden_size": 8})
    with pytest.raises(ConfigError, match=r"the model has 7 characters, drawn_text 33"):
        begin(wrong)
    assert len(written(trained.model, trained.text.tokenizer, "", 20, Generator(0))) == 20
