"""The tests of this folder run on the compiled backend."""

import pytest

from tinydl.backend import use_backend


@pytest.fixture(autouse=True)
def backend():
    with use_backend("cpu") as there:
        yield there
