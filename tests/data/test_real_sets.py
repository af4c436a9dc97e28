"""The other real files: counts and figures that their sources publish. Nothing is downloaded."""

import os
from pathlib import Path

import numpy as np
import pytest
from closeness import assert_close

from tinydl.data import (
    CATALOG,
    CharacterTokenizer,
    WordTokenizer,
    bccd,
    cifar10,
    creditcard,
    dialogue,
    imdb,
    imdb_keras,
    movielens_100k,
    omniglot,
    omniglot_runs,
    orl_faces,
    scaled_windows,
    semeion,
    stocks,
    tatoeba,
    tiny_shakespeare,
    verify,
    war_and_peace,
)


@pytest.fixture(autouse=True)
def real_data(monkeypatch, tmp_path):
    """TINYDL_DATA at real files (as set, else ../shared/data beside the checkout), offline."""
    beside = Path(__file__).resolve().parents[3] / "shared" / "data"
    folder = Path(os.environ.get("TINYDL_DATA") or beside)
    monkeypatch.setenv("TINYDL_DATA", str(folder))
    monkeypatch.setenv("TINYDL_CACHE", str(tmp_path))
    monkeypatch.setenv("TINYDL_OFFLINE", "1")
    return folder


def need(folder, *names):
    """Skips, with the reason, where a set is not there."""
    for name in names:
        for file in CATALOG[name].files:
            if not (folder / CATALOG[name].folder / file.name).is_file():
                pytest.skip(f"no real data: {CATALOG[name].folder}/{file.name} is not in {folder}")


def test_cifar10_subset(real_data):
    need(real_data, "cifar10_subset")
    data = cifar10("subset")
    assert data.x_train.shape == (20000, 32, 32, 3) and data.x_test.shape == (5000, 32, 32, 3)
    assert np.bincount(data.y_train).tolist() == [2000] * 10
    assert np.bincount(data.y_test).tolist() == [500] * 10
    # Figures of the full set, which the subset meets to two digits.
    mean, std = (data.x_train[::4] / 255).mean((0, 1, 2)), (data.x_train[::4] / 255).std((0, 1, 2))
    assert_close(mean, [0.4914, 0.4822, 0.4465], 1e-5, atol=5e-3)
    assert_close(std, [0.2470, 0.2435, 0.2616], 1e-5, atol=5e-3)
    assert data.classes == ("airplane", "automobile", "bird", "cat", "deer") + data.classes[5:]
    assert data.y_train[:2].tolist() == [5, 6]  # its index file: a dog, a frog
    # Sky above: aeroplanes are bluer at the top than at the bottom, and than red is.
    planes = data.x_train[data.y_train == 0].mean(0)
    assert planes[:4, :, 2].mean() > planes[:4, :, 0].mean() + 20


def test_movielens(real_data):
    need(real_data, "movielens_100k")
    ratings = movielens_100k()
    assert len(ratings) == 100_000 and ratings.matrix().shape == (943, 1682)
    assert np.bincount(ratings.stars).tolist() == [0, 6110, 11370, 27145, 34174, 21201]
    assert sorted(ratings.user_ids) == list(range(1, 944))
    assert sorted(ratings.item_ids) == list(range(1, 1683))
    best = np.bincount(ratings.items).argmax()
    assert ratings.titles[best] == "Star Wars (1977)" and np.bincount(ratings.items)[best] == 583
    sizes = [len(movielens_100k(p)) for p in ("u1.base", "u1.test", "ua.base", "ua.test")]
    assert sizes == [80000, 20000, 90570, 9430]
    parts = [movielens_100k(p).matrix() for p in ("u1.base", "u1.test")]
    assert np.array_equal(parts[0] + parts[1], ratings.matrix())


@pytest.mark.parametrize("edition, rows", [("subset", 6621), ("sample", 5412)])
def test_creditcard(real_data, edition, rows):
    need(real_data, f"creditcard_{edition}")
    table = creditcard(edition)
    assert table.x.shape == (rows, 30) and table.y.sum() == 492
    frauds = table.x[table.y == 1]
    assert frauds[:, -1].sum() == pytest.approx(60127.97, abs=0.01)
    assert len(np.unique(np.round(frauds, 5), axis=0)) == 473  # distinct, as in the original
    if edition == "subset":
        assert (np.diff(table.column("Time")) >= 0).all()


def test_stocks(real_data):
    need(real_data, "stocks")
    for symbol, rows, first in (
        ("DJI", 8636, "1985-01-29"),
        ("GOOGL", 3702, "2004-08-19"),
        ("TSLA", 2227, "2010-06-29"),
    ):
        prices = stocks(symbol)
        assert (prices.symbol, len(prices), prices.skipped) == (symbol, rows, 0)
        assert str(prices.dates[0]) == first and str(prices.dates[-1]) == "2019-05-03"
        bad = prices.dates[prices.inconsistent()].astype(str).tolist()
        assert bad == (["2015-08-31"] if symbol == "DJI" else [])
    book = stocks().between("2001-01-01", "2017-12-31")
    assert len(book) == 4276
    assert_close(book.close[:3], [10646.150391, 10945.75, 10912.410156], 0, atol=1e-5)
    assert book.open[0] == pytest.approx(10790.919922, abs=1e-5) and book.volume[0] == 253_300_000
    x, y, _ = scaled_windows(book.close, 10)
    assert x.shape == (4266, 10, 1) and y.shape == (4266, 1)
    # The book's split: 2986 to train; predicting "as today" costs this much on the rest.
    assert ((y[2986:] - 1) ** 2).mean() == pytest.approx(5.2641e-05, rel=1e-4)
    assert ((y[:2986] - 1) ** 2).mean() == pytest.approx(1.5885e-04, rel=1e-4)


def test_imdb(real_data):
    need(real_data, "imdb_tsv")
    train, test = imdb()
    assert len(train) == len(test) == 25000 and train.y.sum() == test.y.sum() == 12500
    stars = np.bincount(train.stars, minlength=11)[1:].tolist()
    assert stars == [5100, 2284, 2420, 2696, 0, 0, 2496, 3009, 2263, 4732]
    assert ((train.stars >= 7) == train.y).all()
    assert np.mean([len(t.split()) for t in train.texts]) == pytest.approx(234, abs=0.5)
    tokenizer = WordTokenizer.fit(train.texts[:2000], max_tokens=1000)
    assert tokenizer.vocabulary[2] in ("the", ",", ".") and "the" in tokenizer.vocabulary[:6]
    assert len(tokenizer) == 1000


def test_imdb_as_keras_codes(real_data):
    need(real_data, "imdb_tsv")
    train, test = imdb_keras(num_words=20000, seed=None)
    assert len(train.codes) == len(test.codes) == 25000 and train.y.sum() == 12500
    lengths = [len(codes) for codes in train.codes]
    assert np.mean(lengths) == pytest.approx(238.7, abs=1.0)  # Keras' own file: 238.71
    share = np.mean([np.mean(np.array(codes) == 4) for codes in train.codes])
    assert 0.05 < share < 0.06  # "the"
    assert max(map(max, train.codes)) == 19999


def test_texts(real_data):
    need(real_data, "tiny_shakespeare_packed", "war_and_peace")
    shakespeare, tolstoy = tiny_shakespeare(), war_and_peace()
    assert len(shakespeare) == 1_115_394 and shakespeare.count("\n") == 40_000
    assert shakespeare.startswith("First Citizen:\nBefore we proceed any further, hear me speak.")
    assert len(CharacterTokenizer.fit(shakespeare)) == 65
    assert len(tolstoy.encode()) == 3_196_231 and tolstoy.count("\n") == 62_016
    assert len(CharacterTokenizer.fit(tolstoy)) == 82


def test_pairs_of_texts(real_data):
    need(real_data, "tatoeba_swe", "dialogue")
    swedish, turns = tatoeba(), dialogue()
    assert len(swedish) == 25_286 and swedish.sources[0] == "Gå." and swedish.targets[0] == "Go."
    assert all(credit.startswith("CC-BY 2.0") for credit in swedish.credits)
    assert len(turns) == 2_307 and sum("Space Race" in s for s in turns.sources) == 1
    assert all(turns.sources) and all(turns.targets)


def test_orl_faces(real_data):
    need(real_data, "orl_faces")
    data = orl_faces()
    assert data.x.shape == (400, 112, 92) and np.bincount(data.y).tolist() == [10] * 40
    assert len(np.unique(data.x.reshape(400, -1), axis=0)) == 400
    # Rows are rows: neighbours in a column agree, which a sheared face would not.
    steps = abs(np.diff(data.x.astype(np.int16), axis=1)).mean()
    sheared = abs(np.diff(data.x.reshape(400, 92, 112).astype(np.int16), axis=1)).mean()
    assert steps < 0.6 * sheared


def test_omniglot(real_data):
    need(real_data, "omniglot_small", "omniglot_runs")
    pytest.importorskip("PIL", reason="needs Pillow (the extra `data`)")
    small1, small2, runs = omniglot("small1"), omniglot("small2"), omniglot_runs()
    for data, characters in ((small1, 136), (small2, 156)):
        assert len(data.characters) == characters and len(data.alphabets) == 5
        assert np.bincount(data.y).tolist() == [20] * characters
        assert np.array_equal(np.unique(data.drawer), np.arange(20))
        assert 0.02 < data.x.mean() < 0.2  # ink is rare
    assert {"Greek", "Latin"} <= set(small1.alphabets) & set(small2.alphabets)
    assert len(runs) == 20 and all(sorted(r.answers) == list(range(20)) for r in runs)
    assert [r.training.shape for r in runs] == [r.test.shape for r in runs] == [(20, 105, 105)] * 20
    # Lake's baseline, the modified Hausdorff distance, errs in 38.8 % over all runs; here three.
    errors = [np.mean(hausdorff(r).argmin(1) != r.answers) for r in runs[:3]]
    assert 0.15 < np.mean(errors) < 0.6  # by chance it would be 0.95


def hausdorff(run):
    """(test, training) modified Hausdorff distances between the places of ink."""

    def points(image):
        where = np.argwhere(image)[::2]  # every other point: this is a test
        return (where - where.mean(0)).astype(np.float32)

    test, training = [points(i) for i in run.test], [points(i) for i in run.training]
    result = np.empty((len(test), len(training)))
    for i, a in enumerate(test):
        for j, b in enumerate(training):
            square = (a * a).sum(1)[:, None] + (b * b).sum(1) - 2 * a @ b.T
            distance = np.sqrt(square.clip(0))
            result[i, j] = max(distance.min(1).mean(), distance.min(0).mean())
    return result


def test_bccd(real_data):
    need(real_data, "bccd")
    pytest.importorskip("PIL", reason="needs Pillow (the extra `data`)")
    data = bccd()
    assert len(data) == 364 and data.skipped == 2
    counts = np.bincount(np.concatenate(data.labels))
    assert dict(zip(data.classes, counts.tolist(), strict=True)) == {
        "Platelets": 361,
        "RBC": 4155 - 2,
        "WBC": 372,
    }
    sizes = {name: len(ids) for name, ids in data.splits.items()}
    assert sizes == {"train": 205, "val": 87, "trainval": 292, "test": 72}
    assert set(data.splits["train"]) | set(data.splits["val"]) == set(data.splits["trainval"])
    assert (data.sizes == [480, 640]).all()
    boxes = np.concatenate(data.boxes)
    assert (boxes[:, :2] >= 0).all() and (boxes[:, 2] <= 640).all() and (boxes[:, 3] <= 480).all()
    # White cells are stained violet: inside their boxes there is less green than in the picture.
    darker = []
    for k in range(0, 60, 6):
        image = data.image(k)
        assert image.shape == (480, 640, 3)
        for x0, y0, x1, y1 in data.boxes[k][data.labels[k] == 2].astype(int):
            darker.append(image[y0:y1, x0:x1, 1].mean() < image[:, :, 1].mean())
    assert len(darker) >= 8 and np.mean(darker) > 0.9


@pytest.mark.parametrize(
    "name", [n for n, d in CATALOG.items() if d.files and not d.files[0].shape]
)
def test_catalogued_hashes_are_those_of_the_files(real_data, name):
    need(real_data, name)
    rows = verify(name)
    if name.startswith("movielens_100k") and rows[0]["detail"].startswith("the file there is"):
        pytest.skip("TINYDL_DATA holds the other edition of ml-100k.zip")
    assert {row["status"] for row in rows} == {"ok"}


def test_semeion_has_the_published_counts(real_data):
    if not (real_data / "uci_digits" / "semeion.data.gz").exists():
        pytest.skip("no semeion.data.gz in TINYDL_DATA/uci_digits")
    digits = semeion()
    assert np.bincount(digits.y).tolist() == [161, 162, 159, 159, 161, 159, 161, 158, 155, 158]
    assert digits.x.shape == (1593, 16, 16) and set(np.unique(digits.x)) == {0, 1}
    ink = digits.x.any(axis=2)
    assert ink.argmax(axis=1).mean() < 0.2, "digits fill their frame"
