"""`tinydl train RECIPE --on PATH`: its arguments, and the recipe that they make."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from ..console import Parser, filled
from ..errors import ConfigError

if TYPE_CHECKING:
    from ..own.options import Options
    from ..recipes import Recipe

Arguments = argparse.Namespace
#: What says something about other data, by its name among the arguments, and its default.
ASKED = {
    "source": None, "target": None, "target_kind": None, "size": None, "fit": None,
    "test": None, "group": None, "group_by_prefix": False, "class_weights": None, "strict": False,
    "follow_links": False,
}  # fmt: skip


def add_on(sub: Parser) -> None:
    """The arguments about data of one's own."""
    own = sub.add_argument_group("on your own data")
    words: dict[str, Any] = {"type": filled}  # a group does not say so itself, as `Parser` does
    own.add_argument(
        "--on", metavar="PATH", **words,
        help="train on what lies there: pictures, texts or WAV in class folders, a CSV file, boxes "
        "(VOC, COCO), a text; with --resume: where the data lie now",
    )  # fmt: skip
    own.add_argument(
        "--from", dest="source", metavar="RUN", **words,
        help="fine-tune the network of a run, or of a name of `tinydl zoo`: a new head, at first "
        "alone; it takes the place of the recipe",
    )  # fmt: skip
    own.add_argument("--target", metavar="COLUMN", **words, help="of a CSV file: what is foretold")
    own.add_argument(
        "--target-kind",
        **words,
        choices=("classes", "numbers"),
        help="of --target (default: as it looks)",
    )
    own.add_argument("--size", metavar="H,W", **words, help="of the input (default: the recipe's)")
    own.add_argument(
        "--fit",
        **words,
        choices=("crop", "stretch", "pad"),
        help="pictures to that size (default crop)",
    )
    _add_division(own, words)


def _add_division(own: Any, words: dict[str, Any]) -> None:
    """Who stands on which side, and what is left out."""
    own.add_argument("--test", type=float, metavar="SHARE", help="that is tested on (default 0.2)")
    own.add_argument(
        "--group",
        metavar="COLUMN",
        **words,
        help="rows with equal values stay on one side, as a person's",
    )
    own.add_argument(
        "--group-by-prefix", action="store_true",
        help='files whose names begin alike, up to the first "_" or "-", stay on one side',
    )  # fmt: skip
    own.add_argument(
        "--class-weights",
        **words,
        choices=("balanced",),
        help="rare classes weigh as much as others",
    )
    own.add_argument("--strict", action="store_true", help="any problem of the data ends it")
    own.add_argument(
        "--follow-links", action="store_true", help="also links that lead out of the folder"
    )


def asked_of(args: Arguments) -> list[str]:
    """The arguments about other data that were given, as they are typed, but for --on."""
    given = [n.replace("_", "-") for n, usual in ASKED.items() if getattr(args, n) != usual]
    return ["from" if name == "source" else name for name in given]


def options_of(args: Arguments) -> Options:
    """The arguments as `own.options` has them."""
    from ..own.options import CROP, SHARE, Options, sizes_of

    return Options(
        target=args.target or "",
        target_kind=args.target_kind or "",
        size=() if args.size is None else sizes_of(args.size),
        fit=args.fit or CROP,
        test=SHARE if args.test is None else args.test,
        group=args.group or "",
        by_prefix=args.group_by_prefix,
        class_weights=args.class_weights or "",
        strict=args.strict,
        follow_links=args.follow_links,
    )


def tuned(args: Arguments) -> Recipe:
    """The recipe of the run of --from with its weights, for what lies at --on."""
    from ..own.look import kind_at
    from ..runs.fine_tune import fine_tuned

    if args.on is None:
        raise ConfigError("train: --from is for data of your own; name them by --on")
    if args.recipe is not None or args.fast:
        raise ConfigError("train: --from takes the place of a recipe, and has no --fast form")
    return fine_tuned(
        args.source, args.on, options_of(args), kind_at(args.on, args.follow_links),
        args.recipe_file, args.epochs, args.batch_size, args.lr,
    )  # fmt: skip


def bound(recipe: Recipe, args: Arguments) -> Recipe:
    """The recipe for what lies at --on; without it, as it is. ConfigError for arguments that say
    something about data that are not named."""
    given = asked_of(args)
    if args.on is None:
        if given:
            raise ConfigError(f"train: --{given[0]} is about data of your own; name them by --on")
        return recipe
    from ..own.bind import bind
    from ..own.look import kind_at

    return bind(recipe, args.on, options_of(args), kind_at(args.on, args.follow_links))
