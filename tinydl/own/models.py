"""For which inputs the models of recipes can be built: one row a model."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from inspect import signature
from math import isqrt, prod
from typing import Any, NamedTuple

from ..errors import ConfigError
from ..experiment.card import Recipe
from ..models import (
    MLP,
    RCNN,
    SVMRCNN,
    CifarCNN,
    DenseNetBC,
    DigitsCNN,
    HierarchicalRNN,
    KeywordCNN,
    LeNet5,
    MobileNetV1,
    ResNetCifar,
    RowRNN,
    SentimentLSTM,
    SmallFasterRCNN,
    SmallSSD,
    SmallVGG,
    SmallYOLO,
    SoftmaxRegression,
)
from ..models.adversarial.stackedgan import Encoder
from ..models.recurrent.text import LanguageModel
from ..programs.supervised import Supervised
from ..recipes import RECIPES
from .kept import BOXES, KINDS, PICTURES, SOUNDS, TABLE, TEXTS, WRITING

Architecture = dict[str, Any]
Built = Callable[[Architecture, tuple[int, ...], int], Architecture]


class Fit(NamedTuple):
    """kinds: of data that a model can be built for. built(architecture, shape of one sample,
    outputs): its architecture for them. square: pictures must be. channels: of its pictures; 0: as
    many as they have. numbers: it can foretell numbers too."""

    kinds: tuple[str, ...]
    built: Built
    square: bool = False
    channels: int = 0
    numbers: bool = False


def _mlp(own: Architecture, shape: tuple[int, ...], outputs: int) -> Architecture:
    return own | {"sizes": (prod(shape), *tuple(own["sizes"])[1:-1], outputs)}


def _softmax(own: Architecture, shape: tuple[int, ...], outputs: int) -> Architecture:
    return own | {"in_features": prod(shape), "classes": outputs}


def _square(own: Architecture, shape: tuple[int, ...], outputs: int) -> Architecture:
    return own | {"image_size": shape[0], "in_channels": shape[2], "classes": outputs}


def _any_size(own: Architecture, shape: tuple[int, ...], outputs: int) -> Architecture:
    return own | {"in_channels": shape[2], "classes": outputs}


def _classes(own: Architecture, shape: tuple[int, ...], outputs: int) -> Architecture:
    return own | {"classes": outputs}


def _rows(own: Architecture, shape: tuple[int, ...], outputs: int) -> Architecture:
    return own | {"input_size": shape[1], "classes": outputs}


def _picture(own: Architecture, shape: tuple[int, ...], outputs: int) -> Architecture:
    return own | {"picture": tuple(shape), "classes": outputs}


def _words(own: Architecture, shape: tuple[int, ...], outputs: int) -> Architecture:
    return own | {"outputs": outputs}


def _tokens(own: Architecture, shape: tuple[int, ...], outputs: int) -> Architecture:
    return own | {"tokens": outputs}


def _boxes(own: Architecture, shape: tuple[int, ...], outputs: int) -> Architecture:
    return own | {"image": tuple(shape[:2]), "classes": outputs}


FITS: dict[type, Fit] = {
    MLP: Fit((TABLE, PICTURES), _mlp, numbers=True),
    SoftmaxRegression: Fit((TABLE, PICTURES), _softmax),
    LeNet5: Fit((PICTURES,), _square, square=True),
    DigitsCNN: Fit((PICTURES,), _square, square=True),
    CifarCNN: Fit((PICTURES,), _square, square=True),
    ResNetCifar: Fit((PICTURES,), _any_size),
    DenseNetBC: Fit((PICTURES,), _any_size),
    MobileNetV1: Fit((PICTURES,), _any_size),
    SmallVGG: Fit((PICTURES,), _classes, channels=3),
    RowRNN: Fit((PICTURES,), _rows, channels=1),
    HierarchicalRNN: Fit((PICTURES,), _classes, channels=1),
    Encoder: Fit((PICTURES,), _picture),
    KeywordCNN: Fit((SOUNDS,), _classes),
    SentimentLSTM: Fit((TEXTS,), _words),
    SmallSSD: Fit((BOXES,), _boxes, channels=3),
    SmallYOLO: Fit((BOXES,), _boxes, channels=3),
    SmallFasterRCNN: Fit((BOXES,), _boxes, channels=3),
    RCNN: Fit((BOXES,), _classes, channels=3),
    SVMRCNN: Fit((BOXES,), _classes, channels=3),
}
TOLD = 12  # recipes that a refusal names
LEAST_SIDE = 8  # pixels


def fit_of(recipe: Recipe) -> Fit | None:
    """The row of a recipe's model; None for a program or a model that has none."""
    program, model = recipe.program, recipe.program.model
    if program.kind in ("language", "windows") and issubclass(model, LanguageModel):
        return Fit((WRITING,), _tokens)
    fit = FITS.get(model) if program.kind in ("supervised", "sequences", "reading") else None
    return fit if fit is not None and _takes(recipe, fit) else None


def _takes(recipe: Recipe, fit: Fit) -> bool:
    """Whether the kind of its program and of its model go together."""
    texts = isinstance(recipe.program, Supervised) and recipe.program.kind != "supervised"
    return (fit.kinds == (TEXTS,)) == texts


def kinds_of(recipe: Recipe) -> tuple[str, ...]:
    """The kinds of data that the recipe can be trained on."""
    fit = fit_of(recipe)
    if fit is None:
        return ()
    program: Any = recipe.program
    shape = tuple(getattr(program, "picture_shape", ()) or program.input_shape)
    if PICTURES in fit.kinds and _side(shape) < LEAST_SIDE:
        return tuple(kind for kind in fit.kinds if kind != PICTURES)
    return fit.kinds


def _side(shape: tuple[int, ...]) -> int:
    """Of the recipe's pictures, 0 where its samples are none."""
    if len(shape) == 1:
        side = isqrt(shape[0])
        return side if side * side == shape[0] else 0
    return min(shape[:2])


def picture_sides(recipe: Recipe, size: tuple[int, ...]) -> tuple[int, int]:
    """Height and width of the recipe's pictures, or those that are asked for; ConfigError where the
    model needs squares."""
    program: Any = recipe.program
    shape = tuple(program.picture_shape or program.input_shape)
    own = (_side(shape),) * 2 if len(shape) == 1 else shape[:2]
    sides = (size * 2)[:2] if size else own
    fit = fit_of(recipe)
    if fit is not None and fit.square and sides[0] != sides[1]:
        raise ConfigError(f"train: {recipe.name} takes squares, --size says {sides[0]},{sides[1]}")
    return sides[0], sides[1]


def recipes_for(kind: str) -> list[str]:
    """The recipes that take data of that kind, in the order of the listing."""
    return [name for name, recipe in RECIPES.items() if kind in kinds_of(recipe)]


def check_fits(recipe: Recipe, kind: str, where: str, numbers: bool = False) -> Fit:
    """The row of the recipe's model; ConfigError, a sentence with the recipes that fit, where it
    cannot be built for these data."""
    fit = fit_of(recipe)
    if fit is not None and kind in kinds_of(recipe) and (fit.numbers or not numbers):
        return fit
    named = recipes_for(kind)
    if numbers:
        named = [n for n in named if (row := fit_of(RECIPES[n])) is not None and row.numbers]
    taken = " or ".join(KINDS[k] for k in kinds_of(recipe))
    takes = f"takes {taken}" if taken else "takes no data but its own"
    if numbers and fit is not None and kind in fit.kinds:
        takes = "tells classes apart, and the target is a number"
    more = f" and {len(named) - TOLD} more" if len(named) > TOLD else ""
    raise ConfigError(
        f"train: {recipe.name} {takes}; {where} is {KINDS[kind]}, for which there are "
        f"{', '.join(named[:TOLD])}{more}"
    )


def scaled_boxes(architecture: Mapping[str, Any], model: type, own: tuple[int, ...],
                 sides: tuple[int, ...]) -> Architecture:  # fmt: skip
    """The default boxes of a detector for another size of picture: as large a part of it."""
    made = dict(architecture)
    factor = min(new / old for new, old in zip(sides, own, strict=True))
    if factor != 1 and model in (SmallSSD, SmallFasterRCNN):
        usual = signature(model).parameters["sizes"].default
        sizes = made.get("sizes", usual)
        made["sizes"] = tuple(factor * size for size in sizes)
    return made
