"""The program of a recipe for other data: everything follows from the recipe and what is kept."""

from __future__ import annotations

from dataclasses import fields, replace
from math import prod
from typing import Any

from ..baselines import (
    bag_of_words,
    logistic_regression,
    majority_class,
    mean_target,
    nearest_mean,
    ridge_regression,
    tf_idf_regression,
)
from ..experiment.card import Baseline, Recipe
from ..models import RCNN
from ..nn import bce_with_logits, cross_entropy, mse
from ..programs.fine_tuning import FineTuning, fine_tuning
from ..programs.parts import Split
from ..programs.reading import Reading
from ..programs.scores import R2
from ..programs.supervised import Supervised
from ..train.metrics import accuracy, sign_accuracy
from . import pictures, table
from .kept import BOXES, PICTURES, SOUNDS, TABLE, TEXTS, WRITING, Own
from .losses import WeightedCrossEntropy, WeightedLogits
from .models import FITS, check_fits, scaled_boxes


def program_for(recipe: Recipe, own: Own) -> Any:
    """The recipe's program with architecture, input and loss for the data; ConfigError where its
    model cannot be built for them."""
    fit = check_fits(recipe, own.kind, own.name, numbers=own.kind == TABLE and not own.classes)
    program: Any = recipe.program
    if own.source is not None and not isinstance(program, FineTuning):
        channels = int(own.preparation.get("channels", 1))
        program = fine_tuning(program, int(own.source["frozen"]), channels)
    if own.kind == WRITING:
        sizes = fit.built(dict(program.architecture), (), int(own.preparation["tokens"]))
        return replace(program, architecture=sizes)
    shape = shape_for(recipe, own)
    if own.kind == TEXTS:
        return _reading(program, own, shape)
    outputs = len(own.classes) or 1
    architecture = dict(program.architecture)
    if own.kind == BOXES:
        old = tuple(program.picture_shape or program.input_shape)[:2]
        architecture = scaled_boxes(architecture, program.model, old, _sides(own))
    changes: dict[str, Any] = {
        "architecture": fit.built(architecture, _model_shape(own, shape), outputs),
        "input_shape": shape,
        "picture_shape": (),
        "scale": 1.0,
        "split": Split(),
    }
    if own.kind == BOXES:
        whole = (*_sides(own), 3)
        cut = issubclass(program.model, RCNN)
        changes |= {"input_shape": program.input_shape if cut else whole}
        changes |= {"picture_shape": whole if cut else ()}
    elif own.classes:
        changes["loss"] = WeightedCrossEntropy(own.weights) if own.weights else cross_entropy
        changes["metric"] = accuracy
    else:
        changes |= {"loss": mse, "score": R2, "unit": table.unit_of(own)}
    return replace(program, **changes)


def _sides(own: Own) -> tuple[int, int]:
    return own.preparation["height"], own.preparation["width"]


def _model_shape(own: Own, shape: tuple[int, ...]) -> tuple[int, ...]:
    """What the architecture is asked by: of pictures always height, width, channels."""
    if own.kind == PICTURES:
        return (*_sides(own), own.preparation["channels"])
    return (*_sides(own), 3) if own.kind == BOXES else shape


def shape_for(recipe: Recipe, own: Own) -> tuple[int, ...]:
    """One sample as the recipe's model takes it."""
    rules = own.preparation
    if own.kind == TABLE:
        return table.shape(rules)
    if own.kind == TEXTS:
        return (int(rules["length"]),)
    if own.kind == SOUNDS:
        return (rules["steps"], rules["bands"], 1)
    picture = (rules["height"], rules["width"], rules.get("channels", 3))
    axes = len(recipe.program.input_shape)
    if axes == 1:
        return (prod(picture),)
    return picture[:2] if axes == 2 else picture


def _reading(program: Supervised, own: Own, shape: tuple[int, ...]) -> Reading:
    """A network that judges texts, of the settings of one that reads sequences."""
    many, words = len(own.classes) > 2, int(own.preparation["words"])
    sizes = FITS[program.model].built(dict(program.architecture), shape, len(own.classes))
    sizes = sizes | {"words": words, "outputs": len(own.classes) if many else 1}
    loss: Any = cross_entropy if many else bce_with_logits
    if own.weights:
        loss = WeightedCrossEntropy(own.weights) if many else WeightedLogits(own.weights[:2])  # type: ignore[arg-type]
    settings = {f.name: getattr(program, f.name) for f in fields(Supervised)}
    changes = {
        "architecture": sizes, "input_shape": shape, "loss": loss, "words": words,
        "metric": accuracy if many else sign_accuracy, "split": Split(),
    }  # fmt: skip
    return Reading(**{**settings, **changes})


def baselines_for(recipe: Recipe, own: Own) -> tuple[Baseline, ...]:
    """What the figures stand beside: the simplest first, then the recipe's where they fit."""
    if own.kind in (WRITING, BOXES):
        kept = recipe.baselines if own.kind == WRITING else recipe.baselines[:1]
        return tuple(kept)
    if not own.classes:
        return (mean_target, ridge_regression)
    if own.kind == TABLE:
        return (majority_class, nearest_mean, logistic_regression)
    if own.kind == TEXTS:
        return (majority_class, tf_idf_regression if len(own.classes) == 2 else bag_of_words)
    if own.kind == PICTURES and pictures.are_large(own.samples, own.preparation):
        return (majority_class,)  # the others hold all of them in memory
    return (majority_class, *(b for b in recipe.baselines if b is not majority_class))
