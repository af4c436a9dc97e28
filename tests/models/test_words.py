"""Vectors of words: pairs, losses against their formulas, relatives that end up near each other."""

import json

import numpy as np
import pytest
from cases.generators import topics, wording
from closeness import assert_close

from tinydl import Generator, Tensor, random
from tinydl.baselines import same_letters, same_texts
from tinydl.command.main import main
from tinydl.data import near_counts, neighbours, subsampled, surroundings, word_corpus
from tinydl.errors import ConfigError
from tinydl.models import CBOW, GloVe, SkipGram
from tinydl.models.words.embeddings import analogy, nearest, pointed_at
from tinydl.runs.run import begin

WORDS, TEXTS = np.array([4, 1, 2, 3, 1, 2]), np.array([0, 0, 0, 0, 1, 1])


def test_a_corpus_is_its_words_by_frequency():
    made = word_corpus(["The cat<br />the CAT's", "a the"], 1)
    assert made.vocabulary == ("the", "a", "cat", "cat's") and made.counts.tolist() == [3, 1, 1, 1]
    assert made.words.tolist() == [0, 2, 0, 3, 1, 0] and made.texts.tolist() == [0, 0, 0, 0, 1, 1]
    assert word_corpus(["b a b"], 1, 1).vocabulary == ("b",) and made.place("cat") == 2
    with pytest.raises(ConfigError, match="'dog'"):
        made.place("dog")
    with pytest.raises(ConfigError, match="occurs 9 times"):
        word_corpus(["a"], 9)


def test_pairs_are_neighbours_within_a_text():
    allowed = {(int(WORDS[i]), int(WORDS[j])) for i in range(6) for j in range(6)
               if i != j and abs(i - j) <= 2 and TEXTS[i] == TEXTS[j]}  # fmt: skip
    found = neighbours(WORDS, TEXTS, 2, Generator(0))
    assert {tuple(p) for p in found.tolist()} <= allowed
    assert len(neighbours(WORDS, TEXTS, 1, Generator(0))) == 2 * (3 + 1)
    many = np.concatenate([neighbours(WORDS, TEXTS, 2, Generator(k)) for k in range(300)]).tolist()
    assert abs(many.count([4, 2]) / many.count([4, 1]) - 0.5) < 0.12, "two apart half as often"
    assert surroundings(WORDS, TEXTS, 2)[[0, 4]].tolist() == [[1, 2, -1, -1], [2, -1, -1, -1]]
    pairs, counts = near_counts(WORDS, TEXTS, 2)
    table = {tuple(p): float(c) for p, c in zip(pairs.tolist(), counts, strict=True)}
    assert table[1, 2] == table[2, 1] == 2 and table[4, 2] == 0.5 and set(table) == allowed


def test_frequent_words_are_thinned():
    made = word_corpus(["a " * 9_900 + "b " * 100], 1)
    kept = made.words[subsampled(made, 0.01, Generator(0))]
    f = 0.99
    expected = np.sqrt(0.01 / f) + 0.01 / f
    assert (kept == 1).sum() == 100 and abs((kept == 0).mean() - 1) < 0.2
    assert abs((kept == 0).sum() / 9_900 - expected) < 0.02


def stirred(kind):
    random.seed(0)
    model = kind(6, 3).astype("float64")
    for parameter in model.parameters():
        parameter.assign(Generator(1).normal(parameter.shape).astype(np.float64))
    return model


def log_sigmoid(x):
    return -np.log1p(np.exp(-x))


def test_losses_are_their_formulas():
    words, others, drawn = np.array([0, 2, 5]), np.array([1, 4, 3]), np.array([2, 2, 0, 5])
    model = stirred(SkipGram)
    v, u = model.word.weight.numpy(), model.other.weight.numpy()

    def told(rows):
        losses = [
            -log_sigmoid(a @ u[c]) - 5 / 4 * sum(log_sigmoid(-a @ u[j]) for j in drawn)
            for a, c in zip(rows, others, strict=True)
        ]
        return np.mean(losses)

    assert_close(
        np.array(model.loss(*map(Tensor, (words, others, drawn))).item()), told(v[words]), 1e-9
    )
    model, around = stirred(CBOW), np.array([[0, 1], [2, -1], [-1, -1]])
    means = np.stack([(v[0] + v[1]) / 2, v[2], np.zeros(3)])
    assert_close(
        np.array(model.loss(*map(Tensor, (around, others, drawn))).item()), told(means), 1e-9
    )
    model, counts = stirred(GloVe), np.array([1.0, 50, 400])
    v, u, b, c = (p.numpy() for _, p in model.named_parameters())
    away = (v[words] * u[others]).sum(1) + b[words, 0] + c[others, 0] - np.log(counts)
    weight = np.minimum(1, (counts / 100) ** 0.75)
    found = model.loss(Tensor(words), Tensor(others), Tensor(counts)).item()
    assert_close(np.array(found), (weight * away**2).mean(), 1e-9)


@pytest.mark.parametrize("kind", [SkipGram, CBOW, GloVe])
def test_relatives_end_up_near(kind):
    training = begin(wording(kind, updates=150).replaced(epochs=2))
    training.fit()
    vectors, corpus = training.model.vectors(), training.corpus
    for word in ("ax", "by", "cz", "dx"):
        near = nearest(vectors, vectors[[corpus.place(word)]], 3)[0]
        assert {corpus.vocabulary[k][0] for k in near} == {word[0]}


def test_baselines_ask_texts_and_letters():
    training = begin(wording())
    assert same_texts(training, "test") == {"related": 1.0}
    assert same_letters(training, "test")["related"] > 0.5
    assert topics().probes == (("ax", "ay"), ("bx", "by"), ("cx", "cy"), ("dx", "dy"))


def test_an_analogy_is_a_parallelogram():
    vectors = np.array([[1.0, 0, 0], [1, 1, 0], [0, 0, 1], [0, 1, 1], [5, 0, 0]])
    assert analogy(vectors, 0, 1, 2) == [3]
    assert set(nearest(vectors, vectors[:1], 2)[0].tolist()) == {0, 4}
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    assert_close(pointed_at(vectors, 0, 1, 2), unit[1] - unit[0] + unit[2], 1e-8)
    assert_close(pointed_at(vectors, 4), unit[4], 1e-8)


OWN = "from cases.generators import wording\nTOPICS = wording(updates=150).replaced(epochs=2)\n"


def test_the_command_prints_words_near_a_word_and_the_fourth_of_an_analogy(tmp_path, capsys):
    (tmp_path / "topics.py").write_text(OWN)
    file, run = str(tmp_path / "topics.py"), str(tmp_path / "run")
    assert main(["train", file, "--quiet", "--out", run]) == 0
    capsys.readouterr()

    def told(*words):
        assert main(["nearest", run, *words, "--recipe", file, "--json"]) == 0
        shown = capsys.readouterr()
        found = json.loads(shown.out)["nearest"]
        assert all(f"{near['cosine']:5.2f}  {near['word']}" in shown.err for near in found)
        return [near["word"] for near in found], [near["cosine"] for near in found]

    near, cosines = told("AX", "--count", "2")
    assert set(near) == {"ay", "az"} and 1 > cosines[0] >= cosines[1] > 0.8
    assert told("ax", "ay", "bx", "--count", "2")[0][0] in ("by", "bz")
    for more, words in (
        (["ax", "ay"], "one word or three"), (["ox"], "'ox' is not among the 12 words"),
        (["ax", "--count", "0"], "--count must be >= 1"),
    ):  # fmt: skip
        assert main(["nearest", run, *more, "--recipe", file]) == 2
        assert words in capsys.readouterr().err
