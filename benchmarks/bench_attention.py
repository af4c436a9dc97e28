"""`tinydl bench attention`; takes the same options (--against, --threads, --quick, --json)."""

import sys

from tinydl.command.main import main

if __name__ == "__main__":
    sys.exit(main(["bench", "attention", *sys.argv[1:]]))
