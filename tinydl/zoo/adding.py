"""A finished run becomes an entry of the shelf: `python -m tinydl.zoo RUN`, in a clone.

The weights are stored in float16 where every measure on the test part stays within TOLERANCE of
what float32 gives, else in float32. A name that is taken is replaced.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import asdict
from datetime import date
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

import numpy as np

from ..console import json_able
from ..data import CATALOG
from ..errors import ConfigError
from ..experiment.program import Settings
from ..files import write_atomically
from ..programs.judge import FILE as JUDGE
from ..programs.judge import Judge
from ..random import Generator
from ..recording import no_grad
from ..runs.folder import CONFIG, MODEL_FILE, RESULT, has
from ..runs.run import OpenRun
from ..tensor import Tensor
from ..train import read_tensors
from ..train.tensor_files import write_tensors
from .shelf import CARD, SHELF, Card

TOLERANCE = 0.002  # of each measure, relative to 1 or to the measure where that is larger
PROBED = 8  # numbers of the outputs that a card holds

#: Data sets of recipes that are made of one of the catalogue.
MADE_OF = {
    "bccd_half": "bccd", "edges_to_fashion": "fashion_mnist", "film_words": "imdb",
    "mnist_to_semeion": "mnist", "omniglot_by_character": "omniglot", "pen_pieces": "pendigits",
    "spoken_digits": "fsdd", "spoken_pieces": "fsdd", "spoken_waves": "fsdd",
    "movielens_u1": "movielens_100k", "orl_by_person": "orl_faces", "djia_2001_2017": "stocks",
    "translated_mnist": "mnist",
}  # fmt: skip
#: What may be learned from, but whose weights are not passed on.
KEPT_OUT = ("movielens", "orl_faces", "stocks")
IRIS = ("CC BY 4.0", "R. A. Fisher 1936, UCI Machine Learning Repository (10.24432/C56C76)")
MADE = ("MIT, as tinydl, which draws it", "")


def add(run_folder: str | Path) -> Card:
    """Copy a finished run onto the shelf and write its card.

    Raises ConfigError for a run that is not finished, or whose licence forbids passing it on.
    """
    run = OpenRun(run_folder)
    name = run.config["recipe"].replace("/", "-")
    if run.unfinished or not has(run.folder, RESULT):
        raise ConfigError(f"zoo: {run.folder} is not finished; `tinydl train --resume` ends it")
    licence, source = origin(run.config["dataset"])
    with TemporaryDirectory(dir=SHELF.parent) as made:
        target = Path(made) / name
        target.mkdir()
        for file in (CONFIG, RESULT, *([JUDGE] if has(run.folder, JUDGE) else [])):
            shutil.copyfile(run.folder / file, target / file)
        test, stored, seconds = _store(run, target)
        _share_judge(run, target)
        shutil.rmtree(SHELF / name, ignore_errors=True)
        SHELF.mkdir(exist_ok=True)
        target = target.rename(SHELF / name)
    weights = (target / MODEL_FILE).read_bytes()
    result = json.loads((run.folder / RESULT).read_text())
    card = Card(
        name=name,
        title=run.recipe.title,
        command=f"tinydl train {run.config['recipe']} --seed {run.config['seed']}",
        date=date.today().isoformat(),
        commit=_commit(),
        data=run.config["dataset"],
        licence=licence,
        source=source,
        score=run.recipe.program.score,
        test=test,
        baselines=result["baselines"],
        parameters=run.config["parameters"],
        stored=stored,
        bytes=len(weights),
        sha256=sha256(weights).hexdigest(),
        outputs=outputs(OpenRun(target)),
        seconds=round(seconds, 2),
    )
    told = json.dumps(json_able(asdict(card)), indent=1, ensure_ascii=False)
    write_atomically(target / CARD, told.encode() + b"\n")
    return card


def origin(dataset: str) -> tuple[str, str]:
    """Licence and source of a recipe's data set. ConfigError for what stays out."""
    name = MADE_OF.get(dataset, dataset)
    if name.startswith(KEPT_OUT):
        raise ConfigError(f"zoo: what was learned from {name} is not passed on with the package")
    if name in CATALOG:
        return CATALOG[name].licence, CATALOG[name].source
    return IRIS if name == "iris" else MADE


def _store(run: OpenRun, target: Path) -> tuple[dict[str, float], str, float]:
    """Write the weights, in half the bytes where that changes nothing; the measures with them."""
    tensors, metadata = read_tensors(run.folder / MODEL_FILE, run.most)
    metadata.pop("sha256", None)
    write_tensors(target / MODEL_FILE, tensors, metadata)
    full, seconds = _measured(target)
    with np.errstate(over="ignore"):
        halves = {n: a.astype(np.float16) if a.dtype == np.float32 else a
                  for n, a in tensors.items()}  # fmt: skip
    if all(np.isfinite(a).all() for a in halves.values() if a.dtype.kind == "f"):
        write_tensors(target / MODEL_FILE, halves, metadata)
        half, half_seconds = _measured(target)
        if all(close(half[k], full[k]) for k in full):
            return half, "float16", half_seconds
        write_tensors(target / MODEL_FILE, tensors, metadata)
    return full, "float32", seconds


def _share_judge(run: OpenRun, target: Path) -> None:
    """Entries judged by the same network share its file, which stands beside them."""
    own = target / JUDGE
    if not own.exists():
        return
    program: Any = run.recipe.program
    shared = Judge(program.judge, Settings()).shared(SHELF)
    if not shared.exists():
        shutil.copyfile(own, shared)
    if own.read_bytes() == shared.read_bytes():
        own.unlink()


def _measured(target: Path) -> tuple[dict[str, float], float]:
    """Every measure on the test part with the weights that lie there, and the seconds it took."""
    start = perf_counter()
    _, found = OpenRun(target).measured("test")
    return found, perf_counter() - start


def close(found: float, wanted: float) -> bool:
    """Whether two measures differ by no more than TOLERANCE."""
    return abs(found - wanted) <= TOLERANCE * max(1.0, abs(wanted)) or found != found != wanted


def outputs(run: OpenRun) -> tuple[float, ...]:
    """The first numbers that the model gives for two samples of noise, where its program says the
    shape of its inputs and they are no indices."""
    shape = getattr(run.recipe.program, "input_shape", ())
    if run.recipe.program.kind != "supervised" or not shape:
        return ()
    noise = Generator(0).normal((2, *shape), dtype=run.config["dtype"])
    with no_grad():
        found: Any = run.model().eval()(Tensor(noise))
    if not isinstance(found, Tensor):
        return ()
    return tuple(float(f"{v:.6g}") for v in found.numpy().reshape(-1)[:PROBED])


def _commit() -> str:
    done = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=SHELF, capture_output=True, text=True
    )  # fmt: skip
    return done.stdout.strip()
