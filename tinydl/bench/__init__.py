"""Benchmarks against other libraries: `tinydl bench`. The cells are data (`cases.py`), one worker
process per peer runs them (`worker.py`), `harness.py` interleaves, verifies and compares."""

from .cases import CASES, GROUPS, Case
from .harness import PEERS, run_benchmarks

__all__ = ["CASES", "GROUPS", "PEERS", "Case", "run_benchmarks"]
