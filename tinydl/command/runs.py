"""The subcommands `tinydl evaluate`, `predict` and `classify`: a run folder, back from disk."""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from ..console import print_json, teller
from ..errors import AnomalyError, ConfigError
from ..quoting import shown
from ..tables import Column, Table
from .importing import evaluate_imported
from .own import foretell_command, takes_files

if TYPE_CHECKING:
    from ..experiment.program import Program
    from ..runs.imported import ImportedRun
    from ..runs.run import OpenRun

Arguments = argparse.Namespace


def spoken(metrics: Mapping[str, float], program: Program) -> str:
    """Losses and scores as people read them."""
    told = []
    for name, value in metrics.items():
        words = name.replace("_", " ")
        share = program.is_share(name)
        told.append(f"{words} {100 * value:.2f} %" if share else f"{words} {value:.4f}")
    return ", ".join(told)


def spoken_beside(
    program: Program, metrics: Mapping[str, float], found: Mapping[str, Mapping[str, float]]
) -> list[str]:
    """A line for each baseline, with the word where the model does not beat it; what follows."""
    from ..baselines import beaten

    better = beaten(program, metrics[program.score], found)
    words = {True: "", False: " (not beaten)"}
    lines = [
        f"beside it {name}: {spoken(values, program)}{words[better.get(name, True)]}"
        for name, values in found.items()
    ]
    conclusion = program.conclusion(metrics, found)
    return [*lines, conclusion] if conclusion else lines


def open_run(args: Arguments) -> OpenRun | ImportedRun:
    """The run of the folder that is named, trained here or imported."""
    from ..runs.imported import opened

    folder = args.folder
    run = opened(folder, args.recipe_file)
    if run.unfinished:
        print(f"tinydl: {folder} was stopped; this is its last checkpoint", file=sys.stderr)
    return run


def evaluate_command(args: Arguments) -> int:
    """Every measure over a part of the run's data, and the baselines beside them."""
    from ..baselines import beaten
    from ..runs.imported import ImportedRun

    run = open_run(args)
    if isinstance(run, ImportedRun):
        return evaluate_imported(args, run)
    if args.dataset is not None:
        raise ConfigError("evaluate: --dataset is for imported nets; this run has data of its own")
    if args.on is not None:
        return _evaluate_elsewhere(args, run)
    training, metrics = run.measured(args.part, args.backend)
    wrong = [name for name, value in metrics.items() if math.isnan(value) and name == "loss"]
    if wrong:
        raise AnomalyError(f"evaluate: the loss over the {args.part} part is no number (NaN)")
    tell, program, found = teller(args), run.recipe.program, run.beside(training, args.part)
    tell(f"{spoken(metrics, program)}: {training.about(args.part)}")
    for line in spoken_beside(program, metrics, found):
        tell(line)
    if args.json:
        head = {"run": args.folder, "recipe": run.recipe.name, "part": args.part}
        samples = training.samples(args.part)
        counted = {} if samples is None else {"samples": samples}
        better = beaten(program, metrics[program.score], found)
        last = {"baselines": found, "beaten": better}
        print_json({**head, "split": training.split(), **counted, **metrics, **last})
    return 0


def _evaluate_elsewhere(args: Arguments, run: OpenRun) -> int:
    """Every measure over all that lies at --on."""
    training, metrics, wrong = run.measured_on(args.on, args.backend)
    tell = teller(args)
    for line in wrong:
        tell(line)
    name, count = shown(args.on), training.samples("test")
    counted = "" if count is None else f", all {count:,} samples"
    tell(f"{spoken(metrics, run.recipe.program)}: {name}{counted}")
    if args.json:
        print_json({"run": args.folder, "recipe": run.recipe.name, "on": args.on,
                    "samples": count, "problems": list(wrong), **metrics})  # fmt: skip
    return 0


def predict_command(args: Arguments) -> int:
    """The probabilities of all classes for every image or text; what is written about it."""
    from ..experiment.program import WRITE
    from ..runs.imported import ImportedRun

    run = open_run(args)
    if args.text and args.images:
        raise ConfigError("predict: takes images or texts, not both")
    if isinstance(run, ImportedRun):
        if args.text:
            raise ConfigError("predict: an imported net takes images, no --text")
        return _classes_of(args, run)
    if takes_files(run) and not args.text:
        return foretell_command(args, run, "predict")
    program = run.recipe.program
    if WRITE in program.abilities:
        return _answer(args, run, args.text or args.images)
    if program.reads != bool(args.text):
        kind = "reads texts; give one with --text" if program.reads else "takes images, no --text"
        raise ConfigError(f"predict: this is a run of {run.recipe.name}, which {kind}")
    if args.text:
        judged = program.read(run.model(args.backend), run.recipe, args.text)
        return _told(args, "text", args.text, judged)
    return _classes_of(args, run)


def _classes_of(args: Arguments, run: OpenRun | ImportedRun) -> int:
    """The probabilities of all classes for every image."""
    from ..data import read_image

    if not args.images:
        raise ConfigError("predict: name at least one image")

    images = [read_image(path) for path in args.images]  # all, before anything is printed
    probabilities, classes = run.probabilities(images, args.backend), run.config["classes"]
    rows = [dict(zip(classes, p.tolist(), strict=True)) for p in probabilities]
    return _told(args, "image", args.images, rows)


def _told(
    args: Arguments, what: str, things: list[str], probabilities: list[dict[str, float]]
) -> int:
    """Of each thing its likeliest class, and all of them."""
    tell, found = teller(args), []
    for thing, by_class in zip(things, probabilities, strict=True):
        best = max(by_class, key=lambda name: by_class[name])
        tell(f"{shown(thing)}: {best} ({100 * by_class[best]:.2f} %)")
        tell(_shares(by_class.items()))
        found.append({what: thing, "class": best, "probabilities": by_class})
    if args.json:
        print_json(found)
    return 0


def _answer(args: Arguments, run: OpenRun, asked: list[str]) -> int:
    """What the run's model writes about every text."""
    if not asked:
        raise ConfigError("predict: name at least one text")
    recipe, model, tell, found = run.recipe, run.model(args.backend), teller(args), []
    for text in asked:
        answer = recipe.program.answer(model, text, recipe)
        tell(f"{shown(text)}: {answer.text}")
        for line in answer.beside:
            tell(f"  {shown(line, 200)}")
        found.append({"text": text, "answer": answer.text, "beside": list(answer.beside)})
    if args.json:
        print_json(found)
    return 0


def _shares(found: Iterable[tuple[str, float]]) -> Table:
    """Classes with their probabilities."""
    columns = (Column(""), Column("", right=True), Column("", least=20))
    return Table(columns, [("", f"{100 * p:.2f} %", name) for name, p in found])


def classify_command(args: Arguments) -> int:
    """The most probable classes of every image."""
    from ..data import read_image

    if args.top < 1:
        raise ConfigError(f"classify: --top must be >= 1, got {args.top}")
    run = open_run(args)
    if takes_files(run):
        return foretell_command(args, run, "classify", args.top)
    images = [read_image(path) for path in args.images]
    probabilities = run.probabilities(images, args.backend, "classify")
    classes, tell, found = run.config["classes"], teller(args), []
    for path, p in zip(args.images, probabilities, strict=True):
        best = [int(k) for k in (-p).argsort(kind="stable")[: args.top]]
        tell(f"{shown(path)}:")
        tell(_shares((classes[k], p[k]) for k in best))
        top = [{"class": classes[k], "probability": float(p[k])} for k in best]
        found.append({"image": path, "top": top})
    if args.json:
        print_json(found)
    return 0
