"""The tests of this room run on the compiled backend where it is built, else on the reference."""

import pytest

from tinydl.backend import get, use_backend
from tinydl.errors import DeviceError


def available() -> str:
    try:
        return get("cpu").name
    except DeviceError:
        return "numpy"


@pytest.fixture(autouse=True)
def backend():
    with use_backend(available()) as room:
        yield room
