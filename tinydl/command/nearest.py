"""The subcommand `tinydl nearest`: words near a word, or that answer an analogy."""

from __future__ import annotations

import argparse

from ..console import Parser, print_json, teller
from ..errors import ConfigError
from .draw import able

Arguments = argparse.Namespace


def add_nearest(sub: Parser) -> None:
    """The arguments of `tinydl nearest` but for --backend."""
    sub.add_argument("folder", metavar="RUN", help="run folder")
    sub.add_argument("words", metavar="WORD", nargs="+", help="one, or three: A is to B as C to ?")
    sub.add_argument("--count", type=int, default=10, help="how many (default 10)")


def nearest_command(args: Arguments) -> int:
    """Words with their cosines, the nearest first."""
    if len(args.words) not in (1, 3):
        raise ConfigError(f"nearest: give one word or three, A is to B as C to ?, "
                          f"got {len(args.words)}")  # fmt: skip
    if args.count < 1:
        raise ConfigError(f"nearest: --count must be >= 1, got {args.count}")
    run = able("nearest", args)
    words = [word.lower() for word in args.words]
    found = run.recipe.program.near(run.model(args.backend), words, args.count, run.recipe)
    tell = teller(args)
    tell(f"near {words[0]}" if len(words) == 1 else "{} is to {} as {} to".format(*words))
    for word, cosine in found:
        tell(f"  {cosine:5.2f}  {word}")
    if args.json:
        near = [{"word": word, "cosine": cosine} for word, cosine in found]
        print_json({"run": args.folder, "words": words, "nearest": near})
    return 0
