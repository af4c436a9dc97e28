"""What a page may ask."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

MOST_BYTES = 8_000_000  # of any body


@dataclass(frozen=True, slots=True)
class Question:
    """What may be asked: at most `most` bytes, and the function that answers them, as JSON."""

    most: int
    answer: Callable[[bytes], dict[str, Any]]
