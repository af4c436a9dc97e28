"""safetensors files with a seal: every flipped bit is noticed; other programs' files are read."""

import json
import os

import numpy as np
import pytest

from tinydl.errors import DTypeError, FormatError, TinydlError
from tinydl.foreign import read_regular
from tinydl.train.tensor_files import TYPES, read_tensors, write_tensors

ARRAYS = {
    "b": np.arange(3, dtype=np.float32),
    "a": np.arange(4, dtype=np.int64).reshape(2, 2),
    "none": np.zeros((0, 2), np.float64),
    "flag": np.array([True, False]),
    "number": np.array(2.5),
}


@pytest.fixture
def path(tmp_path):
    write_tensors(tmp_path / "t", ARRAYS, {"format": "tinydl", "more": "ü"})
    return tmp_path / "t"


def same(tensors, arrays=ARRAYS):
    return tensors.keys() == arrays.keys() and all(
        tensors[k].dtype == v.dtype and tensors[k].shape == v.shape and (tensors[k] == v).all()
        for k, v in arrays.items()
    )


def test_the_librarys_reader_and_ours_agree(path):
    from safetensors import safe_open
    from safetensors.numpy import load_file, save

    tensors, metadata = read_tensors(path)
    assert same(tensors) and same(load_file(path))
    with safe_open(path, "np") as file:
        assert file.metadata() == metadata
    assert metadata["more"] == "ü" and len(metadata["sha256"]) == 64
    path.write_bytes(save(ARRAYS, {"by": "others"}))
    tensors, metadata = read_tensors(path)
    assert same(tensors) and metadata == {"by": "others"}


def test_equal_content_gives_equal_bytes(path, tmp_path):
    backwards = dict(reversed(ARRAYS.items()))
    write_tensors(tmp_path / "u", backwards, {"more": "ü", "format": "tinydl"})
    assert (tmp_path / "u").read_bytes() == path.read_bytes()


def test_every_flipped_bit_is_noticed_or_says_the_same(path):
    content = path.read_bytes()
    for bit in range(0, 8 * len(content), 7):  # each place in a byte in turn
        damaged = bytearray(content)
        damaged[bit // 8] ^= 1 << bit % 8
        path.write_bytes(damaged)
        try:
            tensors, metadata = read_tensors(path)
        except FormatError as error:
            assert str(path) in str(error) and str(error).isprintable()
        else:  # the key of the seal itself, which then is somebody else's
            assert same(tensors) and "sha256" not in metadata, bit


def test_every_type_comes_back(tmp_path):
    arrays = {name: np.ones(3, code) for name, code in TYPES.items()}
    write_tensors(tmp_path / "t", arrays, {})
    assert same(read_tensors(tmp_path / "t")[0], arrays)
    with pytest.raises(DTypeError, match="safetensors: z is complex128, not of F64"):
        write_tensors(tmp_path / "t", {"z": np.ones(1, complex)}, {})


def entry(dtype="F32", shape=(1,), data_offsets=(0, 4), **more):
    return {"dtype": dtype, "shape": list(shape), "data_offsets": list(data_offsets), **more}


@pytest.mark.parametrize(
    ("header", "data", "message"),
    [
        ({"a": entry("F8_E4M3")}, 4, "'a' is 'F8_E4M3', not of"),
        ({"a": entry(shape=[2**40])}, 4, "cannot be the bytes 0 to 4"),
        ({"a": entry(shape=[-1])}, 4, "must be an integer"),
        ({"a": entry(data_offsets=(0, 2**40))}, 4, "cannot be"),
        ({"a": entry(), "b": entry()}, 8, "cannot be"),
        ({"a": entry(data_offsets=(4, 8))}, 8, "cannot be"),
        ({"a": entry()}, 8, "speaks of"),
        ({"a": entry("BOOL", [1], (0, 1))}, b"\2", "neither true nor false"),
        ({"a": entry(extra=1)}, 4, "unknown key"),
        ({"a": 3}, 4, "must be an object"),
        ({"__metadata__": {"format": 1}}, 0, "must be a text"),
        ([1], 0, "its header is no object"),
    ],
)
def test_headers_that_lie(path, header, data, message):
    text = json.dumps(header).encode()
    content = len(text).to_bytes(8, "little") + text
    path.write_bytes(content + (bytes(data) if isinstance(data, int) else data))
    with pytest.raises(FormatError, match=message):
        read_tensors(path)


def test_a_huge_file_is_known_by_its_header(tmp_path):
    text = json.dumps({"a": entry("U8", [10 * 2**30], (0, 10 * 2**30))}).encode()
    for head, message in ((b"", "no JSON"), (len(text).to_bytes(8, "little") + text, "more than")):
        (tmp_path / "sparse").write_bytes(head)
        os.truncate(tmp_path / "sparse", 10 * 2**30 + len(head))
        with pytest.raises(FormatError, match=message):
            read_tensors(tmp_path / "sparse", 1_000)


def test_only_regular_files_of_a_bounded_size_are_read(tmp_path):
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "zero").symlink_to("/dev/zero")
    (tmp_path / "sparse").touch()
    os.truncate(tmp_path / "sparse", 10 * 2**30)
    for name, message in (
        ("fifo", "is a pipe or a device, not a regular file"),
        ("zero", "is a pipe or a device, not a regular file"),
        (".", "is a folder, not a regular file"),
        ("absent", "there is no file"),
        ("sparse", "holds more than 1000 bytes \\(10737418240\\)"),
        ("a\0b", "cannot read .*null"),
    ):
        with pytest.raises(TinydlError, match=f"op: .*{message}"):
            read_regular(tmp_path / name, 1_000, "op")
    (tmp_path / "small").write_bytes(b"x" * 1_000)
    assert read_regular(tmp_path / "small", 1_000, "op") == b"x" * 1_000
