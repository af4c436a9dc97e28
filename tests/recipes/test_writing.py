"""Writing: what is learnt of pairs, what is told of a typed text, what stands beside it."""

import json
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from cases.sentences import few_dates, few_phrases, few_scenes
from closeness import assert_close

from tinydl import Generator
from tinydl.baselines import (
    last_place,
    most_frequent_target,
    nearest_picture,
    nearest_source,
    one_frame,
    word_for_word,
)
from tinydl.command.main import main
from tinydl.data import PairParts, stories
from tinydl.errors import ConfigError, DataError
from tinydl.experiment.datasets import DATASETS
from tinydl.metrics import bleu
from tinydl.models import EncoderDecoder
from tinydl.models.sequence.attention_decoder import END, PAD
from tinydl.models.sequence.search import Written
from tinydl.programs.captioning import inside, middle_of
from tinydl.programs.texts import MARKS, UNKNOWN, coded, tokenizer_of, trimmed
from tinydl.programs.writing import AttentionMap, Writing
from tinydl.recipes import RECIPES
from tinydl.runs.run import begin, claim, train_into

DATASETS["few_dates"] = few_dates
DATASETS["few_phrases"] = few_phrases
DATASETS["few_scenes"] = few_scenes
SMALL = {"source_vocabulary": 12, "target_vocabulary": 12, "embedding": 8, "hidden": 12}


def phrases(**changes):
    settings = {
        "dataset": "few_phrases", "architecture": SMALL, "source": "words", "target": "words",
        "batch_size": 3, "lr": 0.02, "epochs": 20,
    }  # fmt: skip
    return RECIPES["dates"].replaced(**{**settings, **changes})


@pytest.fixture(scope="module")
def trained():
    training = begin(phrases())
    training.fit()
    return training


def test_pairs_are_learnt_and_judged_by_what_is_written(trained):
    texts, program = trained.texts, trained.program
    made, weights = program.sentences(
        trained.model, texts, texts.x_train, texts.parts.train_sources
    )
    assert [" ".join(words) for words in made] == list(texts.parts.train_targets)
    for words, looked in zip(made, weights, strict=True):
        assert_close(looked[: len(words)].sum(axis=1), np.ones(len(words)), 1e-6)
    found = trained.measure()
    asked, _ = program.sentences(trained.model, texts, texts.x_test, texts.parts.test_sources)
    right = [[r.split() for r in several] for several in texts.parts.references]
    assert found["exact"] == np.mean([a in r for a, r in zip(asked, right, strict=True)])
    assert found["bleu"] == bleu(asked, right)
    rows = trained.state.history.rows
    assert rows[-1]["loss"] < 0.15 < 1 < rows[0]["loss"]


def test_a_run_answers_where_its_data_is_not(trained, monkeypatch):
    recipe = trained.recipe
    stored = json.loads(json.dumps(recipe.program.stored()))
    source = trained.texts.parts.train_sources[0]
    asked = phrases().program.answer(trained.model, source, phrases())

    def gone(*_):
        raise DataError("gone")

    monkeypatch.setattr("tinydl.programs.writing.load_texts", gone)
    restored = phrases().program.restored(stored)
    again = restored.answer(trained.model, source, recipe)
    assert (again.text, list(again.keys)) == (asked.text, list(asked.keys))
    assert set(stored) - set(restored.facts()) == {"source_words", "target_words", "longest"}
    for wrong in ({"source_words": ["a"]}, {"target_words": [*MARKS, *map(str, range(9))]},
                  {"longest": 10**9}, {"longest": 0}):  # fmt: skip
        with pytest.raises(ConfigError, match="writing"):
            phrases().program.restored({**stored, **wrong}).answer(trained.model, source, recipe)
    with pytest.raises(ConfigError, match="source_words"):
        phrases().program.restored({**stored, "source_words": 3})


def test_the_rate_stays_and_then_falls():
    training, rates = begin(phrases(epochs=4)), []

    class Rates:
        def on_epoch_end(self, state):
            rates.append(state.optimizer.lr)

    training.fit([Rates()])
    assert_close(np.array(rates), 0.02 * np.array([1, 1, 1, 0.5]), 1e-6)


def test_every_pair_is_seen_once_in_batches_of_like_lengths():
    training = begin(RECIPES["dates"].replaced(dataset="few_dates", batch_size=7))
    texts, first, second = training.texts, list(training.batches()), list(training.batches())
    for batches in (first, second):
        assert sorted(np.concatenate(batches).tolist()) == list(range(len(texts.y_train)))
    assert not np.array_equal(np.concatenate(first), np.concatenate(second))
    lengths = (texts.y_train != PAD).sum(axis=1)
    assert max(np.ptp(lengths[rows]) for rows in first) <= np.ptp(lengths)


def test_tokens_are_the_most_frequent_and_end_each_row():
    tokenizer = tokenizer_of("words", ["a b a", "c a b"], 6)
    assert tokenizer.vocabulary == (*MARKS, "a", "b")
    rows = coded(tokenizer, ["a", "c b a"])
    assert rows.tolist() == [[4, END, PAD, PAD], [3, 5, 4, END]]
    assert trimmed(np.pad(rows, ((0, 0), (0, 3)))).shape == (2, 4)
    letters = tokenizer_of("characters", ["ba", "c"], 9)
    assert letters.vocabulary == (*MARKS, "a", "b", "c")
    with pytest.raises(ConfigError, match="texts are words or characters"):
        tokenizer_of("syllables", ["a"], 9)


def test_an_unknown_word_is_copied_from_where_it_was_looked():
    """The last two of twelve names are rarer than the vocabulary has room for."""
    names = [f"n{k}" for k in range(12)]
    sources = tuple(f"hej {n}" for n in names[:8] * 2 + names[8:])
    targets = tuple(f"hello {n}" for n in names[:8] * 2 + names[8:])
    asked = ("hej n11",), (("hello n11",),)
    DATASETS["names"] = lambda: PairParts("names", sources, targets, *asked)
    size = {**SMALL, "source_vocabulary": 10, "target_vocabulary": 10}
    training = begin(phrases(dataset="names", architecture=size))
    training.fit()
    for copy, right in ((True, 1.0), (False, 0.0)):
        training.program = training.program.replaced(copy=copy)
        assert training.measure()["exact"] == right


def test_where_it_looked_has_a_row_for_each_word_that_stands(trained, monkeypatch, tmp_path):
    """An unknown word that was copied from the END of the source is nothing, and leaves no row."""
    source = trained.texts.parts.test_sources[0]
    places = len(trained.texts.pieces(source)) + 1
    known = UNKNOWN + 1
    words = np.array([[known, UNKNOWN, UNKNOWN, known, END, PAD]])
    weights = np.full((1, 6, places), 0.1)
    weights[0, 1, -1] = weights[0, 2, 0] = 1  # the END; the first word
    weights[0, :, 1] += np.arange(6) / 100  # to know the rows by
    given = Written(words, weights, np.zeros(1))
    monkeypatch.setattr(Writing, "written", lambda self, model, x, steps: given)
    monkeypatch.setattr(trained, "program", trained.program.replaced(copy=True))
    (made,), (looked,) = trained.program.sentences(
        trained.model, trained.texts, trained.texts.x_test[:1], [source]
    )
    first, word = trained.texts.pieces(source)[0], trained.texts.target.vocabulary[known]
    assert made == [word, first, word]
    np.testing.assert_array_equal(looked, weights[0, [0, 2, 3, 4]])
    last = type("Last", (), {"epoch": 1, "epochs": 1})
    AttentionMap(tmp_path / "map.png", trained).on_epoch_done(last)
    assert (tmp_path / "map.png").stat().st_size > 0


def test_baselines_are_what_they_are_called(trained):
    """By the definitions: counts of pairs, sets of words."""
    texts = trained.texts
    alone = most_frequent_target(trained, "test")
    assert alone == trained.judged([["one", "cats"]] * 2) and alone["exact"] == 0
    near = nearest_source(trained, "test")  # the same two words: a share of one
    assert near == trained.judged([["two", "dogs"], ["three", "cats"]]) and near["exact"] == 0.5
    word = word_for_word(trained, "test")
    assert word == trained.judged([["dogs", "two"], ["cats", "three"]]) and word["exact"] == 0.5
    assert Counter(texts.parts.train_targets)["one cats"] == 1
    letters = begin(RECIPES["dates"].replaced(dataset="few_dates"))
    parts, found = letters.texts.parts, []
    for asked in parts.test_sources:
        grams = lambda s: {s[k : k + 3] for k in range(len(s) - 2)}  # noqa: E731
        shares = [
            2 * len(grams(asked) & grams(s)) / (len(grams(asked)) + len(grams(s)))
            for s in parts.train_sources
        ]
        found.append(list(parts.train_targets[int(np.argmax(shares))]))
    assert nearest_source(letters, "test") == letters.judged(found)


def test_only_batches_and_rate_may_differ():
    program = RECIPES["dates"].program
    with pytest.raises(ConfigError, match="not those of the recipe: width"):
        program.restored({**program.stored(), "width": 9})
    with pytest.raises(ConfigError, match="batch_size must be an integer >= 1"):
        program.restored({**program.stored(), "batch_size": 0})
    other = program.changed("dates", 7, 0.5)
    assert program.restored(json.loads(json.dumps(other.stored()))) == other
    with pytest.raises(ConfigError, match="width must be an integer >= 1"):
        Writing(EncoderDecoder, SMALL, width=0)


def test_the_command_translates_typed_texts(tmp_path, monkeypatch, capsys):
    recipe = phrases(repeats=True)
    monkeypatch.setattr("tinydl.runs.outside.find", lambda _: recipe)
    run = str(tmp_path / "run")
    with claim(tmp_path / "run", "dates") as lock:
        train_into(lock, begin(recipe), False)
    assert main(["predict", run, "två hundar", "tre möss", "--json"]) == 0
    out, err = capsys.readouterr()
    known, unknown = json.loads(out)
    assert known == {"text": "två hundar", "answer": "two dogs", "beside": []}
    assert unknown["beside"][0] == "not in the vocabulary: möss"
    assert unknown["beside"][1:] == [
        "nearest training question: tre katter", "its answer: three cats",
    ]  # fmt: skip
    assert "två hundar: two dogs" in err
    assert (tmp_path / "run" / "attention.png").read_bytes().startswith(b"\x89PNG")


# -- pictures --------------------------------------------------------------------------------------

SCENES = {"target_vocabulary": 16, "widths": (4, 4), "embedding": 4, "hidden": 6}


def scenes(**changes):
    return RECIPES["captions"].replaced(
        dataset="few_scenes", architecture=SCENES, batch_size=20, epochs=2, **changes
    )


def test_the_middle_of_a_place_and_what_lies_inside():
    """A grid of 2x2 over a picture of side 8."""
    assert [middle_of(k, 4, 8) for k in range(4)] == [(2, 2), (6, 2), (2, 6), (6, 6)]

    class Told:
        x_test = np.zeros((2, 8, 8, 3))
        parts = few_scenes()

    boxes = np.array([[[0, 0, 4, 4], [4, 0, 8, 8]], [[0, 0, 1, 1], [4, 4, 8, 8]]])
    Told.parts = replace(Told.parts, boxes=boxes)
    weights = np.array([[1, 0, 0, 0], [0, 0, 0, 1], [0, 1, 0, 0]], float)
    made = [["disk", "and", "square"], ["disk", "triangle"]]
    # Of the first picture both lie inside, of the second the last word's alone.
    assert inside(Told, made, [weights, weights]) == 0.75
    assert inside(Told, [["a"], ["a"]], [weights, weights]) == 0


def test_captions_are_judged_beside_the_nearest_picture():
    training = begin(scenes())
    training.fit()
    found = training.measure()
    assert set(found) == {"exact", "bleu", "loss", "inside"} and np.isfinite(found["loss"])
    texts = training.texts
    away = ((texts.x_test[:, None] - texts.x_train[None]) ** 2).sum(axis=(2, 3, 4))
    near = [texts.parts.train_targets[k].split() for k in away.argmin(axis=1)]
    assert nearest_picture(training, "test") == training.judged(near)
    with pytest.raises(ConfigError, match="the sources are pictures"):
        texts.pieces("a")


def test_the_command_describes_a_picture(tmp_path, monkeypatch, capsys):
    image_module = pytest.importorskip("PIL.Image")
    recipe = scenes()
    monkeypatch.setattr("tinydl.runs.outside.find", lambda _: recipe)
    with claim(tmp_path / "run", "captions") as lock:
        train_into(lock, begin(recipe), False)
    assert (tmp_path / "run" / "attention.png").read_bytes().startswith(b"\x89PNG")
    path = tmp_path / "scene.png"
    pixels = (255 * few_scenes().test_sources[0]).astype(np.uint8)
    image_module.fromarray(pixels).resize((64, 64)).save(path)
    assert main(["predict", str(tmp_path / "run"), str(path), "--json"]) == 0
    (told,) = json.loads(capsys.readouterr().out)
    assert told["text"] == str(path) and isinstance(told["answer"], str)


# -- stories and clips -----------------------------------------------------------------------------


def test_the_place_named_last_and_one_frame():
    training = begin(RECIPES["stories"])
    made = stories(9_000, Generator(0))
    right = []
    for k in range(8_000, 9_000):
        words = " ".join(made.told(k)[:-1]).split()
        places = [word for word in words if word in made.classes]
        right.append((places or made.classes[:1])[-1] == made.classes[made.y[k]])
    assert last_place(training, "test") == {"accuracy": np.mean(right)}
    clips = begin(RECIPES["clips"])
    assert one_frame(clips, "test")["accuracy"] < 0.25
