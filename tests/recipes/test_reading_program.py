"""Reviews: words by frequency, the end of a long text, weighted counts beside it, a typed text."""

import json

import numpy as np
import pytest
from support import oracle_module

from tinydl.baselines import majority_class, tf_idf_regression
from tinydl.command.main import main
from tinydl.data import split_words
from tinydl.experiment.datasets import load_dataset
from tinydl.programs.reading import Reading, Texts
from tinydl.recipes import RECIPES
from tinydl.runs.run import begin, claim, train_into

SMALL = {
    "dataset": "drawn_reviews",
    "architecture": {"words": 60, "embedding_dim": 8, "hidden_size": 8, "dropout": 0.0},
    "input_shape": (30,),
    "words": 60,
    "samples": (),
    "optimizer_settings": {"lr": 0.02},
    "epochs": 6,
}


def small():
    return RECIPES["imdb-bilstm"].replaced(**SMALL)


def test_a_text_is_its_last_words_behind_pads():
    known = Texts(load_dataset("drawn_reviews"), 60, 8, ())
    assert len(known.tokenizer) <= 60 and known.classes == ("negative", "positive")
    words = known.tokenizer.vocabulary
    typed = f"{words[4]} {words[3]} unheardof!"
    tail = [*known.tokenizer.encode(typed)]
    assert known.numbers([typed]).tolist() == [[0] * (8 - len(tail)) + tail]
    long = " ".join(words[2:12])
    assert known.numbers([long])[0].tolist() == known.tokenizer.encode(long)[-8:].tolist()
    (x, y), texts = known.parts.test, known.texts["test"]
    assert x.shape == (100, 8) and y.shape == (100, 1) and 0.4 < y.mean() < 0.6
    reviews = load_dataset("drawn_reviews")[1]
    label = dict(zip(reviews.texts, reviews.y, strict=True))
    assert [label[text] for text in texts] == y[:, 0].astype(int).tolist()


@pytest.fixture(scope="module")
def trained():
    training = begin(small())
    training.fit()
    return training


def test_it_learns_beside_its_baselines(trained):
    found = trained.measure()["accuracy"]
    assert found > majority_class(trained, "test")["accuracy"] + 0.15
    assert tf_idf_regression(trained, "test")["accuracy"] > 0.9
    assert "300 texts train, 100 are tested" in trained.split()


@pytest.mark.oracle
def test_weighted_counts_are_scikit_learns(trained):
    text = oracle_module("sklearn.feature_extraction.text")
    linear = oracle_module("sklearn.linear_model")
    rows = text.TfidfVectorizer(
        min_df=5, sublinear_tf=True, tokenizer=split_words, token_pattern=None, lowercase=False
    )
    x = rows.fit_transform(trained.text.texts["train"])
    model = linear.LogisticRegression(max_iter=1_000).fit(x, trained.parts.train[1][:, 0])
    right = model.score(rows.transform(trained.text.texts["test"]), trained.parts.test[1][:, 0])
    assert abs(tf_idf_regression(trained, "test")["accuracy"] - right) <= 0.01


def test_a_typed_review_is_judged_by_the_command(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("tinydl.runs.outside.find", lambda _: small())
    run = tmp_path / "run"
    with claim(run, "reviews") as lock:
        train_into(lock, begin(small()), False)
    reviews = load_dataset("drawn_reviews")[1]
    monkeypatch.setattr(Reading, "load", None)  # from here on the data set is not asked for
    asked = [reviews.texts[k] for k in (np.argmax(reviews.y), np.argmin(reviews.y))]
    assert main(["predict", str(run), "--text", asked[0], "--text", asked[1], "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [row["class"] for row in told] == ["positive", "negative"]
    assert told[0]["text"] == asked[0] and sum(told[0]["probabilities"].values()) == 1
    for wrong, words in (([], "give one with --text"), (["x.png", "--text", "a"], "not both")):
        assert main(["predict", str(run), *wrong]) == 2
        assert words in capsys.readouterr().err
