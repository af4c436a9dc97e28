"""The subcommand `tinydl train`: a recipe into a run folder, or on with a run that stands."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..backend import USUAL
from ..console import INTERRUPTED, Parser, print_json, teller
from ..errors import ConfigError
from ..files import FolderLock, is_empty
from ..quoting import shown
from ..tables import wrapped
from .on import add_on, asked_of, bound, tuned
from .runs import spoken, spoken_beside

if TYPE_CHECKING:
    from ..experiment.program import Training
    from ..recipes import Recipe
    from ..runs.run import Outcome
    from ..train import Ranks

Arguments = argparse.Namespace


def add_train(sub: Parser) -> None:
    """The arguments of `tinydl train` but for --backend and --data."""
    from_recipe = "(default: the recipe's)"
    sub.add_argument("recipe", nargs="?", help="recipe, or recipe/variant (default: mlp-digits)")
    sub.add_argument(
        "--fast", action="store_true",
        help="its form of less than a minute; exit code 1 unless it beats a baseline",
    )  # fmt: skip
    sub.add_argument("--epochs", type=int, help=from_recipe)
    sub.add_argument("--batch-size", type=int, help=from_recipe)
    sub.add_argument("--lr", type=float, help=f"learning rate {from_recipe}")
    sub.add_argument("--seed", type=int, help="of weights, order and dropout (default 0)")
    sub.add_argument("--dtype", choices=("float32", "float64"), help="(default float32)")
    sub.add_argument("--out", metavar="FOLDER", help="run folder (default: runs/<recipe>-<number>)")
    sub.add_argument("--force", action="store_true", help="replace the run that lies in --out")
    sub.add_argument("--resume", metavar="RUN", help="go on with a run, up to --epochs in all")
    sub.add_argument(
        "--data-parallel", action="store_true",
        help="under mpirun: all processes train this one run, each with its part of every batch",
    )  # fmt: skip
    sub.add_argument(
        "--sync-norms", action="store_true",
        help="with --data-parallel: batch norms over the rows of all processes",
    )  # fmt: skip
    sub.add_argument("--quiet", action="store_true", help="no bar, no text")
    add_on(sub)


def train_command(args: Arguments) -> int:
    """Train, draw the curves, test, say what came of it."""
    if args.sync_norms and not args.data_parallel:
        raise ConfigError("train: --sync-norms is for --data-parallel")
    if not args.data_parallel:
        return _train(args, *_session(args))
    from ..train import Ranks

    ranks = Ranks()
    with ranks.together():
        _on_own_device(args, ranks)
        ranks.share_cores()
        if ranks.rank == 0:
            session, lock = _session(args)
            _taking_part(session, args, ranks)
            return _train(args, session, lock)
        session = _resumed_training(args) if args.resume is not None else _begun(args)
        _taking_part(session, args, ranks)
        session.fit()
    return 0


def _on_own_device(args: Arguments, ranks: Ranks) -> None:
    """`--backend opencl` is the device of the rank's number on its machine, round and round."""
    if args.backend == "opencl":
        from ..backend.opencl.device import find_devices

        args.backend = f"opencl:{ranks.local % max(1, len(find_devices()))}"


def _taking_part(session: Training, args: Arguments, ranks: Ranks) -> None:
    program = session.recipe.program
    if program.alone:
        raise ConfigError(
            f"train: --data-parallel cuts batches; {session.recipe.name} is {program.what}: "
            f"{program.alone}; train it in one process"
        )
    session.parallel = ranks
    if args.sync_norms:
        ranks.synchronize(session.model)


def _train(args: Arguments, session: Training, lock: FolderLock) -> int:
    from ..runs.run import train_into

    tell, folder = teller(args), lock.folder
    with lock:
        tell(f"{session.recipe.name}: {session.recipe.title}")
        for line in getattr(session.recipe, "told", ()):
            tell(wrapped(line, indent=" " * 2))
        for line in session.described():
            tell(wrapped(line, indent=" " * 7))
        try:
            outcome = train_into(lock, session, not args.quiet)
        except KeyboardInterrupt:
            print(
                f"tinydl: interrupted; {folder} keeps its last checkpoint, go on with "
                f"`tinydl train --resume {folder}`",
                file=sys.stderr,
            )
            return INTERRUPTED
        _draw(outcome, folder)
    result = _result(folder, outcome)
    tell(f"test: {spoken(outcome.test, outcome.recipe.program)} ({outcome.split})")
    for line in spoken_beside(outcome.recipe.program, outcome.test, outcome.baselines):
        tell(line)
    if session.recipe.companion:
        result["companion"] = _train_companion(session.recipe, outcome, tell)
    tell(f"run folder: {shown(folder)}")
    if args.json:
        print_json(result)
    own = getattr(outcome.recipe, "own", None)  # a card promises nothing about other data
    return _fast_checked(outcome) if outcome.recipe.is_fast and own is None else 0


def _fast_checked(outcome: Outcome) -> int:
    """Exit code 1, and why, where a fast form does not do what its card says."""
    from ..baselines import problem_of_fast

    recipe = outcome.recipe
    problem = problem_of_fast(recipe, outcome.test[recipe.program.score], outcome.baselines)
    if problem:
        print(f"tinydl: train: {problem}", file=sys.stderr)
    return 1 if problem else 0


def _session(args: Arguments) -> tuple[Training, FolderLock]:
    """A fresh session and its new folder, or the resumed one and its own; the folder is held."""
    from ..runs.folder import claim, is_run

    if args.resume is not None:
        return _resumed(args)
    out = None if args.out is None else Path(args.out)
    if not (args.force and out is not None and is_run(out)):
        _refuse_occupied(out)
    session = _begun(args)
    return session, claim(out, session.recipe.name, args.force)


def _begun(args: Arguments) -> Training:
    from ..experiment.card import FAST
    from ..experiment.program import Settings
    from ..recipes import DEFAULT
    from ..runs.outside import recipe_named
    from ..runs.run import begin

    if args.source is not None:
        recipe = tuned(args)
    else:
        recipe = recipe_named(DEFAULT if args.recipe is None else args.recipe)
        recipe = recipe.variant(FAST) if args.fast else recipe
        recipe = bound(recipe.changed(args.epochs, args.batch_size, args.lr), args)
    backend = USUAL if args.backend is None else args.backend
    chosen = Settings(args.seed or 0, backend, args.dtype or "float32")
    return begin(recipe, chosen)


def _resumed(args: Arguments) -> tuple[Training, FolderLock]:
    from ..runs.folder import MODEL_FILE, has, hold
    from ..runs.run import OpenRun

    names = ("recipe", "batch_size", "lr", "seed", "dtype", "out", "backend")
    given = [n.replace("_", "-") for n in names if getattr(args, n) is not None]
    given += ["fast"] * args.fast + ["force"] * args.force + asked_of(args)
    if given:
        raise ConfigError(
            f"train: --resume goes on as the run began, only --epochs may be new (and --on, where "
            f"its data lie now); got "
            f"{', '.join(given)}"
        )
    folder = Path(args.resume)
    OpenRun(folder, args.recipe_file, args.on)  # what is no run folder gets no lock in it
    lock = hold(folder)
    try:
        session = _resumed_training(args)
        done, wanted = session.state.epoch, session.recipe.epochs
        if done > wanted or (done == wanted and has(folder, MODEL_FILE)):
            raise ConfigError(
                f"train: {folder} has done its {done} epochs; ask for more in all with --epochs"
            )
    except BaseException:
        lock.release()
        raise
    return session, lock


def _resumed_training(args: Arguments) -> Training:
    from ..runs.run import resumed

    return resumed(Path(args.resume), args.epochs, args.recipe_file, args.on)


def _refuse_occupied(out: Path | None) -> None:
    """Before the data are loaded: tell at once that nothing will be overwritten."""
    from ..runs.folder import is_run

    if out is not None and os.path.lexists(out) and not (out.is_dir() and is_empty(out)):
        raise ConfigError(
            f"train: {out} exists already and nothing is overwritten; name another folder"
            + (", or replace the run with --force" if is_run(out) else "")
        )


def _draw(outcome: Outcome, folder: Path) -> None:
    from ..viz import plot_curves

    try:
        plot_curves(outcome.history, folder / "curves.png", outcome.recipe.name)
    except ConfigError as error:  # no matplotlib: the run is complete without the picture
        print(f"tinydl: curves.png is not drawn ({error})", file=sys.stderr)


def _result(folder: Path, outcome: Outcome) -> dict[str, Any]:
    return {
        "run": str(folder),
        "recipe": outcome.recipe.name,
        "backend": outcome.settings.backend,
        "seed": outcome.settings.seed,
        "epochs": len(outcome.history),
        "seconds": round(outcome.seconds, 3),
        "split": outcome.split,
        "metrics": outcome.metrics(),
        **outcome.test,
        "baselines": outcome.baselines,
        "beaten": outcome.beaten(),
    }


def _train_companion(
    recipe: Recipe, outcome: Outcome, tell: Callable[[str], None]
) -> dict[str, Any]:
    """The same training on the recipe's other split, in memory."""
    from ..runs.run import train

    variant = recipe.variant(recipe.companion)  # with what was changed of the recipe
    other = train(variant, outcome.settings)
    tell(f"also {variant.name}: {spoken(other.test, variant.program)} ({other.split})")
    tell(f"  {variant.notes[-1]}")
    return {
        "recipe": variant.name,
        "split": other.split,
        "why": variant.notes[-1],
        **other.test,
    }
