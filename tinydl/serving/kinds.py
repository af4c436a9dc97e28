"""Which runs can be asked on a page, and how."""

from __future__ import annotations

from typing import Any

from ..errors import ConfigError
from ..experiment.program import WRITE
from ..own.kept import SOUNDS, TABLE
from ..programs.scores import ACCURACY, KINDS, MAP
from ..programs.texts import PICTURES
from ..runs.imported import BOXES, CLASSES, ImportedRun
from ..runs.run import OpenRun
from .answers import Asked, Boxes, Classes, Run, Spoken
from .texts import Answered, Continued, Judged

HEARD = "spoken_digits"  # data sets of sounds begin so


def asked(run: Run, backend: str | None = None) -> Asked:
    """The run with its model, as the page asks it. ConfigError for one of another kind."""
    if isinstance(run, ImportedRun):
        kind = run.config["answer"]["kind"]
        if kind not in (CLASSES, BOXES):
            raise ConfigError(f"serve: the net of {run.folder} gives {kind}, no classes and boxes")
        return Classes(run, backend) if kind == CLASSES else Boxes(run, backend)
    program: Any = run.recipe.program
    own = run.config.get("own", {}).get("kind")  # of a run on data of one's own
    if own == TABLE:
        raise ConfigError(f"serve: {run.folder} is a run on a table; `tinydl predict` takes rows")
    if program.writes:
        return Continued(run, backend)
    if program.reads:
        return Judged(run, backend)
    # A program that describes pictures is asked by the name of a file: not here.
    if WRITE in program.abilities and program.source != PICTURES:
        return Answered(run, backend)
    kind = KINDS.get(program.score) if program.kind == "supervised" else None
    if kind == KINDS[MAP]:
        return Boxes(run, backend)
    if kind == KINDS[ACCURACY] and (own == SOUNDS or run.recipe.dataset.startswith(HEARD)):
        return Spoken(run, backend)
    if kind == KINDS[ACCURACY]:
        return Classes(run, backend)
    raise ConfigError(_another(run, kind))


def _another(run: OpenRun, kind: str | None) -> str:
    return (
        f"serve: this is a run of {run.recipe.name}, {kind or run.recipe.program.what}; the page "
        "asks classifiers of pictures and of spoken words, detectors, and networks that judge, "
        "continue or answer texts"
    )
