"""A CSV file from `train --on` to `predict`: what its columns become, what is said of them."""

import csv
import json

import numpy as np
import pytest
from commands import does, fails

from tinydl.command.main import main
from tinydl.data.formats.columns import read_columns
from tinydl.errors import FormatError
from tinydl.own.columns import CATEGORY, DATE, NUMBER, typed, useless
from tinydl.random import Generator
from tinydl.runs.run import OpenRun


def write(path, rows, head):
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([head, *rows])
    return path


HEAD = ("id", "a", "b", "always", "day", "person", "kind")


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    """60 flowers of two kinds that `a` tells apart, with gaps, of 12 persons."""
    rng = Generator(0)
    rows = []
    for k in range(60):
        a = float(rng.normal(1)[0]) + 6 * (k % 2)
        colour = "" if k % 11 == 0 else ("red", "blue")[k // 2 % 2]
        day = f"2024-{1 + k % 12:02d}-05"
        rows.append(
            (1000 + k, f"{a:.3f}" if k % 7 else "NA", colour, 3, day, f"p{k % 12}", "xy"[k % 2])
        )
    return write(tmp_path_factory.mktemp("tables") / "flowers.csv", rows, HEAD)


@pytest.fixture(scope="module")
def run(table):
    """A run on it."""
    folder = table.parent / "run"
    command = ["train", "iris-softmax", "--on", table, "--target", "kind", "--epochs", "30"]
    assert main([*map(str, command), "--out", str(folder), "--quiet"]) == 0
    return folder


def test_columns_are_told_apart():
    assert typed("x", ["1", "2.5", "", "NA"]).kind == NUMBER
    dates = typed("x", ["2024-02-29", "2024-03-01T12:00:00", "?"])
    assert dates.kind == DATE and dates.values[1] - dates.values[0] == 1.5
    assert np.isnan(dates.values[2])
    assert typed("x", ["31.12.2023", "01.01.2024"]).values.tolist() == [738885.0, 738886.0]
    assert typed("x", ["2024-02-30", "2024-03-01"]).kind == CATEGORY  # there is no such day
    assert typed("x", ["a", "", "1"]).missing.tolist() == [False, True, False]
    odd = typed("x", ["1"] * 40 + ["1O"])
    assert odd.kind == NUMBER and odd.odd == (40,)


def test_useless_columns():
    assert "one value" in useless(typed("x", ["3", "3", ""]))
    assert "empty" in useless(typed("x", ["", "NA"]))
    assert "counts the rows" in useless(typed("x", [str(k) for k in range(7, 40)]))
    assert "identifier" in useless(typed("x", [f"ab{k}" for k in range(40)]))
    assert "categories" in useless(typed("x", [f"c{k % 60}" for k in range(600)]))
    assert not useless(typed("x", ["red", "blue"] * 9))


def test_what_is_said_and_kept(capsys, table, tmp_path):
    out = does(
        capsys, "train", "iris-softmax", "--on", table, "--target", "kind", "--epochs", 1,
        "--out", tmp_path / "run", "--class-weights", "balanced",
    )  # fmt: skip
    assert "column id looks like an identifier" in out and "column always has one value" in out
    assert "column a: 9 gaps filled with the median" in out
    assert "column b: 6 gaps filled with the most frequent category" in out
    assert "stratified random 80/20" in out and "majority class" in out
    kept = OpenRun(tmp_path / "run").config["own"]
    assert kept["weights"] == pytest.approx([1, 1]) and kept["classes"] == ["x", "y"]
    rules = {rule["name"]: rule for rule in kept["preparation"]["columns"]}
    assert set(rules) == {"a", "b", "day", "person"} and rules["b"]["levels"] == ["blue", "red"]


def test_predict_reads_rows_without_a_target(capsys, run, tmp_path):
    told = does(capsys, "evaluate", run, "--json")
    assert json.loads(told)["accuracy"] == 1
    rows = write(tmp_path / "new.csv", [("p1", "2024-01-05", "red", "0"), ("p2", "", "", "6.5")],
                 ("person", "day", "b", "a"))  # fmt: skip
    found = json.loads(does(capsys, "predict", run, rows, "--json"))
    assert [row["class"] for row in found] == ["x", "y"]
    assert found[0]["sample"] == "line 2"
    assert "line 3" in does(capsys, "classify", run, rows, "--top", 1)
    short = write(tmp_path / "short.csv", [("1", "red")], ("a", "b"))
    assert "lacks 2 of the 4 columns" in fails(capsys, "predict", run, short)
    bad = write(tmp_path / "bad.csv", [("p1", "2024-01-05", "red", "six")], ("person", "day", "b",
                                                                            "a"))  # fmt: skip
    assert "'six', which is no number" in fails(capsys, "predict", run, bad)


def test_evaluate_on_other_rows(capsys, run, table, tmp_path):
    lines = table.read_text().splitlines()
    other = tmp_path / "other.csv"
    other.write_text("\n".join(lines[:21]) + "\n")
    found = json.loads(does(capsys, "evaluate", run, "--on", other, "--json"))
    assert found["samples"] == 20 and found["accuracy"] == 1
    other.write_text("\n".join([lines[0], lines[1][:-1] + "z"]) + "\n")
    assert "has the class 'z'" in fails(capsys, "evaluate", run, "--on", other)


def test_numbers_and_groups(capsys, table, tmp_path):
    folder = tmp_path / "run"
    out = does(capsys, "train", "mlp-digits", "--on", table, "--target", "a", "--group", "person",
               "--epochs", 60, "--out", folder)  # fmt: skip
    assert "12 groups by person, none on both sides" in out and "mean target" in out
    assert "9 rows without a target are left out" in out
    found = json.loads(does(capsys, "evaluate", folder, "--json"))
    assert found["r2"] > 0.5 and found["baselines"]["mean target"]["r2"] < 0.1
    train, test = (OpenRun(folder).training({}).parts.__getattribute__(p)[1] for p in
                   ("train", "test"))  # fmt: skip
    assert len(train) + len(test) == 51 and np.abs(train.mean()) < 1e-6
    said = does(capsys, "predict", folder, table)
    assert "foretold" in said


def test_refusals(capsys, table, tmp_path):
    on = ("--on", table)
    assert "--target COLUMN" in fails(capsys, "train", "iris-softmax", *on)
    assert "no column 'c'" in fails(capsys, "train", "iris-softmax", *on, "--target", "c")
    err = fails(capsys, "train", "lenet-mnist", *on, "--target", "kind")
    assert "takes pictures in class folders" in err and "iris-softmax" in err
    err = fails(capsys, "train", "iris-softmax", *on, "--target", "a")
    assert "the target is a number" in err and "mlp-digits" in err
    assert "no data but its own" in fails(capsys, "train", "ring-gan", *on, "--target", "kind")
    assert "name them by --on" in fails(capsys, "train", "iris-softmax", "--target", "kind")
    err = fails(capsys, "train", "iris-softmax", *on, "--target", "kind", "--size", "8,8")
    assert "--size is not for a table" in err


def test_damage_is_named_or_strict(capsys, table, tmp_path):
    text = table.read_text().splitlines()
    text[5] = "1,2"
    broken = tmp_path / "broken.csv"
    broken.write_text("\n".join(text) + "\n")
    asked = ("train", "iris-softmax", "--on", broken, "--target", "kind", "--epochs", 1)
    out = does(capsys, *asked, "--out", tmp_path / "run")
    assert "left out: broken.csv line 6 has 2 fields, not 7" in out
    assert "one problem" in fails(capsys, *asked, "--strict", "--out", tmp_path / "other")
    assert not (tmp_path / "other").exists()
    broken.write_bytes(b"a,kind\n1,\xff\n")
    assert "not UTF-8: byte 0xff in line 2" in fails(capsys, *asked, "--out", tmp_path / "other")


def test_force_and_resume(capsys, table, tmp_path):
    moved, folder = tmp_path / "t.csv", tmp_path / "run"
    moved.write_bytes(table.read_bytes())
    asked = ("train", "iris-softmax", "--on", moved, "--target", "kind", "--out", folder)
    does(capsys, *asked, "--epochs", 4)
    assert "--force" in fails(capsys, *asked)
    does(capsys, *asked, "--epochs", 2, "--force")
    moved = moved.rename(tmp_path / "moved.csv")
    resume = ("train", "--resume", folder, "--epochs", 4)
    assert "say where they are with --on" in fails(capsys, *resume)
    moved.write_text(table.read_text() + "9,1,red,3,2024-01-05,p1,x\n")
    assert "another fingerprint" in fails(capsys, *resume, "--on", moved)
    moved.write_bytes(table.read_bytes())
    does(capsys, *resume, "--on", moved)
    does(capsys, *asked[:3], moved, *asked[4:-1], tmp_path / "whole", "--epochs", 4)
    a, b = (OpenRun(tmp_path / name).model().state_dict() for name in ("run", "whole"))
    assert all(np.array_equal(a[name], b[name]) for name in a)


def test_parts_by_file(capsys, table, tmp_path):
    lines = table.read_text().splitlines()
    for name, part in (("train", lines[1:41]), ("test", lines[41:])):
        (tmp_path / f"{name}.csv").write_text("\n".join([lines[0], *part]) + "\n")
    out = does(capsys, "train", "iris-softmax", "--on", tmp_path, "--target", "kind", "--epochs", 1,
               "--out", tmp_path / "run")  # fmt: skip
    assert "40 train, 20 test" in out and "by the folders" in out


def test_changed_configurations_are_refused(run, tmp_path):
    """What config.json says of the data is checked value by value."""
    for path, value, told in (
        (("kind",), "cakes", "kind"),
        (("preparation", "columns", 0, "fill"), "much", "fill"),
        (("classes",), ["x", 7], "classes"),
        (("options", "fit"), "", "fit"),
        (("preparation", "target"), {}, "target"),
    ):
        config = json.loads((run / "config.json").read_text())
        place = config["own"]
        for key in path[:-1]:
            place = place[key]
        place[path[-1]] = value
        config.pop("sha256")
        (tmp_path / "config.json").write_text(json.dumps(config))
        with pytest.raises(FormatError, match=told):
            OpenRun(tmp_path).recipe  # noqa: B018


def test_columns_reader(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text('a;b\n"1;2";x\n\n3\n4;y\n')
    table = read_columns(path)
    assert table.cells == (("1;2", "4"), ("x", "y")) and table.lines == (2, 5)
    assert "line 4 has 1 fields" in str(table.problems[0])
    for text, told in (
        ("a,a\n1,2\n", "equal names"),
        ('a,b\n"1,2\n', "line"),
        ("a,b\n", "no rows"),
    ):
        path.write_text(text)
        with pytest.raises(FormatError, match=told):
            read_columns(path)
