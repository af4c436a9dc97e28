"""The subcommands `tinydl summary` and `tinydl graph`: looking at a recipe's model."""

from __future__ import annotations

import argparse
import sys
from dataclasses import asdict

from ..console import Parser, print_json
from ..errors import ConfigError
from ..nn import Module
from ..tables import Page, show


def add_graph(sub: Parser) -> None:
    """The arguments of `tinydl graph`."""
    sub.add_argument("recipe", help="recipe, or recipe/variant")
    sub.add_argument(
        "--out", metavar="FILE", help=".dot, or .svg, .png, .pdf by Graphviz (default: DOT text)"
    )
    sub.add_argument("--autodiff", action="store_true", help="the recorded operations instead")


def summary_command(args: argparse.Namespace) -> int:
    """Print the table of the recipe's model."""
    from ..nn import summary

    recipe, model = _model("summary", args.recipe)
    table = summary(model, recipe.program.input_shape)
    if args.json:
        totals = asdict(table)
        layers = totals.pop("rows")
        print_json({"recipe": recipe.name, "layers": layers, **totals})
    else:
        show(Page([f"{recipe.name}: {recipe.title}", *table.parts()]))
    return 0


def graph_command(args: argparse.Namespace) -> int:
    """Print or write the graph of the recipe's model, or of one sample's recorded operations."""
    from ..viz.graph import autodiff_graph, model_graph, write_graph

    recipe, model = _model("graph", args.recipe)
    if args.autodiff:
        from ..nn.watch import one_sample

        dot = autodiff_graph(model(one_sample("graph", model, recipe.program.input_shape)), model)
    else:
        dot = model_graph(model, recipe.program.input_shape)
    if args.out is None:
        print(dot, end="")
    else:
        write_graph(dot, args.out)
        print(f"wrote {args.out}", file=sys.stderr)
    return 0


def _model(op: str, name: str) -> tuple:
    """The recipe and its untrained model, on the reference backend."""
    from ..backend import use_backend
    from ..recipes import find

    recipe = find(name)
    if not recipe.program.input_shape:
        what = recipe.program.what
        raise ConfigError(f"{op}: {name} is {what}: there are no layers that take one array")
    with use_backend("numpy"):
        model: Module = recipe.program.build()
    return recipe, model
