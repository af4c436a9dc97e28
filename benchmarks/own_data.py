"""Recipes on folders made of real sets, as a person would have them.

python benchmarks/own_data.py [SET...] [--work FOLDER] [--fast] [--seeds 5]: writes each set into
FOLDER as class folders, CSV, VOC, WAV or text, runs `tinydl look`, `train --on` and `report` on it,
and prints a table: set, recipe, minutes, figure, the recipe's own figure over its seeds. `few` is
200 pictures of five classes of CIFAR-10 with `--from` a run on the other five, beside a training
from first weights of as many epochs. `--fast`: a few samples and epochs, to see that it runs. Needs
TINYDL_DATA. What is printed of faces stays with whoever asked: those pictures are not passed on.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from typing import NamedTuple

import numpy as np

from tinydl import data
from tinydl.console import command
from tinydl.data.formats.wav import write_wav
from tinydl.random import Generator
from tinydl.runs.reproduce import load_measured
from tinydl.tables import Column, Table, show
from tinydl.viz import save_image

EACH = 200  # pictures that `few` learns from


class Made(NamedTuple):
    """One row: how its folder is written, and the words of `tinydl train` behind --on."""

    name: str
    write: Callable[[Path, bool], Path]
    recipe: str
    words: tuple[str, ...] = ()
    fast: tuple[str, ...] = ("--epochs", "2")
    own: str = ""  # whose figure stands beside; "": none


# -- folders ---------------------------------------------------------------------------------------


def pictures(root: Path, x: np.ndarray, names: list[str]) -> None:
    for image, name in zip(x, names, strict=True):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        save_image(image, path)


def cifar(root: Path, fast: bool) -> Path:
    """train/ and test/ with a folder of PNG for each class."""
    whole = data.cifar10("subset")
    parts = (("train", whole.x_train, whole.y_train), ("test", whole.x_test, whole.y_test))
    for part, x, y in parts:
        count = 400 if fast else len(y)
        names = [f"{part}/{whole.classes[c]}/{k:05d}.png" for k, c in enumerate(y[:count])]
        pictures(root, x[:count], names)
    return root


def halves(root: Path, seed: int, fast: bool) -> tuple[Path, Path]:
    """All pictures of the first five classes, and 200 of the other five with all of their test."""
    whole = data.cifar10("subset")
    order = Generator(seed).permutation(len(whole.y_train))
    first, few = root / "first", root / f"few-{seed}"
    for part, x, y in (
        ("train", whole.x_train[order], whole.y_train[order]),
        ("test", whole.x_test, whole.y_test),
    ):
        most = 60 if fast else len(y)
        for c, name in enumerate(whole.classes):
            own = x[y == c][: min(most, EACH // 5) if c >= 5 and part == "train" else most]
            if c >= 5 or not (first / part / name).exists():
                target = (first if c < 5 else few) / part / name
                pictures(target, own, [f"{k:05d}.png" for k in range(len(own))])
    return first, few


def faces(root: Path, fast: bool) -> Path:
    """Faces of 40 people, half of them mirrored: known people's hair tells which."""
    orl = data.orl_faces()
    turned = Generator(0).integers(0, 2, len(orl.x))
    for k, (image, person) in enumerate(zip(orl.x, orl.y, strict=True)):
        side = ("as-taken", "mirrored")[turned[k]]
        path = root / side / f"s{int(person):02d}_{k % 10}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        save_image(image[:, ::-1] if turned[k] else image, path)
    return root


def cells(root: Path, fast: bool) -> Path:
    """Blood cells as VOC has them."""
    archive = data.bccd().archive
    if archive is None:
        raise SystemExit("bccd has no archive")
    names = sorted(archive.names)
    kept = {Path(n).stem for n in [n for n in names if n.endswith(".xml")][: 24 if fast else None]}
    for name in names:
        path = Path(name)
        if path.stem in kept or (path.parent.name == "Main" and not fast):
            target = root / path.relative_to(path.parts[0])
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(archive.read(name))
    return root


def words(root: Path, fast: bool) -> Path:
    """Spoken digits, a folder for each, files called speaker_take.wav."""
    heard = data.fsdd()
    for k, wave in enumerate(heard.waves):
        if not fast or heard.takes[k] < 2:
            speaker, take = heard.names[heard.speakers[k]], heard.takes[k]
            path = root / str(heard.digits[k]) / f"{speaker}_{take}.wav"
            path.parent.mkdir(parents=True, exist_ok=True)
            write_wav(path, wave / 32_768, heard.rate)
    return root


def rows(root: Path, table: data.Table | data.Samples, columns: tuple[str, ...]) -> Path:
    root.mkdir(parents=True, exist_ok=True)
    lines = [",".join([*columns, "class"])]
    pairs = zip(table.x.tolist(), table.y.tolist(), strict=True)
    lines += [",".join([*(f"{v:.8g}" for v in row), table.classes[c]]) for row, c in pairs]
    path = root / "rows.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


def iris(root: Path, fast: bool) -> Path:
    names = ("sepal length", "sepal width", "petal length", "petal width")
    return rows(root, data.iris(), names)


def payments(root: Path, fast: bool) -> Path:
    table = data.creditcard("subset")
    return rows(root, table, table.columns)


def plays(root: Path, fast: bool) -> Path:
    root.mkdir(parents=True, exist_ok=True)
    path = root / "plays.txt"
    path.write_text(data.tiny_shakespeare()[: 60_000 if fast else None])
    return path


SETS = (
    Made("iris", iris, "iris-softmax", ("--target", "class"), own="iris-softmax"),
    Made("payments", payments, "mlp-digits",
         ("--target", "class", "--class-weights", "balanced")),
    Made("spoken digits, by speaker", words, "spoken-digits", ("--group-by-prefix",)),
    Made("spoken digits, by chance", words, "spoken-digits", own="spoken-digits"),
    Made("faces, by person", faces, "lenet-mnist", ("--group-by-prefix", "--batch-size", "16")),
    Made("faces, by chance", faces, "lenet-mnist", ("--batch-size", "16")),
    Made("Shakespeare", plays, "char-lstm", own="char-lstm", fast=("--fast",)),
    Made("CIFAR", cifar, "resnet20-cifar", own="resnet20-cifar", fast=("--epochs", "1")),
    Made("blood cells", cells, "ssd-bccd", own="ssd-bccd", fast=("--epochs", "1")),
)  # fmt: skip

DRAWN = (cifar, faces, cells)  # sets of which `tinydl look` draws a sheet

# -- commands --------------------------------------------------------------------------------------


def tinydl(*given: str | Path) -> None:
    """A command in a process of its own; SystemExit where it fails."""
    line = [sys.executable, "-m", "tinydl", *map(str, given)]
    print("$ tinydl", *map(str, given), flush=True)
    done = subprocess.run(line, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        raise SystemExit(f"tinydl ended with {done.returncode}: {done.stdout[-2_000:]}")
    told = [row for row in done.stdout.splitlines() if row.startswith(("test:", "warning"))]
    print("\n".join(told), flush=True)


def score_of(run: Path) -> tuple[str, float]:
    result = json.loads((run / "result.json").read_text())
    return result["score"], result["test"][result["score"]]


def figure_of(recipe: str) -> str:
    """The recipe's figure, and from where to where its seeds went."""
    row = load_measured().get(recipe)
    if row is None:
        return "-"
    spread = f" ± {row['test_spread']:.4f}" if row.get("test_spread") else ""
    return f"{row['test']:.4f}{spread}, {len(row['seeds'])} seeds"


def measured(made: Made, work: Path, fast: bool) -> list[str]:
    """One row of the table."""
    stem = made.name.replace(", ", "-").replace(" ", "-")
    path, run = made.write(work / stem, fast), work / f"run-{stem}"
    sheet = ("--out", work / f"{stem}.png", "--force") if made.write in DRAWN else ()
    tinydl("look", path, *sheet)
    started = perf_counter()
    more = made.fast if fast else ()
    tinydl("train", made.recipe, "--on", path, *made.words, *more, "--out", run, "--force")
    minutes = (perf_counter() - started) / 60
    tinydl("report", run, "--force")
    score, value = score_of(run)
    beside = figure_of(made.own) if made.own else "-"
    return [made.name, made.recipe, f"{minutes:.1f}", f"{score} {value:.4f}", beside]


def few(work: Path, fast: bool, seeds: int) -> list[list[str]]:
    """Fine-tuned and from first weights: a row for each, with every seed's figure."""
    found: dict[str, list[float]] = {"--from the other five": [], "from first weights": []}
    more = ("--epochs", "3") if fast else ()
    started, source = perf_counter(), work / "run-first"
    for seed in range(seeds):
        first, own = halves(work / "halves", seed, fast)
        if not source.exists():
            tinydl("train", "resnet20-cifar", "--on", first, "--out", source,
                   *(("--epochs", "1") if fast else ()))  # fmt: skip
        runs = [work / f"run-{name}-{seed}" for name in ("tuned", "scratch")]
        tinydl("train", "--from", source, "--on", own, *more, "--seed", str(seed), "--out",
               runs[0], "--force")  # fmt: skip
        tinydl("train", "resnet20-cifar", "--on", own, "--batch-size", "20", "--seed", str(seed),
               "--epochs", "3" if fast else "60", "--out", runs[1], "--force")  # fmt: skip
        for name, run in zip(found, runs, strict=True):
            found[name].append(score_of(run)[1])
    minutes = f"{(perf_counter() - started) / 60:.1f}"
    return [
        [f"few, {name}", "resnet20-cifar", minutes, f"accuracy {np.mean(v):.4f}",
         ", ".join(f"{one:.4f}" for one in v)]
        for name, v in found.items()
    ]  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("sets", metavar="SET", nargs="*", help="by the beginning of its name; few")
    parser.add_argument("--work", metavar="FOLDER", help="kept (default: a temporary one)")
    parser.add_argument("--fast", action="store_true", help="a few samples and epochs")
    parser.add_argument("--seeds", type=int, default=5, help="of few (default 5)")
    args = parser.parse_args()
    work = Path(args.work or tempfile.mkdtemp())
    work.mkdir(parents=True, exist_ok=True)
    chosen = [m for m in SETS if not args.sets or any(m.name.startswith(s) for s in args.sets)]
    table = [measured(made, work, args.fast) for made in chosen]
    if not args.sets or "few" in args.sets:
        table += few(work, args.fast, args.seeds)
    heads = ("set", "recipe", "minutes", "figure", "the recipe's, or each seed's")
    show(Table([Column(head, least=8) for head in heads], table))
    if args.work is None:
        shutil.rmtree(work)
    return 0


if __name__ == "__main__":
    sys.exit(command(main, "own_data"))
