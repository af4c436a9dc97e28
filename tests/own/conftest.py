"""Own data: many short trainings, whose curves nobody looks at."""

import pytest

from tinydl.command import train


@pytest.fixture(autouse=True, scope="session")
def undrawn():
    """Drawing curves.png takes longer than a training here; tests/test_cli.py draws one."""
    kept, train._draw = train._draw, lambda outcome, folder: None
    yield
    train._draw = kept
