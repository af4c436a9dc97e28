"""The table of what a run's files may say: every key, every type, every bound."""

import json

import pytest

from tinydl.errors import FormatError
from tinydl.train.schema import KINDS, digest, read_json

GENERATOR = {"key": 2**64 - 1, "offset": 0}
VALID = {
    "config": {
        "format": "tinydl-run-1", "tinydl": "0.1", "recipe": "xor-mlp", "seed": 0,
        "backend": "opencl:1", "dtype": "float32", "model": "MLP",
        "architecture": {"sizes": [2, 4, 2], "dropout": 0.5, "activation": None, "bias": True},
        "parameters": 22, "dataset": "xor_points", "split": "random", "input_shape": [2],
        "classes": ["0", "1"], "optimizer": "SGD", "optimizer_settings": {"lr": 0.5},
        "batch_size": 4, "epochs": 3,
    },
    "checkpoint": {
        "epoch": 1, "history": [{"epoch": 1, "loss": float("nan")}], "optimizer": {"lr": 0.1},
        "generator": GENERATOR, "generators": {"a.rng": GENERATOR}, "data": {"a": 1}, "config": {},
    },
}  # fmt: skip
ODD = [None, True, -1, 2**70, 0.5, float("inf"), "", "\x1b[2J", "x" * 2_000, [], [None], {}, [[]]]


def read(value, kind):
    return read_json(json.dumps(value), kind, "FILE")


@pytest.mark.parametrize("kind", VALID)
def test_what_is_written_is_read(kind):
    value = VALID[kind]
    assert repr(read(value, kind)) == repr(value)
    sealed = {**VALID["config"], "sha256": digest(VALID["config"])}
    assert read(sealed, "config") == sealed
    with pytest.raises(FormatError, match="changed after it was written"):
        read({**sealed, "seed": 1}, "config")


@pytest.mark.parametrize("kind", VALID)
def test_every_key_is_needed_and_no_other_is_known(kind):
    value = VALID[kind]
    for key in value:
        with pytest.raises(FormatError, match=f"FILE is not .*lacks '{key}'"):
            read({k: v for k, v in value.items() if k != key}, kind)
    with pytest.raises(FormatError, match="has the unknown key 'sneaky'"):
        read({**value, "sneaky": 1}, kind)


@pytest.mark.parametrize("kind", VALID)
def test_odd_values_are_refused_by_name(kind):
    refused = 0
    for key, right in VALID[kind].items():
        for odd in ODD:
            try:
                assert type(read({**VALID[kind], key: odd}, kind)[key]) in (type(right), type(None))
            except FormatError as error:
                assert f"{key}" in str(error) or "no JSON" in str(error)
                assert str(error).isprintable() and len(str(error)) < 400
                refused += 1
    assert refused > 8 * len(VALID[kind])


@pytest.mark.parametrize(
    "text",
    [
        b"", b"{", b"\xff\xfe", b"[]", b"null", b"[" * 10**5, b'{"a": ' * 10**5,
        b"9" * 5_000, b'{"seed": 1, "seed": 1}', b'{"seed": NaN}', b'{"seed": 1e999}',
    ],
    ids=lambda text: text[:8].decode("latin-1"),
)  # fmt: skip
def test_what_is_no_json_is_one_sentence(text):
    with pytest.raises(FormatError) as error:
        read_json(text, "config", "FILE")
    assert str(error.value).startswith("FILE is ") and str(error.value).isprintable()


def test_bounds_of_size_are_known_before_parsing():
    with pytest.raises(FormatError, match="more than 1,048,576 bytes"):
        read_json(b" " * (KINDS["config"].most + 1), "config", "FILE")
