"""`tinydl train --from NAME|RUN --on PATH`: a trained network goes on with other classes."""

from __future__ import annotations

from dataclasses import fields, replace
from hashlib import sha256
from math import isqrt
from typing import Any

import numpy as np

from ..errors import ConfigError, TinydlError
from ..experiment.card import Recipe
from ..own import sounds
from ..own.bind import Bound, bind, kept
from ..own.kept import KINDS, PICTURES, SOUNDS
from ..own.options import Options
from ..programs.fine_tuning import EPOCHS, fine_tuning
from ..programs.scores import ACCURACY
from ..programs.scores import KINDS as SCORED
from ..quoting import shown
from ..zoo.shelf import found
from .folder import MODEL_FILE
from .run import OpenRun, loaded

TUNED = (PICTURES, SOUNDS)
AT_ONCE = 1_000  # samples that are compared at once


def fine_tuned(
    source: str,
    path: str,
    options: Options,
    kind: str,
    recipe_file: str | None = None,
    epochs: int | None = None,
    batch_size: int | None = None,
    lr: float | None = None,
) -> Bound:
    """The recipe of a run, or of a name of `tinydl zoo`, for what lies at the path, with the run's
    weights to begin with, and a line about what it has seen of these data.

    ConfigError for a run that tells no classes of pictures or sounds apart, or does not fit.
    """
    run = OpenRun(found(source), recipe_file)
    base = run.recipe
    if base.program.kind != "supervised" or base.program.score != ACCURACY:
        raise ConfigError(
            f"train: --from takes a network that tells classes apart; {shown(source)} is "
            f"{SCORED.get(base.program.score, base.program.what)} ({base.name})"
        )
    if kind not in TUNED:
        raise ConfigError(f"train: --from is for pictures and sounds; this is {KINDS[kind]}")
    total = EPOCHS if epochs is None else epochs
    frozen = 2 * total // 3
    values = {f.name: getattr(base, f.name) for f in fields(Recipe)}
    shape = _picture(run, base.program)
    trained: Any = base.program
    program = fine_tuning(trained, frozen, shape[2], picture_shape=shape)
    plain = Recipe(**{**values, "program": program, "epochs": total})
    plain = plain.changed(batch_size=batch_size, lr=lr)
    weights = {name: np.asarray(v) for name, v in run.model().state_dict().items()}
    told = {
        "name": shown(source), "sha256": _digest(run), "dataset": run.config["dataset"],
        "frozen": frozen,
    }  # fmt: skip
    bound = bind(plain, path, options, kind, told)
    bound = replace(bound, file=getattr(base, "file", None), start=weights)
    seen = what_it_has_seen(run, bound, source)
    return replace(bound, told=(*bound.told, *seen))


def _picture(run: OpenRun, program: Any) -> tuple[int, int, int]:
    """Height, width and channels of the pictures that the run's network takes; of sounds steps,
    bands and 1."""
    own, shape = run.config.get("own"), tuple(program.picture_shape or program.input_shape)
    if own is not None and own["kind"] == PICTURES:
        rule = own["preparation"]
        return rule["height"], rule["width"], rule["channels"]
    if len(shape) == 1:
        return isqrt(shape[0]), isqrt(shape[0]), 1
    return shape[0], shape[1], shape[2] if len(shape) == 3 else 1


def _digest(run: OpenRun) -> str:
    return sha256((run.folder / MODEL_FILE).read_bytes()).hexdigest()


def what_it_has_seen(run: OpenRun, bound: Bound, source: str) -> list[str]:
    """Sentences about samples that the run was trained or tested on: a figure on them says less."""
    name, dataset = shown(source), run.config["dataset"]
    try:
        parts = _parts_of(run)
    except TinydlError as error:
        return [f"whether {name} has seen these data is not known: {shown(str(error), 160)}"]
    gathered = bound.begun
    if gathered is None:
        raise ConfigError(f"{bound.name}: was not bound just now")
    known = {part: set(_hashes(x)) for part, x in parts.items()}
    own: Any = gathered.x if kept(bound).kind == PICTURES else None
    if own is None:
        own = sounds.inputs(gathered, kept(bound).preparation)
    hashes, told = _hashes(own), []
    for part, verb in (("train", "was trained on"), ("test", "was tested on")):
        places = [k for k, one in enumerate(hashes) if one in known[part]]
        if places:
            told.append(
                f"warning: {name} {verb} {len(places):,} of these {len(hashes):,} samples "
                f"({shown(dataset, 60)}), such as {shown(gathered.names[places[0]], 60)}: a figure "
                "on them says little about new ones"
            )
    return told


def _parts_of(run: OpenRun) -> dict[str, Any]:
    """The samples that the run was trained and tested on; DataError where they are not at hand."""
    recipe, settings = run.recipe, run.settings()
    parts = loaded(recipe, settings)
    return {"train": parts.train[0], "test": parts.test[0]}


def _hashes(x: Any) -> list[bytes]:
    """Of each sample, in steps of 1/255."""
    hashes: list[bytes] = []
    for start in range(0, len(x), AT_ONCE):
        rows = np.asarray(x[start : start + AT_ONCE])
        if rows.dtype.kind == "f":
            rows = np.rint(255 * rows).astype(np.int64).astype(np.uint8)
        hashes += [sha256(row.tobytes()).digest()[:16] for row in rows]
    return hashes
