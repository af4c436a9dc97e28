"""The studies in small: what is compared, what is counted, what is written."""

import json
from pathlib import Path

import numpy as np
import pytest
from closeness import assert_close

from tinydl import Tensor
from tinydl.errors import ConfigError, FormatError
from tinydl.function import no_grad
from tinydl.nn import cross_entropy
from tinydl.optim import SGD
from tinydl.studies import comparisons as studies
from tinydl.studies.__main__ import main
from tinydl.studies.comparisons import (
    DEGRADATION,
    REGULARISERS,
    SETTINGS,
    Cost,
    Course,
    Look,
    Size,
    degradation,
    few,
    half_images,
    in_turns,
    perceptron,
    regularisers,
    separable,
)
from tinydl.studies.pages import STUDIES, page, read, write
from tinydl.train import fit


def part(n, *shape):
    rng = np.random.default_rng(n)
    return rng.uniform(size=(n, *shape)).astype(np.float32), np.arange(n) % 10


def test_images_are_halved_by_means():
    x = np.arange(2 * 4 * 6 * 3).reshape(2, 4, 6, 3).astype(np.uint8)
    small = half_images(x)
    assert small.shape == (2, 2, 3, 3) and small.dtype == np.float32
    assert_close(small[1, 0, 2], x[1, :2, 4:].mean(axis=(0, 1)) / 255, 1e-6)
    assert few((x, np.arange(2)), 1, half_images)[0].shape == (1, 2, 3, 3)
    with pytest.raises(ConfigError, match="needs 3 samples, there are 2"):
        few((x, np.arange(2)), 3, half_images)


def test_degradation_compares_networks_that_differ_in_shortcuts_only(monkeypatch):
    seen, fit_one = [], studies.run

    def run(group, label, model, *rest):
        seen.append({name: p.numpy().copy() for name, p in model.named_parameters()})
        return fit_one(group, label, model, *rest)

    monkeypatch.setattr(studies, "run", run)
    size = Size(20, 10, 3, 5, (2, 3, 4), tiny=True)
    found = list(degradation(size, part(20, 8, 8, 3), part(10, 8, 8, 3)))
    assert [(c.group, c.label) for c in found] == [
        (kind, f"depth {depth}") for depth in (8, 14) for kind in ("plain", "residual")
    ]
    for plain, residual in zip(seen[::2], seen[1::2], strict=True):
        assert plain.keys() == residual.keys()
        assert all(np.array_equal(plain[name], residual[name]) for name in plain)
    assert found[0].parameters == found[1].parameters < found[2].parameters
    assert [row["epoch"] for row in found[0].rows] == [2, 3]  # every other one, and the last
    keys = {"epoch", "train_loss", "train_accuracy", "test_loss", "test_accuracy"}
    assert all(set(row) == keys for c in found for row in c.rows)
    assert found[0].rows[-1] != found[1].rows[-1] and found[0].cpu_seconds >= 0


def test_every_setting_of_the_perceptron():
    size = Size(20, 10, 1, 5, (6,))
    found = list(regularisers(size, part(20, 784), part(10, 784)))
    assert [(c.group, c.label) for c in found] == [(g, k) for g in SETTINGS for k in SETTINGS[g]]
    first = [next(c for c in found if c.group == g) for g in SETTINGS]
    assert all(c.rows is first[0].rows for c in first)  # one training, shown four times
    others = [c.rows for c in found if c not in first]
    assert len({rows[-1]["test_loss"] for rows in others} - {first[0].rows[-1]["test_loss"]}) == 8
    linear = perceptron(depth=1, dropout=0.5, l2=0.1, norm=True)
    kinds = [type(layer).__name__ for layer in linear]
    assert kinds == ["Linear", "BatchNorm", "ReLU", "Dropout", "Linear"]
    weight = next(iter(linear.parameters())).numpy()
    assert linear.penalty().item() == pytest.approx(0.1 * (weight**2).sum(), rel=1e-5)


def test_what_is_looked_at_has_neither_dropout_nor_penalty():
    model, test = perceptron(8, dropout=0.5, l2=1.0), part(30, 784)
    look = Look(test, test)
    fit(model, [test], cross_entropy, SGD(model.parameters(), lr=0.0), 1, callbacks=[look])
    with no_grad():
        wanted = cross_entropy(model.eval()(Tensor(test[0])), Tensor(test[1])).item()
    (row,) = look.rows
    assert row["train_loss"] == row["test_loss"] == pytest.approx(wanted, rel=1e-6)


def test_costs_are_counted_by_the_formula_and_calls_take_turns():
    rows = list(separable(tiny=True))
    assert [(r.kernel, r.side, r.channels) for r in rows] == [(3, 8, 4), (3, 8, 8), (5, 6, 4)]
    for row in rows:
        assert row.counted == pytest.approx(1 / row.channels + 1 / row.kernel**2, rel=1e-12)
        assert min(row.forward, row.training, row.seconds, row.training_seconds) > 0
    calls = []
    found = in_turns({name: lambda name=name: calls.append(name) for name in "ab"}, 3)
    assert calls == list("aabb") * 3 and set(found) == {"a", "b"}


def some_rows():
    rows = [
        {"epoch": e, "train_loss": 1 / e, "train_accuracy": 0.5, "test_loss": 1 + abs(e - 2) / 9,
         "test_accuracy": 0.25 + e / 100}
        for e in (1, 2, 3)
    ]  # fmt: skip
    worse = [row | {"test_loss": 1 + row["test_loss"]} for row in rows]
    return {
        "degradation": [Course(k, d, 1234, rows, 2.0) for k in "pr" for d in ("8", "20")],
        "regularisers": [
            Course(*names, 1234, own, 2.0)
            for names, own in (
                (("dropout", "0"), rows),
                (("dropout", "1"), worse),
                (("L2", "0"), rows),
            )
        ],
        "separable": [Cost(3, 8, c, 0.25, 0.5, 0.75, 0.001, 0.002) for c in (4, 8)],
    }


def test_pages_and_pictures(tmp_path):
    pytest.importorskip("matplotlib", reason="needs the extra `plot`")
    made, figures = some_rows(), tmp_path / "docs" / "figures"
    assert set(made) == set(STUDIES)
    for name in ("separable", "regularisers", "degradation"):
        *_, picture = write(name, made[name], tmp_path / "results", figures)
        assert picture.stat().st_size > 5_000
    known = read(tmp_path / "results" / "studies.json")
    assert list(known) == list(STUDIES) and {n: known[n].rows for n in known} == made
    text = (tmp_path / "results" / "studies.md").read_text()
    assert text == page(known, Path("../docs/figures"))
    assert text.count(f"{known['separable'].where['machine']}, ") == 3
    assert "(../docs/figures/study_degradation.png)" in text
    assert "| p | 20 | 1,234 | 0.333 | 1.111 | 50.0 | 28.0 | 2 |" in text
    assert "dropout 1: least test loss 2.000 after 2 epochs, 2.111 at the end." in text
    assert "| L2 | 0 |" in text and "L2 0: least" not in text  # the same training once more
    assert "Forward, the measured ratio is 2.0 to 2.0 times" in text
    assert "p, 8: training loss 0.333, test accuracy 28.0 %; 20: training loss 0.333" in text
    again = [Cost(3, 8, 4, 0.5, 0.5, 0.5, 0.001, 0.002)]
    write("separable", again, tmp_path / "results", figures)  # replaces its own rows only
    rows = {n: one.rows for n, one in read(tmp_path / "results" / "studies.json").items()}
    assert rows == made | {"separable": again}
    (tmp_path / "studies.json").write_text(json.dumps({"separable": [{"kernel": 3}]}))
    with pytest.raises(FormatError, match=r"studies\.json is damaged"):
        read(tmp_path / "studies.json")


def test_the_command(tmp_path, capsys):
    pytest.importorskip("matplotlib", reason="needs the extra `plot`")
    main(["separable", "--tiny", "--out", str(tmp_path)])
    text = capsys.readouterr().out
    assert "\n3x3     8x8           4  " in text and f"written: {tmp_path / 'studies.md'}" in text
    assert (tmp_path / "study_separable.png").exists()


def test_the_sizes_are_those_that_the_page_tells():
    for size, name in ((DEGRADATION, "degradation"), (REGULARISERS, "regularisers")):
        about = STUDIES[name].about
        assert f"{size.train:,} training" in about and f"{size.epochs} epochs" in about
