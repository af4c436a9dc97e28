"""The subcommands `tinydl summary` and `tinydl graph`: looking at a recipe's model."""

from __future__ import annotations

import argparse
import sys
from dataclasses import asdict
from pathlib import Path

from ..console import Parser, print_json
from ..errors import ConfigError
from ..nn import Module
from ..quoting import shown
from ..tables import Page, show


def add_graph(sub: Parser) -> None:
    """The arguments of `tinydl graph`."""
    sub.add_argument("recipe", help="recipe, recipe/variant, or a run folder")
    sub.add_argument(
        "--out", metavar="FILE", help=".dot, or .svg, .png, .pdf by Graphviz (default: DOT text)"
    )
    sub.add_argument("--autodiff", action="store_true", help="the recorded operations instead")


def summary_command(args: argparse.Namespace) -> int:
    """Print the table of the recipe's model, or of the net of a folder."""
    from ..interop.imported import Imported
    from ..interop.tracing import rows_of, table_of
    from ..nn import summary

    title, model, shape = _model("summary", args.recipe)
    if isinstance(model, Imported):
        layers = rows_of(model, shape)
        page = table_of(layers)
        totals = {k: sum(r[k] for r in layers) for k in ("parameters", "multiply_adds")}
    else:
        table = summary(model, shape)
        page, totals = Page(table.parts()), asdict(table)
        layers = totals.pop("rows")
    if args.json:
        print_json({"recipe": args.recipe, "layers": layers, **totals})
    else:
        show(Page([title, *page.parts]))
    return 0


def graph_command(args: argparse.Namespace) -> int:
    """Print or write the graph of the recipe's model, or of one sample's recorded operations."""
    from ..interop.imported import Imported
    from ..viz.graph import autodiff_graph, imported_graph, model_graph, write_graph

    _, model, shape = _model("graph", args.recipe)
    if args.autodiff:
        from ..nn.watch import one_sample

        dot = autodiff_graph(model(one_sample("graph", model, shape)), model)
    elif isinstance(model, Imported):
        dot = imported_graph(model, shape)
    else:
        dot = model_graph(model, shape)
    if args.out is None:
        print(dot, end="")
    else:
        write_graph(dot, args.out)
        print(f"wrote {args.out}", file=sys.stderr)
    return 0


def _model(op: str, name: str) -> tuple[str, Module, tuple[int, ...]]:
    """A title, the recipe's untrained model or that of a run folder, on the reference backend, and
    the sizes of one sample."""
    from ..backend import use_backend
    from ..recipes import find

    if Path(name).is_dir():
        return _of_folder(op, name)
    recipe = find(name)
    if not recipe.program.input_shape:
        what = recipe.program.what
        raise ConfigError(f"{op}: {name} is {what}: there are no layers that take one array")
    with use_backend("numpy"):
        model: Module = recipe.program.build()
    return f"{recipe.name}: {recipe.title}", model, recipe.program.input_shape


def _of_folder(op: str, name: str) -> tuple[str, Module, tuple[int, ...]]:
    from ..runs.imported import ImportedRun, opened
    from .importing import example_of

    run = opened(name)
    if isinstance(run, ImportedRun):
        model, shape = example_of(op, run)
        return f"{shown(name)}: {run.name}", model, shape
    shape = run.recipe.program.input_shape
    if not shape:
        raise ConfigError(f"{op}: {name} is a run of {run.recipe.name}, which takes no one array")
    return f"{shown(name)}: {run.recipe.title}", run.model("numpy"), shape
