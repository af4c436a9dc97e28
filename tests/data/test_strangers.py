"""Files, numbers and text of strangers, kind by kind and at every door: what is no regular file,
what spells no number, what must not reach a terminal raw."""

import json
import os
import re
import socket
import threading
import tracemalloc

import pytest
from cases.archives import tar, voc_annotation, voc_thing, zipped
from cases.loaders import (
    COCO,
    LARGE_FILES,
    PAYMENTS,
    PRICES,
    READERS,
    REVIEWS,
    SMALL_FILES,
    TSV,
    voc,
)
from hypothesis import example, given
from hypothesis import strategies as st

from tinydl import data, errors
from tinydl.errors import DataError, FormatError, KernelBuildError, TinydlError
from tinydl.foreign import boundary, parse_integer, parse_json, parse_number, read_regular
from tinydl.quoting import quoted, shown

OF_BYTES = ("read_pickle", "read_cifar_binary", "read_cifar_python", "read_pgm", "decode_image")
OF_PATHS = [name for name in READERS if name not in OF_BYTES]

# -- regular files ---------------------------------------------------------------------------------


def fifo(path):
    os.mkfifo(path)


def zeros_for_ever(path):
    path.symlink_to("/dev/zero")


def sparse(path):
    with path.open("wb") as file:
        file.truncate(10 << 30)


def sparse_gzip(path):
    with path.open("wb") as file:
        file.write(b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff")
        file.truncate(10 << 30)


def sparse_zip(path):
    with path.open("wb") as file:
        file.write(b"PK\3\4")
        file.truncate(10 << 30)


def listening(path):
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(os.path.relpath(path))  # the name of a socket may be no longer than 107 bytes


def loop(path):
    path.symlink_to(path)


SPECIAL = (fifo, zeros_for_ever, sparse, sparse_gzip, sparse_zip, listening, loop)


@pytest.mark.skipif(os.name != "posix", reason="needs pipes and devices")
@pytest.mark.parametrize("make", SPECIAL)
@pytest.mark.parametrize("name", OF_PATHS)
def test_what_is_no_file_of_bounded_size_is_refused_unread(name, make, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    make(tmp_path / "file")
    answer = []
    tracemalloc.start()
    thread = threading.Thread(target=lambda: answer.append(outcome(name, tmp_path / "file")))
    thread.daemon = True
    thread.start()
    thread.join(10)
    memory = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert answer, "it waits"
    assert isinstance(answer[0], FormatError | DataError), answer
    assert "file" in str(answer[0]) and memory < 64 << 20


def outcome(name, path):
    try:
        return READERS[name].call(path)
    except BaseException as error:
        return error


@pytest.mark.parametrize("name", OF_PATHS)
def test_a_missing_file_and_a_folder_are_one_sentence(name, tmp_path):
    with pytest.raises(errors.MissingFileError, match=r"there is no file .*nothing") as error:
        READERS[name].call(tmp_path / "nothing")
    assert isinstance(error.value, DataError) and isinstance(error.value, FileNotFoundError)
    with pytest.raises(TinydlError):
        READERS[name].call(tmp_path)


def test_a_file_that_grows_while_it_is_read(tmp_path, monkeypatch):
    path = tmp_path / "file"
    path.write_bytes(b"12345678")
    real = os.fstat
    monkeypatch.setattr(os, "fstat", lambda d: os.stat_result((*real(d)[:6], 3, *real(d)[7:])))
    with pytest.raises(FormatError, match="file holds more than 4 bytes"):
        read_regular(path, 4)


# -- one boundary ----------------------------------------------------------------------------------

FOREIGN = (
    *(MemoryError(), RecursionError(), IndexError("x"), KeyError("x"), AttributeError("x")),
    *(OSError(22, "Invalid argument"), OSError("x"), UnicodeDecodeError("x", b"x", 0, 1, "")),
    *(StopIteration(), AssertionError(), NotImplementedError(), OverflowError(), EOFError()),
    *(SystemError("x"), ZeroDivisionError(), LookupError(), BufferError(), Warning("x")),
)  # fmt: skip


@pytest.mark.parametrize("error", FOREIGN, ids=lambda e: type(e).__name__)
def test_whatever_is_raised_inside_names_the_file_outside(error):
    with pytest.raises(FormatError, match=r"^op: the file ") as caught, boundary("the file", "op"):
        raise error
    assert caught.value.__cause__ is error
    assert str(caught.value).isprintable()


def test_what_goes_through_the_boundary_unchanged():
    for error in (FormatError("a"), DataError("b"), KeyboardInterrupt(), SystemExit()):
        with pytest.raises(type(error)) as caught, boundary("x"):
            raise error
        assert caught.value is error
    with pytest.raises(DataError, match="cannot read x"), boundary("x"):
        raise OSError(5, "Input/output error")


def test_every_public_reader_is_inside_the_boundary():
    readers = [n for n in data.__all__ if re.match("read_|decode_", n)]
    assert len(readers) >= 20
    bare = [n for n in readers if not hasattr(getattr(data, n), "__wrapped__")]
    assert not bare, f"without @reader, by which any error names the file: {bare}"
    missing = set(readers) ^ set(READERS)
    assert not missing, f"READERS of tests/cases/loaders.py has no row for {sorted(missing)}"


# -- numbers ---------------------------------------------------------------------------------------

#: Spellings that Python, NumPy or both take for numbers.
LENIENT = ("1_0", "+1", "\u0661", "\uff11", "0x10", "1e1_0", "nan", "inf", "-inf", "1e999",
           "1,0", "", "--1", "1\u00a0", "1f", "1j", "True", "1e", ".", "9" * 24,
           "Infinity")  # fmt: skip


@given(st.text("0123456789+-._eExn \u0661", max_size=12) | st.sampled_from(LENIENT))
def test_a_number_is_what_the_rule_says(text):
    for parse, rule, plain in (
        (parse_integer, r"-?[0-9]{1,19}", int),
        (parse_number, r"-?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]{1,4})?", float),
    ):
        try:
            value = parse(text)
        except FormatError:
            assert not re.fullmatch(rule, text) or abs(plain(text)) >= 2**63
        else:
            assert re.fullmatch(rule, text) and value == plain(text)


@given(st.floats(allow_nan=False, allow_infinity=False), st.integers(-(2**63), 2**63 - 1))
@example(5e-324, -(2**63))
def test_numbers_come_back(number, whole):
    assert parse_number(repr(number)) == number and parse_number(b"%r" % number) == number
    assert parse_integer(str(whole)) == whole


def annotated(width="40", corner="1", flag="0"):
    text = voc_annotation(voc_thing("dog", (corner, 2, 11, 22), flag)).decode()
    return voc("dog", "dog") | {"V/Annotations/a.xml": text.replace(">40<", f">{width}<").encode()}


def coco(**changes):
    text = json.dumps(COCO)
    for old, new in changes.items():
        text = text.replace(f'"{old}": {COCO_VALUES[old]}', f'"{old}": {new}')
    return text.encode()


COCO_VALUES = {"iscrowd": 0, "width": 40, "bbox": "[1, 2.5, 10, 20]"}

#: reader: (a content with this spelling in place of a number of its own; spellings it does take)
PLACES = {
    "read_csv": [lambda t: f"a,b\n1,2.5\n3,{t}\n".encode()],
    "read_creditcard": [lambda t: PAYMENTS.replace(b",9.5,", f",{t},".encode())],
    "read_prices": [lambda t: PRICES.replace(b",13,", f",{t},".encode()),
                    lambda t: PRICES.replace(b"1985-12-03", f"1985-12-{t}".encode()),
                    lambda t: PRICES.replace(b",2000,", f",{t},".encode())],
    "read_imdb_tsv": [lambda t: TSV.replace(b"\t7\t", f"\t{t}\t".encode())],
    "read_movielens_100k": [
        lambda t: zipped(SMALL_FILES | {"ml-100k/u.data": f"196\t242\t{t}\t881250949\n".encode()}),
        lambda t: zipped(SMALL_FILES | {"ml-100k/u.item": f"{t}|Kolya|24|\n".encode()})],
    "read_movielens_1m": [
        lambda t: zipped(LARGE_FILES | {"ml-1m/ratings.dat": f"1::1193::{t}::978\n".encode()})],
    "read_voc": [lambda t: zipped(annotated(width=t)), lambda t: zipped(annotated(corner=t)),
                 lambda t: zipped(annotated(flag=t or "00"))],
    "read_coco": [lambda t: coco(iscrowd=t or '""'), lambda t: coco(width=t or '""'),
                  lambda t: coco(bbox=f"[1, 2.5, 10, {t or 'x'}]"),
                  lambda t: coco(iscrowd=f'"{t}"')],
    "read_pgm": [lambda t: f"P5 {t} 1 255\n".encode() + b"x" * 10],
}  # fmt: skip


#: What is a number after all: large ones in columns of float64, and the marks of a missing price.
TAKEN = {
    "read_csv": {"9" * 24, "999999"},
    "read_creditcard": {"9" * 24, "999999"},
    "read_prices": {"9" * 24, "999999", "nan", ""},
    "read_voc": {"999999"},
    "read_coco": {"999999"},
    "read_movielens_100k": {"999999"},  # a film may have this number
}


@pytest.mark.parametrize("text", [*LENIENT, "999999"])
@pytest.mark.parametrize("name", PLACES)
def test_lenient_numbers_in_every_text_format(name, text, tmp_path):
    path = tmp_path / "file"
    for make in PLACES[name] if text not in TAKEN.get(name, ()) else ():
        path.write_bytes(make(text))
        with pytest.raises(FormatError):
            READERS[name].call(path)


@pytest.mark.parametrize("text", LENIENT)
def test_a_name_with_an_odd_number_is_no_review(text, tmp_path):
    name = f"a/train/neg/0_{text}.txt"
    (tmp_path / "file").write_bytes(tar(REVIEWS | {name: b"odd"}))
    assert "odd" not in data.read_imdb_tar(tmp_path / "file").train.texts
    (tmp_path / "file").write_bytes(tar(REVIEWS | {"a/train/neg/1_11.txt": b"odd"}))
    with pytest.raises(FormatError, match="has 11 of 10 stars"):
        data.read_imdb_tar(tmp_path / "file")


def test_a_flag_is_0_or_1(tmp_path):
    for flag in ('"0"', "2", "0.0", "true", "null", "[]"):
        (tmp_path / "file").write_bytes(coco(iscrowd=flag))
        with pytest.raises(FormatError, match="iscrowd is "):
            data.read_coco(tmp_path / "file")


@pytest.mark.parametrize(
    "text",
    [b'{"a": 1, "a": 2}', b"[NaN]", b"[-Infinity]", b"[1e999]", b"[" * 100_000, b"\xff", b"{}{}",
     b"", b"[1_0]", b"[+1]", b"[01]", '{"a": \u0661}'.encode(), b"\xff\xfe[\x00]\x00",
     b"[1" + b"0" * 5000 + b"]"],
    ids=range(14),
)  # fmt: skip
def test_json_is_json(text):
    with pytest.raises(FormatError, match=r"^op: the\.json"):
        parse_json(text, "the.json", "op")
    assert parse_json(b'{"a": [1, -2.5e3, null, "\\u00e9"]}', "x") == {"a": [1, -2500.0, None, "é"]}


# -- text ------------------------------------------------------------------------------------------

HOSTILE = "\x1b[2J\x1b]0;owned\x07\r\nforged: line\u202egnp.exe\u2028\u200b\udc80" + "x" * 1_000_000


@given(st.text() | st.binary() | st.lists(st.text()), st.integers(10, 200))
@example(HOSTILE, 80)
@example(HOSTILE.encode("utf-8", "surrogatepass"), 80)
def test_foreign_text_is_short_printable_and_one_line(value, limit):
    for act in (quoted, shown):
        text = act(value, limit)
        assert text.isprintable() and len(text) <= limit
        text.encode("utf-8")
    if isinstance(value, str | bytes) and len(repr(value)) <= limit:
        assert quoted(value, limit).isascii() or eval(quoted(value, limit)) == value


def test_values_whose_repr_fails_or_is_huge():
    class Rude:
        def __repr__(self):
            raise ValueError("no")

    for value in (Rude(), [Rude()], 10**6000, [[0] * 1000] * 1000, {str(k): k for k in range(999)}):
        assert len(quoted(value)) <= 80


KINDS = [c for c in vars(errors).values() if isinstance(c, type) and issubclass(c, TinydlError)]


@pytest.mark.parametrize("kind", KINDS)
def test_no_message_of_any_error_reaches_the_terminal_raw(kind):
    text = str(kind(f"op: {HOSTILE} is wrong"))
    lines = text.split("\n")
    assert all(line.replace("\t", "").isprintable() for line in lines) and "\x1b" not in text
    if kind is not KernelBuildError:  # its log has lines, and all of them are wanted
        assert len(lines) == 1 and len(text) <= kind.longest
        assert text.startswith("op: ") and text.endswith(" is wrong")


@pytest.mark.parametrize("name", OF_PATHS)
def test_a_hostile_file_name_is_shown_escaped(name, tmp_path):
    path = tmp_path / HOSTILE[:40]
    path.write_bytes(READERS[name].broken)
    with pytest.raises(FormatError) as error:
        READERS[name].call(path)
    assert "\\x1b" in str(error.value) and str(error.value).isprintable()


def test_a_hostile_member_name_is_shown_escaped(tmp_path):
    path = tmp_path / "file"
    for pack in (tar, zipped):
        path.write_bytes(pack({"../" + HOSTILE[:50_000].replace("\udc80", ""): b"1"}))
        for reader in (data.read_orl_faces, data.read_imdb_tar):
            with pytest.raises(FormatError) as error:
                reader(path)
            assert len(str(error.value)) < 1000 and str(error.value).isprintable()
