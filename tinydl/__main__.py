"""`python -m tinydl` is the command `tinydl`."""

import sys

from .command.main import main

if __name__ == "__main__":
    sys.exit(main())
