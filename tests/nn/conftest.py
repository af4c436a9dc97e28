"""The tests of this room run on the compiled backend."""

import pytest

from tinydl.backend import use_backend


@pytest.fixture(autouse=True)
def backend():
    with use_backend("cpu") as room:
        yield room
