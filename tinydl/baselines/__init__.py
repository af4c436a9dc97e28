"""Layer 10: what a figure stands beside, computed by the recipe on the same data.

A baseline is a function (training, part) -> {measure: value}: it takes the data of a training that
has begun (never its model) and says what a method of one line reaches on a part of them, by the
measures of the program. A card names its own, the simplest first: `Recipe(..., baselines=(
nearest_mean, logistic_regression))`. Whatever is random comes from a generator of the function's
own, so that the numbers depend on the data alone. One with settings is a frozen dataclass with
`__call__` and `__str__`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .agents import (
    nothing_done,
    perfect_player,
    push_below_the_pole,
    push_with_the_motion,
    random_actions,
    random_search,
    value_iteration_policy,
)
from .attacked import PlainTraining
from .branches import leaves_by_heart, most_frequent_label
from .doubts import one_logistic_regression, one_mean_a_class, one_settled_network
from .estimates import mean_target, ridge_regression
from .examples import mean_of_pixels, nearest_pixels, nearest_so_far
from .features import pixels_alone, random_features
from .films import biases, mean_of_the_film, mean_stars
from .generated import (
    any_of_the_kind,
    components_as_code,
    gaussian_of_each_class,
    independent_bits,
    k_means,
    mean_of_each_class,
    mixed_pixels,
    noise_pictures,
    uncut,
    untrained_encoder,
    untranslated,
)
from .labels import logistic_regression, majority_class, nearest_mean
from .pictures import majority_of_pixels, mean_box, nearest_mean_colour
from .points import one_gaussian, one_mode
from .regions import even_regions
from .restored import (
    grey_alone,
    mean_chroma,
    mean_picture,
    principal_components,
    ridge_filter,
)
from .reviews import tf_idf_regression
from .rows import Components, row_norm
from .sentences import most_frequent_target, nearest_picture, nearest_source, word_for_word
from .sequences import (
    bag_of_words,
    last_value,
    most_frequent_letter,
    most_frequent_tag,
    steps_alone,
)
from .series import mean_return, persistence
from .shared import clusters_of_pixels, gaussian_formula, nothing_shared, one_cluster
from .sounds import (
    four_parts_of_the_word,
    level_and_slope_before,
    levels_alone,
    nearest_piece,
    one_level_before,
    straight_lines_by_piece,
)
from .stories import last_place, one_frame
from .tasks import Tuned, from_scratch, one_for_all, zero_everywhere
from .text import WittenBell, xz
from .visible import independent_pixels
from .words import same_letters, same_texts
from .worlds import even_chance, table_of_zeros

#: {name: {measure: value}}
Found = dict[str, dict[str, float]]


def name_of(baseline: Any) -> str:
    """As people read it: "nearest mean" of the function `nearest_mean`."""
    return getattr(baseline, "__name__", str(baseline)).replace("_", " ")


def beside(training: Any, part: str = "test") -> Found:
    """{name: {measure: value}} of the baselines of the training's card, on a part of its data."""
    return {
        name_of(baseline): {k: float(v) for k, v in baseline(training, part).items()}
        for baseline in training.recipe.baselines
    }


def beaten(program: Any, score: float, found: Mapping[str, Mapping[str, float]]) -> dict[str, bool]:
    """{name: whether `score`, a value of the program's score, is better} of the baselines that have
    that measure; equal is not better, and neither is NaN."""
    own = {name: values[program.score] for name, values in found.items() if program.score in values}
    if program.lower_is_better:
        return {name: score < value for name, value in own.items()}
    return {name: score > value for name, value in own.items()}


def problem_of_fast(recipe: Any, score: float, found: Mapping[str, Mapping[str, float]]) -> str:
    """What is wrong with the figure of a recipe's fast form; "" if nothing is. It must beat the
    first baseline but those of `not_beaten`; if all are among them, it must lose to one of them, as
    the card says."""
    better, losing = beaten(recipe.program, score, found), set(map(name_of, recipe.not_beaten))
    winning = [name for name in better if name not in losing]
    if not better:
        return f"{recipe.name}: its card names no baseline with the measure {recipe.program.score}"
    if winning:
        return "" if better[winning[0]] else f"{recipe.name} does not beat {winning[0]}"
    return f"{recipe.name} beats {', '.join(better)}: its card says no" * all(better.values())


__all__ = [
    "Components",
    "Found",
    "PlainTraining",
    "Tuned",
    "WittenBell",
    "any_of_the_kind",
    "bag_of_words",
    "beaten",
    "beside",
    "biases",
    "clusters_of_pixels",
    "components_as_code",
    "even_chance",
    "even_regions",
    "four_parts_of_the_word",
    "from_scratch",
    "gaussian_formula",
    "gaussian_of_each_class",
    "grey_alone",
    "independent_bits",
    "independent_pixels",
    "k_means",
    "last_place",
    "last_value",
    "leaves_by_heart",
    "level_and_slope_before",
    "levels_alone",
    "logistic_regression",
    "majority_class",
    "majority_of_pixels",
    "mean_box",
    "mean_chroma",
    "mean_of_each_class",
    "mean_of_pixels",
    "mean_of_the_film",
    "mean_picture",
    "mean_return",
    "mean_stars",
    "mean_target",
    "mixed_pixels",
    "most_frequent_label",
    "most_frequent_letter",
    "most_frequent_tag",
    "most_frequent_target",
    "name_of",
    "nearest_mean",
    "nearest_mean_colour",
    "nearest_picture",
    "nearest_piece",
    "nearest_pixels",
    "nearest_so_far",
    "nearest_source",
    "noise_pictures",
    "nothing_done",
    "nothing_shared",
    "one_cluster",
    "one_for_all",
    "one_frame",
    "one_gaussian",
    "one_level_before",
    "one_logistic_regression",
    "one_mean_a_class",
    "one_mode",
    "one_settled_network",
    "perfect_player",
    "persistence",
    "pixels_alone",
    "principal_components",
    "problem_of_fast",
    "push_below_the_pole",
    "push_with_the_motion",
    "random_actions",
    "random_features",
    "random_search",
    "ridge_filter",
    "ridge_regression",
    "row_norm",
    "same_letters",
    "same_texts",
    "steps_alone",
    "straight_lines_by_piece",
    "table_of_zeros",
    "tf_idf_regression",
    "uncut",
    "untrained_encoder",
    "untranslated",
    "value_iteration_policy",
    "word_for_word",
    "xz",
    "zero_everywhere",
]
