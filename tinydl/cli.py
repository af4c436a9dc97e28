"""The command `tinydl`: train recipes, look at runs, reproduce the books, look after data.

Exit codes: 0 done, 1 a check failed (`gradcheck`, `data verify`, `bench`), 2 bad input with one
message on stderr, 130 interrupted. With --json the only thing on stdout is one JSON value; what is
meant for people goes to stderr (`bench --json OUT` writes a file instead).
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ._version import __version__
from .cli_detect import add_detect, detect_command
from .cli_look import add_graph, graph_command, summary_command
from .errors import ConfigError, TinydlError

if TYPE_CHECKING:
    from .recipes import Recipe
    from .recipes.run import OpenRun, Outcome, Session

Arguments = argparse.Namespace


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    args = _parser().parse_args(argv)
    try:
        if getattr(args, "data", None):
            _use_data_folder(args.data)
        return args.run(args)
    except TinydlError as error:
        print(f"tinydl: error: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:  # `tinydl recipes | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        print(f"tinydl: error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("tinydl: interrupted", file=sys.stderr)
        return 130


# -- arguments -------------------------------------------------------------------------------------


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("tinydl", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--version", action="version", version=f"tinydl {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)

    def command(name: str, run: Callable[[Arguments], int], text: str) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=text, description=text)
        sub.set_defaults(run=run)
        if name not in ("gradcheck", "bench", "graph"):
            sub.add_argument("--json", action="store_true", help="one JSON value on stdout")
        return sub

    sub = command("info", _info, "versions, instruction level, threads, OpenCL devices")
    sub.add_argument("--peaks", action="store_true", help="measure GFLOP/s and GB/s too (seconds)")
    sub = command("recipes", _recipes, "the books' experiments, reported and measured")
    sub.add_argument("recipe", nargs="?", help="one recipe, with what its book has wrong")
    _add_train(command("train", _train, "train a recipe into a new run folder"))
    sub = command("evaluate", _evaluate, "loss and accuracy of a run's model")
    sub.add_argument("folder", metavar="RUN", help="run folder")
    sub.add_argument("--part", choices=("test", "validation", "train"), default="test")
    _add_place(sub)
    sub = command("predict", _predict, "class probabilities of images")
    sub.add_argument("folder", metavar="RUN", help="run folder")
    sub.add_argument("images", metavar="IMAGE", nargs="+", help="PNG, JPEG, ...")
    _add_place(sub)
    sub = command("classify", _classify, "the most probable classes of images")
    sub.add_argument("folder", metavar="RUN", help="run folder")
    sub.add_argument("images", metavar="IMAGE", nargs="+", help="PNG, JPEG, ...")
    sub.add_argument("--top", type=int, default=5, help="how many classes (default 5)")
    _add_place(sub)
    sub = command("detect", detect_command, "named, scored boxes drawn on images")
    add_detect(sub)
    _add_place(sub)
    sub = command("summary", summary_command, "layers, shapes, parameters, multiply-adds, memory")
    sub.add_argument("recipe", help="recipe, or recipe/variant")
    add_graph(command("graph", graph_command, "a recipe's model as a drawing"))
    _add_reproduce(
        command("reproduce", _reproduce, "train a recipe and print book beside measured")
    )
    sub = command("data", _data, "where data sets are; fetching and verifying them")
    sub.add_argument("action", choices=("list", "fetch", "verify"))
    sub.add_argument("names", metavar="NAME", nargs="*", help="data sets (verify: default all)")
    sub.add_argument("--online", action="store_true", help="verify: try every mirror too")
    sub = command("gradcheck", _gradcheck, "compare an operation's derivatives with differences")
    sub.add_argument("op", help="operation, such as conv2d")
    sub.add_argument(
        "--order", type=int, default=2, help="highest order of derivatives (default 2)"
    )
    sub.add_argument("--examples", type=int, default=20)
    sub.add_argument("--seed", type=int, default=0)
    sub.add_argument("--backend", default="numpy", help="numpy (default), cpu, opencl, opencl:1")
    _add_bench(command("bench", _bench, "our kernels' speed beside other libraries'"))
    sub = command("profile", _profile, "time, traffic and share of the peak of every operation")
    sub.add_argument("recipe", help="recipe, or recipe/variant")
    sub.add_argument("--batches", type=int, default=5, help="training steps (default 5)")
    sub.add_argument("--by-shape", action="store_true", help="one row per operation and shapes")
    sub.add_argument("--out", metavar="PNG", help="draw the roofline")
    _add_place(sub, "cpu")
    return parser


def _add_bench(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("groups", metavar="GROUP", nargs="*", help="gemm, conv, ... (default: all)")
    sub.add_argument("--against", default="numpy,torch", help="(default numpy,torch)")
    sub.add_argument("--threads", default="1", help="such as 1,2 (default 1)")
    sub.add_argument("--rounds", type=int, help="interleaved rounds (default 7, --quick 3)")
    sub.add_argument("--quick", action="store_true", help="a few cells of each group")
    sub.add_argument("--json", metavar="OUT", help="write the rows into this file")
    sub.add_argument("--out", metavar="FOLDER", help="add rows, tables and pictures to a folder")


def _add_place(sub: argparse.ArgumentParser, default: str | None = None) -> None:
    which = default or "as trained"
    sub.add_argument("--backend", default=default, help=f"numpy, cpu, opencl, opencl:1 ({which})")
    sub.add_argument("--data", metavar="FOLDER", help="where data sets lie (as TINYDL_DATA)")


def _add_train(sub: argparse.ArgumentParser) -> None:
    from_recipe = "(default: the recipe's)"
    sub.add_argument("recipe", nargs="?", help="recipe, or recipe/variant (default: mlp-digits)")
    sub.add_argument("--epochs", type=int, help=from_recipe)
    sub.add_argument("--batch-size", type=int, help=from_recipe)
    sub.add_argument("--lr", type=float, help=f"learning rate {from_recipe}")
    sub.add_argument("--seed", type=int, help="of weights, order and dropout (default 0)")
    sub.add_argument("--dtype", choices=("float32", "float64"), help="(default float32)")
    sub.add_argument("--out", metavar="FOLDER", help="run folder (default: runs/<recipe>-<number>)")
    sub.add_argument("--resume", metavar="RUN", help="go on with a run, up to --epochs in all")
    sub.add_argument("--quiet", action="store_true", help="no bar, no text")
    _add_place(sub)


def _add_reproduce(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("recipe", help="recipe, or recipe/variant")
    sub.add_argument("--table", action="store_true", help="every variant of the recipe")
    sub.add_argument("--seeds", type=int, metavar="K", help="how many (default: the recipe's)")
    sub.add_argument("--seed", type=int, default=0, help="the first (default 0)")
    sub.add_argument("--epochs", type=int, help="(default: the recipe's; others are not recorded)")
    sub.add_argument("--record", action="store_true", help="keep the result as `measured`")
    _add_place(sub, "cpu")


def _use_data_folder(folder: str) -> None:
    if not Path(folder).is_dir():
        raise ConfigError(f"--data: there is no folder {folder}")
    os.environ["TINYDL_DATA"] = folder


def _teller(args: Arguments) -> Callable[[str], None]:
    """Where text for people goes."""
    if getattr(args, "quiet", False):
        return lambda line: None
    stream = sys.stderr if args.json else sys.stdout
    return lambda line: print(line, file=stream, flush=True)


def _print_json(value: Any) -> None:
    print(json.dumps(value, indent=2), flush=True)


# -- training and what comes of it -----------------------------------------------------------------


def _train(args: Arguments) -> int:
    from .recipes.run import claim, train_into

    tell = _teller(args)
    session, folder = _session(args)
    if folder is None:
        folder = claim(Path(args.out) if args.out else None, session.recipe.name)
    for line in _described(session):
        tell(line)
    try:
        outcome = train_into(folder, session, False if args.quiet else None)
    except KeyboardInterrupt:
        print(
            f"tinydl: interrupted; {folder} keeps its last checkpoint, go on with "
            f"`tinydl train --resume {folder}`",
            file=sys.stderr,
        )
        return 130
    _draw(outcome, folder)
    result = _result(folder, outcome)
    tell(f"test: {_spoken(outcome.test)} ({outcome.recipe.split})")
    if session.recipe.companion:
        result["companion"] = _train_companion(session.recipe, outcome, tell)
    tell(f"run folder: {folder}")
    if args.json:
        _print_json(result)
    return 0


def _session(args: Arguments) -> tuple[Session, Path | None]:
    """A fresh session and None, or the resumed one and its folder."""
    from .recipes import DEFAULT, find
    from .recipes.run import Session, Settings, resumed

    if not args.resume:
        recipe = find(args.recipe or DEFAULT).changed(args.epochs, args.batch_size, args.lr)
        chosen = Settings(args.seed or 0, args.backend or "cpu", args.dtype or "float32")
        _refuse_occupied(args.out)
        return Session(recipe, chosen), None
    names = ("recipe", "batch_size", "lr", "seed", "dtype", "out", "backend")
    given = [n.replace("_", "-") for n in names if getattr(args, n) is not None]
    if given:
        raise ConfigError(
            f"train: --resume goes on as the run began, only --epochs may be new; got "
            f"{', '.join(given)}"
        )
    folder = Path(args.resume)
    session = resumed(folder, args.epochs)
    if session.state.epoch >= session.recipe.epochs:
        raise ConfigError(
            f"train: {folder} has done its {session.state.epoch} epochs; ask for more in all with "
            "--epochs"
        )
    return session, folder


def _refuse_occupied(out: str | None) -> None:
    """Before the data are loaded: tell at once that nothing will be overwritten."""
    if out and os.path.lexists(out) and not (os.path.isdir(out) and not os.listdir(out)):
        raise ConfigError(
            f"train: {out} exists already and nothing is overwritten; name another folder"
        )


def _described(session: Session) -> list[str]:
    recipe, settings, parts = session.recipe, session.settings, session.parts
    counts = [f"{len(parts.train[1]):,} train"]
    counts += [f"{len(parts.validation[1]):,} validation"] if parts.validation else []
    lr = session.optimizer.lr
    begun = f", from epoch {session.state.epoch + 1}" if session.state.epoch else ""
    return [
        f"{recipe.name}: {recipe.title}",
        f"data   {recipe.dataset}: {', '.join(counts)}, {len(parts.test[1]):,} test "
        f"({recipe.split})",
        f"model  {recipe.model.__name__}, {session.model.count_parameters():,} parameters, "
        f"{settings.dtype} on {settings.backend}",
        f"train  {recipe.optimizer.__name__} lr {lr:g}, batch {recipe.batch_size}, "
        f"{recipe.epochs} epochs{begun}, "
        f"seed {settings.seed}",
    ]


def _spoken(metrics: dict[str, float]) -> str:
    shares = {name.replace("_", " "): 100 * v for name, v in metrics.items() if name != "loss"}
    spoken = ", ".join(f"{name} {share:.2f} %" for name, share in shares.items())
    return f"loss {metrics['loss']:.4f}, {spoken}"


def _draw(outcome: Outcome, folder: Path) -> None:
    from .viz import plot_curves

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
        "split": str(outcome.recipe.split),
        "metrics": outcome.metrics(),
        **outcome.test,
    }


def _train_companion(
    recipe: Recipe, outcome: Outcome, tell: Callable[[str], None]
) -> dict[str, Any]:
    """The same training on the recipe's other split, in memory."""
    from .recipes import find
    from .recipes.run import train

    # Found by name: the run's own recipe may be changed (epochs, learning rate), the variant
    # follows it.
    variant = find(recipe.name).variant(recipe.companion)
    lr = recipe.optimizer_settings.get("lr")
    other = train(variant.changed(recipe.epochs, recipe.batch_size, lr), outcome.settings)
    tell(f"also {variant.name}: {_spoken(other.test)} ({variant.split})")
    tell(f"  {variant.notes[-1]}")
    return {
        "recipe": variant.name,
        "split": str(variant.split),
        "why": variant.notes[-1],
        **other.test,
    }


def _open(folder: str) -> OpenRun:
    from .recipes.run import OpenRun

    run = OpenRun(folder)
    if run.unfinished:
        print(f"tinydl: {folder} was stopped; this is its last checkpoint", file=sys.stderr)
    return run


def _evaluate(args: Arguments) -> int:
    from .recipes.parts import load_parts
    from .recipes.scores import judge

    run = _open(args.folder)
    model = run.model(args.backend)
    part = getattr(load_parts(run.recipe, run.config["dtype"]), args.part)
    if part is None:
        raise ConfigError(f"evaluate: {run.recipe.name} holds out no validation part")
    metrics = judge(run.recipe, model, part, run.config["classes"])
    what = f"{run.recipe.dataset}, {args.part} part, {len(part[1]):,} samples ({run.recipe.split})"
    _teller(args)(f"{_spoken(metrics)}: {what}")
    if args.json:
        head = {"run": args.folder, "recipe": run.recipe.name, "part": args.part}
        _print_json({**head, "split": str(run.recipe.split), "samples": len(part[1]), **metrics})
    return 0


def _predict(args: Arguments) -> int:
    from .data import read_image

    run = _open(args.folder)
    images = [read_image(path) for path in args.images]  # all, before anything is printed
    probabilities = run.probabilities(images, args.backend)
    classes, found = run.config["classes"], []
    tell = _teller(args)
    for path, p in zip(args.images, probabilities, strict=True):
        best = int(p.argmax())
        tell(f"{path}: {classes[best]} ({100 * p[best]:.2f} %)")
        shares = (f"{name} {100 * q:.2f} %" for name, q in zip(classes, p, strict=True))
        tell("  " + "  ".join(shares))
        by_class = dict(zip(classes, p.tolist(), strict=True))
        found.append({"image": path, "class": classes[best], "probabilities": by_class})
    if args.json:
        _print_json(found)
    return 0


def _classify(args: Arguments) -> int:
    from .data import read_image

    if args.top < 1:
        raise ConfigError(f"classify: --top must be >= 1, got {args.top}")
    run = _open(args.folder)
    images = [read_image(path) for path in args.images]
    classes, tell, found = run.config["classes"], _teller(args), []
    probabilities = run.probabilities(images, args.backend, "classify")
    for path, p in zip(args.images, probabilities, strict=True):
        best = [int(k) for k in (-p).argsort(kind="stable")[: args.top]]
        tell(f"{path}:")
        for k in best:
            tell(f"  {100 * p[k]:6.2f} %  {classes[k]}")
        top = [{"class": classes[k], "probability": float(p[k])} for k in best]
        found.append({"image": path, "top": top})
    if args.json:
        _print_json(found)
    return 0


# -- recipes ---------------------------------------------------------------------------------------


def _recipes(args: Arguments) -> int:
    from .recipes import RECIPES, find
    from .recipes.report import entry, listing, page
    from .recipes.reproduce import load_measured

    measured = load_measured()
    chosen = [find(args.recipe)] if args.recipe else list(RECIPES.values())
    if args.json:
        entries = [entry(recipe, measured) for recipe in chosen]
        _print_json(entries[0] if args.recipe else entries)
    elif args.recipe:
        print(page(chosen[0], measured))
    else:
        print(listing(chosen, measured))
    return 0


def _reproduce(args: Arguments) -> int:
    from .recipes import find
    from .recipes.report import entry, row_of, table_text
    from .recipes.reproduce import record, reproduce, to_run
    from .recipes.run import Settings

    if args.record and args.epochs is not None:
        raise ConfigError(
            "reproduce: --record keeps only the recipe's own epochs, leave --epochs out"
        )
    tell, settings = _teller(args), Settings(args.seed, args.backend)
    results = []
    for recipe in to_run(find(args.recipe), args.table):
        result = reproduce(recipe.changed(epochs=args.epochs), args.seeds, settings, tell)
        results.append(result)
        if args.record:  # at once: a table takes long
            for path in record([result]):
                tell(f"recorded in {path}")
    tell(table_text([row_of(r.recipe, r.measured()) for r in results]))
    for note in dict.fromkeys(note for r in results for note in r.recipe.notes):
        tell(f"note: {note}")
    if args.json:
        _print_json([{**entry(r.recipe, {}), "measured": r.measured()} for r in results])
    return 0


# -- the machine -----------------------------------------------------------------------------------


def _data(args: Arguments) -> int:
    from . import data

    if args.action == "fetch" and not args.names:
        raise ConfigError(f"data fetch: name a data set of {', '.join(data.CATALOG)}")
    if args.action == "list":
        rows = data.list_datasets()
    elif args.action == "fetch":
        rows = [row for name in args.names for row in data.fetch(name)]
    else:
        names = args.names or list(data.CATALOG)
        rows = [row for name in names for row in data.verify(name, online=args.online)]
    if args.json:
        _print_json(rows)
    else:
        for row in rows:
            print(
                f"{row['status']:<8} {row['name']:<14} {row['file']:<28} {row['path']}  "
                f"{row['detail']}"
            )
    return int(args.action == "verify" and any(row["status"] != "ok" for row in rows))


def _gradcheck(args: Arguments) -> int:
    from .testing import GradientError, gradcheck_op

    if args.order < 1 or args.examples < 1:
        raise ConfigError("gradcheck: --order and --examples must be >= 1")
    try:
        print(gradcheck_op(args.op, args.order, args.examples, args.seed, args.backend))
    except GradientError as error:
        print(f"tinydl: {error}", file=sys.stderr)
        return 1
    return 0


def _bench(args: Arguments) -> int:
    from .bench.harness import check_places, means_text, peer_specs, run_benchmarks, select

    try:
        threads = [int(n) for n in args.threads.split(",")]
    except ValueError:
        threads = [0]
    rounds = args.rounds if args.rounds is not None else 3 if args.quick else 7
    if min(threads) < 1 or rounds < 1:
        raise ConfigError("bench: --threads (such as 1,2) and --rounds must be numbers >= 1")
    cases = select(args.groups, args.quick)
    peers = peer_specs([name for name in args.against.split(",") if name])
    check_places(args.json, args.out)
    target = 0.005 if args.quick else 0.02
    rows = run_benchmarks(
        cases, peers, threads, rounds, target, lambda line: print(line, flush=True)
    )
    print(f"\n{means_text(rows)}")
    if args.json:
        Path(args.json).write_text(json.dumps(rows, indent=1) + "\n")
    if args.out:
        from .bench.results import write_results

        print("written:", *write_results(rows, args.out))
    return int(any(row["problems"] for row in rows))


def _profile(args: Arguments) -> int:
    from .bench.profile import profile_recipe, report

    found = profile_recipe(args.recipe, args.batches, args.backend)
    report(found, args.recipe, args.by_shape, args.out, _teller(args))
    if args.json:
        _print_json(found.to_json())
    return 0


def _info(args: Arguments) -> int:
    from .machine import facts, facts_text, measured

    found, peaks = facts(), measured() if args.peaks else []
    if args.json:
        _print_json(found | ({"peaks": [vars(p) for p in peaks]} if peaks else {}))
    else:
        print("\n".join([facts_text(found), *(p.text() for p in peaks)]))
    return 0
