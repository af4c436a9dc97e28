"""Foreign pickles: what the files of CIFAR and Keras contain comes out, nothing else happens."""

import io
import os
import pickle
import pickletools
import sys
import tracemalloc
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinydl.data.formats.numpy_files import read_npy, read_npz
from tinydl.data.formats.pickles import read_pickle
from tinydl.errors import FormatError

plain = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False)
    | st.text(st.characters(codec="utf-8"), max_size=5)
    | st.binary(max_size=300),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.tuples(inner, inner)
        | st.dictionaries(st.text(max_size=3) | st.integers(0, 5), inner, max_size=3)
    ),
    max_leaves=12,
)


@settings(max_examples=100)
@given(plain, st.integers(1, 4))
def test_plain_values_round_trip(value, protocol):
    assert read_pickle(pickle.dumps(value, protocol), "x") == value


@pytest.mark.parametrize("protocol", [1, 2, 3, 4])
@pytest.mark.parametrize(
    "array",
    [
        np.arange(6, dtype=np.uint8).reshape(2, 3),
        np.arange(6, dtype=">i4").reshape(3, 2),
        np.asfortranarray(np.arange(6.0).reshape(2, 3)),
        np.array([True, False]),
        np.zeros((0, 5), np.float32),
        np.array(7, np.int64),
    ],
    ids=lambda a: f"{a.dtype}{a.shape}",
)
def test_arrays(array, protocol):
    value = read_pickle(pickle.dumps({"data": array, "n": 3}, protocol), "x")
    assert value["n"] == 3 and value["data"].dtype == array.dtype.newbyteorder("=")
    assert np.array_equal(value["data"], array) and value["data"].shape == array.shape
    assert value["data"].flags.writeable
    assert np.array_equal(read_pickle(pickle.dumps(array, protocol), "x"), array)


def python2_batch():
    """A CIFAR-10 batch as Python 2 wrote it: protocol 2, 8-bit strings, NumPy before 1.7."""
    pixels = bytes(range(256)) * 24
    return (
        b"\x80\x02}q\x01(U\x0bbatch_labelq\x02U\x15training batch 1 of 5q\x03U\x06labelsq\x04]q\x05"
        b"(K\x06K\x09eU\x04dataq\x06cnumpy.core.multiarray\n_reconstruct\nq\x07cnumpy\nndarray\nq\x08"
        b"K\x00\x85U\x01b\x87Rq\x09(K\x01K\x02M\x00\x0c\x86cnumpy\ndtype\nq\x0aU\x02u1K\x00K\x01\x87R"
        b"q\x0b(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89T"
        + len(pixels).to_bytes(4, "little")
        + pixels
        + b"tbu."
    ), np.frombuffer(pixels, np.uint8).reshape(2, 3072)


def test_a_batch_written_by_python_2():
    data, pixels = python2_batch()
    with suppress(ValueError):
        pickletools.dis(data, io.StringIO())  # the bytes above are a valid pickle
    value = read_pickle(data, "x")
    assert value[b"labels"] == [6, 9] and value[b"batch_label"] == b"training batch 1 of 5"
    assert np.array_equal(value[b"data"], pixels)
    reference = pickle.loads(data, encoding="bytes")
    assert np.array_equal(reference[b"data"], pixels)


class Payload:
    """Writes a file when a pickle of it is loaded by the standard module."""

    def __init__(self, path, function=os.system):
        self.path, self.function = path, function

    def __reduce__(self):
        return self.function, (f"touch {self.path}",)


@pytest.mark.parametrize("protocol", [1, 2, 3, 4])
@pytest.mark.parametrize("function", [os.system, eval, exec, print])
def test_a_payload_does_not_run(tmp_path, protocol, function):
    proof = tmp_path / "proof"
    data = pickle.dumps({b"labels": [1], b"data": Payload(proof, function)}, protocol)
    with pytest.raises(FormatError, match=r"asks for \w+\.\w+, which is not allowed"):
        read_pickle(data, "x")
    assert not proof.exists()
    if function is os.system and os.name == "posix":
        pickle.loads(data)  # the payload is a real one
        assert proof.exists()


HOSTILE = {
    "persistent id": b"\x80\x02Phello\n.",
    "instance": b"(S'x'\nios\nsystem\n.",
    "object": b"(cos\nsystem\nS'x'\no.",
    "newobj": b"\x80\x02cnumpy\nndarray\n)\x81.",
    "extension": b"\x80\x02\x82\x01.",
    "numpy's loads": b"cnumpy\nload\n.",
    "a type as a value": b"cnumpy\nndarray\n.",
    "a dtype as a value": b"cnumpy\ndtype\n(S'u1'\ntR.",
    "an array without content": b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\ntR.",
    "a call of a call": b"cnumpy\ndtype\n(S'u1'\ntR(S'u1'\ntR.",
    "dtype of objects, called": b"cnumpy\nndarray\n(K\x01tR.",
    "a state for a list": b"](K\x01tb.",
    "a state for a name": b"cnumpy\nndarray\n(K\x01K\x02K\x03tb.",
    "stops early": b"(K\x01.",
    "empty": b"",
    "only stop": b".",
    "truncated": b"\x80\x02K",
    "truncated text": b"\x80\x02X\xff\xff\xff\x7fabc.",
    "huge bytes": b"\x80\x04\x8e" + b"\xff" * 8 + b".",
    "negative size": b"T\xff\xff\xff\xff.",
    "memo that is not there": b"\x80\x02h\x05.",
    "append to nothing": b"K\x01K\x02a.",
    "odd dict": b"}(K\x01u.",
    "list as a key": b"(]K\x01d.",
    "unknown opcode": b"\xfe.",
    "protocol 5": b"\x80\x05N.",
    "escape": b"S'\\x41'\n.",
    "deep marks": b"(" * 100_000,
    "text as module": b"\x80\x04]]\x93.",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_pickles_are_format_errors(name):
    with pytest.raises(FormatError, match=r"^pickle: the file"):
        read_pickle(HOSTILE[name], "the file")


def array_state(shape, code, order, content):
    """An array with this state, as NumPy would write it."""
    pick = pickle.dumps(("numpy", code, order, shape, content), 2)
    body = (
        b"\x80\x02cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85U\x01b\x87R"
        b"(K\x01" + pickle.dumps(shape, 2)[2:-1] + b"cnumpy\ndtype\n"
        b"U" + bytes([len(code)]) + code.encode() + b"K\x00K\x01\x87R(K\x03U\x01" + order.encode()
    )
    assert pick
    return (
        body + b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89"
        b"B" + len(content).to_bytes(4, "little") + content + b"tb."
    )


def test_arrays_that_lie():
    assert read_pickle(array_state((2, 2), "u1", "|", b"abcd"), "x").tolist() == [
        [97, 98],
        [99, 100],
    ]
    for shape, code, order, content in (
        ((3,), "u1", "|", b"ab"),
        ((1 << 40, 1 << 40), "u1", "|", b"ab"),
        ((-1, -2), "u1", "|", b"ab"),
        ((2,), "V1", "|", b"ab"),
        ((2,), "O", "|", b"ab"),
        ((2,), "u1", "?", b"ab"),
        ((2,), "u999999999", "<", b"ab"),
        ((2,), "M8", "<", b"ab"),
        ("ab", "u1", "|", b"ab"),
    ):
        with pytest.raises(FormatError):
            read_pickle(array_state(shape, code, order, content), "x")


def test_depth_and_copies_cost_little():
    nested = b"\x80\x02" + b")" + b"\x85" * 100_000
    for tail in (b".", b"K\x00\x86cnumpy\ndtype\n", b"\x8c\x01x\x93.", b"}" + b"h\x00K\x01s."):
        with suppress(FormatError):
            read_pickle(nested + tail, "x")  # no recursion, no crash
    text = b"X" + (200_000).to_bytes(4, "little") + b"a" * 200_000 + b"q\x00"
    copy = b"c_codecs\nencode\nh\x00X\x06\x00\x00\x00latin1\x86R"
    tracemalloc.start()
    with pytest.raises(FormatError, match="again and again"):
        read_pickle(b"\x80\x02(" + text + copy * 3000 + b"t.", "x")
    assert tracemalloc.get_traced_memory()[1] < 3_000_000
    tracemalloc.stop()


@settings(max_examples=200)
@given(
    st.lists(st.tuples(st.integers(0, 7000), st.integers(0, 255)), min_size=1, max_size=8),
    st.booleans(),
)
def test_any_damage_is_a_format_error_or_harmless(changes, cut):
    data = bytearray(python2_batch()[0])
    for position, value in changes:
        data[position % 260] = value  # the structure, not the pixels
    with suppress(FormatError):
        read_pickle(bytes(data[: 200 if cut else None]), "x")


# -- .npy and .npz --------------------------------------------------------------------------------


def npy(array):
    stream = io.BytesIO()
    np.save(stream, array, allow_pickle=True)
    return stream.getvalue()


def rows():
    array = np.empty(3, object)
    array[:] = [[1, 14, 300], [70000], []]
    return array


def test_numpy_files(tmp_path):
    path = tmp_path / "x.npz"
    np.savez(path, codes=rows(), y=np.array([0, 1, 1]), z=np.eye(2, order="F"))
    found = read_npz(path, ("codes", "y", "z"))
    assert found["codes"] == [[1, 14, 300], [70000], []]
    assert found["y"].tolist() == [0, 1, 1] and np.array_equal(found["z"], np.eye(2))
    with pytest.raises(FormatError, match="has no w"):
        read_npz(path, ("y", "w"))
    with pytest.raises(FormatError, match="above 10"):
        read_npz(path, ("y",), max_bytes=10)


def test_a_payload_in_a_numpy_file_does_not_run(tmp_path):
    proof = tmp_path / "proof"
    array = np.empty(1, object)
    array[0] = Payload(proof)
    np.savez(tmp_path / "x.npz", x=array)
    with pytest.raises(FormatError, match=r"asks for \w+\.system"):
        read_npz(tmp_path / "x.npz", ("x",))
    assert not proof.exists()


def test_numpy_headers_that_lie():
    good = npy(np.arange(4))
    assert read_npy(good, "x").tolist() == [0, 1, 2, 3]
    for damage in (
        b"",
        good[:20],
        good[:-1],
        good + b"x",
        good.replace(b"(4,)", b"(5,)"),
        good.replace(b"(4,)", b"(-4,)"),
        good.replace(b"(4,), ", b"(9**9,)"),
        good.replace(b"(4,)", b"(2,2)").replace(b"<i8", b"<i3"),
        good.replace(b"'<i8'", b"'<M8'"),
        good.replace(b"'<i8'", b"'<b8'"),
        good.replace(b"{'descr", b"[['descr"),
        b"\x93NUMPY\x01\x00\xff\xff" + b"(" * 65535,
        b"\x93NUMPY\x03\x00" + good[8:],
    ):
        with pytest.raises(FormatError, match="npy: x"):
            read_npy(damage, "x")
    with pytest.raises(FormatError, match="not a row of"):
        read_npy(npy(rows()).replace(b"(3,)", b"(4,)"), "x")


def test_speed_is_enough_for_a_million_codes():
    array = np.empty(2, object)
    array[:] = [list(range(1, 200)) * 1000, [5000] * 100_000]
    assert sys.getsizeof(npy(array)) > 500_000
    assert read_npy(npy(array), "x") == list(array)


@pytest.mark.parametrize("protocol", range(5))
def test_nothing_follows_and_frames_fit(protocol):
    content = pickle.dumps({1: list(range(300)), 2: 0.5}, protocol)
    assert read_pickle(content, "x") == {1: list(range(300)), 2: 0.5}
    for damaged in (content + b".", content + content, content[:-1], content[:-2] + b"."):
        with pytest.raises(FormatError):
            read_pickle(damaged, "x")
    if protocol == 4:
        frame = content.index(b"\x95") + 1
        for size in (0, 5, len(content), 2**63):
            lying = content[:frame] + size.to_bytes(8, "little") + content[frame + 8 :]
            if size > len(content):
                with pytest.raises(FormatError, match="does not fit"):
                    read_pickle(lying, "x")


@pytest.mark.parametrize(
    "line",
    [b"I1_0", b"I+1", b"I 1", b"L1_0L", b"F1_0.5", b"F0x1p3", b"Finfinity", b"I\xd9\xa1", b"F1e999",
     b"FNaN"],
)  # fmt: skip
def test_lenient_numbers(line):
    with pytest.raises(FormatError):
        read_pickle(line + b"\n.", "x")
