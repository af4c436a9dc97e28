"""Texts, sounds and tables of a folder, each read once: what they hold and what is wrong."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable
from hashlib import blake2b
from typing import Any

import numpy as np

from ...errors import DataError, FormatError
from ...foreign import read_regular
from ...quoting import quoted
from ..formats.archives import read_bytes
from ..formats.wav import decode_wav
from .copies import Copies, as_numbers
from .problems import Problem
from .recognise import LARGEST, Found

Facts = list[tuple[str, str]]
#: What files of other encodings begin with.
MARKS = {b"\xff\xfe": "UTF-16", b"\xfe\xff": "UTF-16", b"\x00\x00\xfe\xff": "UTF-32"}


def look_at_texts(found: Found, copies: Copies) -> tuple[Facts, list[Problem]]:
    """Lengths and encodings; which texts are the same."""
    problems: list[Problem] = []
    digests, readable, letters, lines = _none(found), [], 0, 0
    for k, file in enumerate(found.files):
        try:
            data = read_bytes(os.path.join(found.root, file.path), LARGEST["text"])
            text = decoded_text(data)
        except UnicodeDecodeError as error:
            problems.append(Problem("encoding", file.path, wrong_encoding(data, error)))
            continue
        except (FormatError, DataError) as error:
            problems.append(broken(file.path, error, found.root))
            continue
        if "\0" in text:
            problems.append(Problem("damaged", file.path, "holds zero bytes: it is no text"))
            continue
        readable.append(k)
        letters, lines = letters + len(text), lines + len(text.splitlines())
        digests[k] = digest_of(text.strip().encode())
    copies.same(np.array(readable, np.int64), digests, "has the same text as")
    return [("texts", f"{letters:,} characters in {lines:,} lines")], problems


def look_at_sounds(found: Found, copies: Copies) -> tuple[Facts, list[Problem]]:
    """Rates and lengths; which sounds are the same."""
    problems: list[Problem] = []
    digests, readable, rates, lengths = _none(found), [], [], []
    for k, file in enumerate(found.files):
        try:
            data = read_regular(os.path.join(found.root, file.path), LARGEST["wav"], "wav")
            rate, samples = decode_wav(data, file.path)
        except (FormatError, DataError) as error:
            problems.append(broken(file.path, error, found.root))
            continue
        readable.append(k)
        rates.append(rate)
        lengths.append(len(samples) / rate)
        digests[k] = digest_of(samples.tobytes())
    copies.same(np.array(readable, np.int64), digests, "has the same sound as")
    usual = Counter(rates).most_common(1)[0][0] if rates else 0
    problems += [
        Problem("rate", found.files[k].path, f"has {rate:,} samples a second, most have {usual:,}")
        for k, rate in zip(readable, rates, strict=True)
        if rate != usual
    ]
    facts = [("rates", counted(f"{rate:,} Hz" for rate in rates))]
    if lengths:
        told = f"{min(lengths):.2f} to {max(lengths):.2f} s, {sum(lengths):.0f} s together"
        facts.append(("lengths", told))
    return facts, problems


def decoded_text(data: bytes) -> str:
    """UTF-8, with or without a byte order mark; UnicodeDecodeError."""
    return data.decode("utf-8-sig")


def wrong_encoding(data: bytes, error: UnicodeDecodeError) -> str:
    """What is said of bytes that are not UTF-8."""
    mark = next((name for begin, name in MARKS.items() if data.startswith(begin)), "")
    line = data[: error.start].count(b"\n") + 1
    known = f" but {mark}" if mark else ""
    return f"is not UTF-8{known} (byte {data[error.start]:#04x} in line {line})"


def broken(path: str, error: Exception, root: str) -> Problem:
    """The problem that a reader's error is; its paths become relative."""
    text = str(error).replace(f"{root}{os.sep}", "")
    kind = "damaged" if isinstance(error, FormatError) else "unreadable"
    return Problem(kind, path, f"cannot be read: {text.partition(': ')[2] or text}")


def digest_of(data: bytes) -> np.ndarray:
    """16 bytes that stand for these, as two numbers."""
    return as_numbers(blake2b(data, digest_size=16).digest())


def counted(values: Iterable[Any]) -> str:
    """How often each comes, the most frequent first: "RGB 90, L 10"."""
    pairs = Counter(values).most_common()
    told = [f"{value} {number:,}" for value, number in pairs[:8]]
    return ", ".join([*told, *([f"{len(pairs) - 8} others"] if len(pairs) > 8 else [])])


def _none(found: Found) -> np.ndarray:
    return np.zeros((len(found.files), 2), np.uint64)


def named(names: Iterable[str], most: int = 3) -> str:
    """Some names in quotes, and how many more."""
    names = list(names)
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(quoted(name, 40) for name in names[:most]) + more
