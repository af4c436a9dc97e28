"""Texts and WAV files in class folders, and one text, from `train --on` to `predict`."""

import json

import numpy as np
import pytest
from commands import does, fails

from tinydl.data import audio_folder, text_folder
from tinydl.data.formats.wav import write_wav
from tinydl.errors import DataError
from tinydl.own.gathered import prefix
from tinydl.runs.run import OpenRun

WORDS = {"bad": ("awful", "dull"), "good": ("lovely", "great"), "so-so": ("fair", "usual")}


def texts(folder, names, count=24):
    for name in names:
        (folder / name).mkdir(parents=True)
        for k in range(count):
            first, second = WORDS[name][k % 2], WORDS[name][k // 2 % 2]
            (folder / name / f"{k}.txt").write_text(f"a {first} film, number {k}: {second}\n")
    return folder


def test_two_kinds_of_texts(capsys, tmp_path):
    folder, run = texts(tmp_path / "films", ("bad", "good")), tmp_path / "run"
    (folder / "good" / "broken.txt").write_bytes(b"caf\xe9")
    asked = ("train", "opinions", "--on", folder, "--batch-size", 8, "--epochs", 12)
    out = does(capsys, *asked, "--out", run, "--class-weights", "balanced")
    assert "good/broken.txt cannot be used: is not UTF-8" in out
    assert "majority class" in out and "tf idf regression" in out
    assert json.loads(does(capsys, "evaluate", run, "--json"))["accuracy"] == 1
    new = tmp_path / "new.txt"
    new.write_text("what a great, lovely film")
    (found,) = json.loads(does(capsys, "predict", run, new, "--json"))
    assert found["class"] == "good" and sum(found["probabilities"].values()) == pytest.approx(1)
    assert "bad (9" in does(capsys, "predict", run, "--text", "an awful, dull film")
    other = texts(tmp_path / "other", ("good",), 4)
    assert json.loads(does(capsys, "evaluate", run, "--on", other, "--json"))["samples"] == 4
    texts(tmp_path / "strange", ("so-so",))
    assert "has the class 'so-so'" in fails(capsys, "evaluate", run, "--on", tmp_path / "strange")
    assert "--strict" in fails(capsys, *asked, "--strict")


def test_what_people_write_can_be_kept(capsys, tmp_path):
    """Joiners of emoji, soft hyphens, control characters, a word of ten thousand letters."""
    folder, run = texts(tmp_path / "films", ("bad", "good")), tmp_path / "run"
    odd = "\U0001f468\u200d\U0001f469\u200d\U0001f467 co\u00adoperate \x07 " + "x" * 10_000
    for path in sorted(folder.glob("*/*.txt"))[::3]:
        path.write_text(f"{path.read_text()} {odd}\n")
    (folder / "good" / "zero.txt").write_bytes(b"a\0b")
    out = does(capsys, "train", "opinions", "--on", folder, "--batch-size", 8, "--epochs", 1,
               "--out", run)  # fmt: skip
    assert "good/zero.txt cannot be used: holds zero bytes" in out
    known = OpenRun(run).recipe.program.vocabulary
    assert "\U0001f468" in known and "\u200d" not in known and max(map(len, known)) < 101
    assert "good (" in does(capsys, "predict", run, "--text", f"a great film {odd}")


def test_three_kinds_of_texts(capsys, tmp_path):
    folder, run = texts(tmp_path / "films", WORDS), tmp_path / "run"
    asked = ("train", "opinions", "--on", folder, "--batch-size", 8, "--epochs", 14)
    assert "bag of words" in does(capsys, *asked, "--out", run, "--size", 20)
    program = OpenRun(run).recipe.program
    assert program.input_shape == (20,) and program.architecture["outputs"] == 3
    assert json.loads(does(capsys, "evaluate", run, "--json"))["accuracy"] > 0.9
    (found,) = json.loads(does(capsys, "predict", run, folder / "so-so" / "3.txt", "--json"))
    assert found["class"] == "so-so"


def waves(folder, names=("high", "low"), count=10, rate=8_000):
    rng = np.random.default_rng(0)
    for kind, name in enumerate(names):
        (folder / name).mkdir(parents=True)
        for k in range(count):
            t = np.arange(rate // 2) / rate
            tone = 0.5 * np.sin(2 * np.pi * (1_800, 500)[kind] * (1 + 0.02 * k) * t)
            wave = tone + 0.05 * rng.normal(size=t.shape)
            write_wav(folder / name / f"speaker{k % 5}_{k}.wav", wave, rate)
    return folder


def test_sounds_by_speaker(capsys, tmp_path):
    folder, run = waves(tmp_path / "tones"), tmp_path / "run"
    whole = (folder / "high" / "speaker0_0.wav").read_bytes()
    (folder / "high" / "cut.wav").write_bytes(whole[:90])
    fast = 16_000  # samples a second: a tone that is as low as the others of its folder
    tone = 0.5 * np.sin(2 * np.pi * 520 * np.arange(fast // 2) / fast)
    write_wav(folder / "low" / "speaker1_other.wav", tone, fast)
    asked = ("train", "spoken-digits", "--on", folder, "--epochs", 6, "--batch-size", 4)
    out = does(capsys, *asked, "--group-by-prefix", "--out", run)
    assert "5 groups by file-name prefix" in out and "8,000 samples a second" in out
    assert "high/cut.wav cannot be used" in out
    assert "other.wav has 16,000 samples a second and is resampled to 8,000" in out
    seen = does(capsys, "look", folder)
    assert "other.wav has 16,000 samples a second, most have 8,000" in seen
    assert json.loads(does(capsys, "evaluate", run, "--json"))["accuracy"] == 1
    path = folder / "low" / "speaker3_3.wav"
    (found,) = json.loads(does(capsys, "classify", run, path, "--json"))
    assert found["top"][0]["class"] == "low" and len(found["top"]) == 2
    other = waves(tmp_path / "other", count=3, rate=22_050)
    paths = sorted(other.glob("*/*.wav"))
    said = json.loads(does(capsys, "predict", run, *paths, "--json"))
    assert [row["class"] for row in said] == ["high"] * 3 + ["low"] * 3
    assert json.loads(does(capsys, "evaluate", run, "--on", other, "--json"))["accuracy"] == 1
    assert "takes sounds (WAV)" in fails(capsys, "train", "spoken-digits", "--on",
                                         texts(tmp_path / "t", ("bad", "good")))  # fmt: skip


def test_one_text(capsys, tmp_path):
    poem, run = tmp_path / "poem.txt", tmp_path / "run"
    poem.write_text("the rose is red, the violet blue;\n" * 120)
    asked = ("train", "char-lstm/fast", "--on", poem, "--epochs", 1, "--batch-size", 4)
    out = does(capsys, *asked, "--out", run)
    assert "the last" in out and "characters" in out
    assert OpenRun(run).recipe.program.architecture["tokens"] == len(set(poem.read_text())) + 1
    assert len(does(capsys, "sample", run, "--prompt", "the rose")) > 8
    assert json.loads(does(capsys, "evaluate", run, "--on", poem, "--json"))["bits"] < 7
    poem.write_text("too short")
    assert "too short for char-lstm" in fails(capsys, *asked, "--out", tmp_path / "other")
    err = fails(capsys, *asked, "--size", 8, "--out", tmp_path / "other")
    assert "--size is not for one text" in err


def test_folders_without_classes(tmp_path):
    (tmp_path / "a.txt").write_text("a")
    with pytest.raises(DataError, match="class folders"):
        text_folder(tmp_path)
    with pytest.raises(DataError, match="class folders"):
        audio_folder(tmp_path)


def test_parts_of_texts(tmp_path):
    for part in ("train", "test"):
        texts(tmp_path / part, ("bad", "good"), 3)
    found = text_folder(tmp_path)
    assert len(found) == 12 and found.parts.count("test") == 6 and found.classes == ("bad", "good")


def test_prefix_of_a_name():
    assert [prefix(n) for n in ("a/theo_1.wav", "p12-3.png", "x.y.png")] == ["theo", "p12", "x.y"]
