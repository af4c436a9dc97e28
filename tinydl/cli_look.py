"""The subcommands `tinydl summary` and `tinydl graph`: looking at a recipe's model."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict

from .nn import Module


def add_graph(sub: argparse.ArgumentParser) -> None:
    """The arguments of `tinydl graph`."""
    sub.add_argument("recipe", help="recipe, or recipe/variant")
    sub.add_argument(
        "--out", metavar="FILE", help=".dot, or .svg, .png, .pdf by Graphviz (default: DOT text)"
    )
    sub.add_argument("--autodiff", action="store_true", help="the recorded operations instead")


def summary_command(args: argparse.Namespace) -> int:
    """Print the table of the recipe's model."""
    from .nn import summary

    recipe, model = _model(args.recipe)
    table = summary(model, recipe.input_shape)
    if args.json:
        totals = asdict(table)
        layers = totals.pop("rows")
        print(json.dumps({"recipe": recipe.name, "layers": layers, **totals}, indent=2))
    else:
        print(f"{recipe.name}: {recipe.title}\n{table}")
    return 0


def graph_command(args: argparse.Namespace) -> int:
    """Print or write the graph of the recipe's model, or of one sample's recorded operations."""
    from .viz.graph import autodiff_graph, model_graph, write_graph

    recipe, model = _model(args.recipe)
    if args.autodiff:
        from .nn.watch import one_sample

        dot = autodiff_graph(model(one_sample("graph", model, recipe.input_shape)), model)
    else:
        dot = model_graph(model, recipe.input_shape)
    if args.out is None:
        print(dot, end="")
    else:
        write_graph(dot, args.out)
        print(f"wrote {args.out}", file=sys.stderr)
    return 0


def _model(name: str) -> tuple:
    """The recipe and its untrained model, on the reference backend."""
    from .backend import use_backend
    from .recipes import find

    recipe = find(name)
    with use_backend("numpy"):
        model: Module = recipe.model(**recipe.architecture)
    return recipe, model
