"""`tinydl bench gemm gemm_small`; same options (--against, --threads, --quick, --json)."""

import sys

from tinydl.command.main import main

if __name__ == "__main__":
    sys.exit(main(["bench", "gemm", "gemm_small", *sys.argv[1:]]))
