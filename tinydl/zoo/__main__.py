"""`python -m tinydl.zoo RUN ...`: finished runs become entries of the shelf, in a clone."""

import sys

from ..console import Parser, command
from .adding import add


def main() -> int:
    parser = Parser("tinydl.zoo", description=(__doc__ or "").strip())
    parser.add_argument("folders", metavar="RUN", nargs="+", help="finished run folders")
    for folder in parser.parse_args().folders:
        card = add(folder)
        print(f"{card.name}: {card.score} {card.test[card.score]:.4g}, {card.bytes:,} bytes")
    return 0


sys.exit(command(main, "tinydl.zoo"))
