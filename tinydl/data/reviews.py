"""IMDb's labelled film reviews (Maas et al. 2011), as texts or as Keras' lists of word ranks."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ..errors import ConfigError, FormatError
from .archives import members, read_bytes
from .catalog import CATALOG
from .download import first_present, locate
from .numpy_files import read_npz

MAX_BYTES = 1 << 28
MAX_REVIEW = 1 << 20
TSV_HEADER = b"label\trating\tid\ttext"
_MEMBER = re.compile(r"(?:.*/)?(train|test)/(pos|neg)/(\d{1,7})_(\d{1,2})\.txt")


@dataclass(frozen=True, slots=True, eq=False)
class Reviews:
    """N texts: y (N,) int64 is 1 for a positive one, stars (N,) int64 in 1 ... 10 (0: unknown)."""

    texts: tuple[str, ...]
    y: np.ndarray
    stars: np.ndarray
    classes: tuple[str, ...] = ("negative", "positive")

    def __len__(self) -> int:
        return len(self.texts)


class ReviewParts(NamedTuple):
    """The official training and test part."""

    train: Reviews
    test: Reviews


class CodedReviews(NamedTuple):
    """One part as lists of word codes, with y (N,) int64."""

    codes: list[list[int]]
    y: np.ndarray


def imdb() -> ReviewParts:
    """25000 + 25000 film reviews, half of them positive (Maas et al., ACL 2011).

    `<br />` is kept as in the files. Found in TINYDL_DATA/imdb (the official aclImdb_v1.tar.gz or
    train.tsv.gz and test.tsv.gz), else in the user cache, else downloaded (84 MB). Raises DataError
    when it cannot be had, FormatError for a damaged file.
    """
    dataset = first_present("imdb", "imdb_tsv")
    paths = [locate(dataset, file) for file in dataset.files]
    if len(paths) == 1:
        return read_imdb_tar(paths[0])
    return ReviewParts(read_imdb_tsv(paths[0]), read_imdb_tsv(paths[1]))


def read_imdb_tsv(path: str | Path) -> Reviews:
    """The reviews in a text file (gzip or not) of lines label, rating, id, text with tabs between
    them and that header; label 1 is positive. Only LF ends a line: texts contain U+0085."""
    lines = read_bytes(path, MAX_BYTES).split(b"\n")
    if lines.pop(0).rstrip(b"\r") != TSV_HEADER:
        raise FormatError(f"imdb: {path} does not begin with the header {TSV_HEADER!r}")
    texts, labels, stars = [], [], []
    for number, line in enumerate(lines, 2):
        if not line and number == len(lines) + 1:
            break  # after the last LF
        fields = line.split(b"\t")
        if len(fields) != 4 or fields[0] not in (b"0", b"1") or not fields[1].isdigit():
            raise FormatError(f"imdb: {path}: line {number} is not label, rating, id, text")
        texts.append(_text(fields[3], f"{path}: line {number}"))
        labels.append(int(fields[0]))
        stars.append(int(fields[1][:3]))
    return _reviews(texts, labels, stars, path)


def read_imdb_tar(path: str | Path) -> ReviewParts:
    """The reviews in aclImdb_v1.tar.gz, or in the folder aclImdb: a text file each, called
    {train,test}/{pos,neg}/ID_STARS.txt, here in the order of their names."""
    found: dict[str, list[tuple[tuple[str, int], str, int]]] = {"train": [], "test": []}

    def select(member: str) -> bool:
        return _MEMBER.fullmatch(member) is not None

    for member, data in members(path, select, MAX_REVIEW, 2 * MAX_BYTES):
        match = _MEMBER.fullmatch(member)
        if match is not None:
            part, label, number, stars = match.groups()
            text = _text(data, f"{path}: {member}")
            found[part].append(((label, int(number)), text, int(stars)))
    parts = []
    for rows in found.values():
        rows.sort(key=lambda row: row[0])
        labels = [int(label == "pos") for (label, _), _, _ in rows]
        parts.append(_reviews([r[1] for r in rows], labels, [r[2] for r in rows], path))
    return ReviewParts(*parts)


def imdb_keras(
    num_words: int | None = None,
    skip_top: int = 0,
    maxlen: int | None = None,
    seed: int | None = 113,
    start_char: int | None = 1,
    oov_char: int | None = 2,
    index_from: int = 3,
) -> tuple[CodedReviews, CodedReviews]:
    """Keras' `imdb.load_data`: (train, test), each 25000 lists of codes and labels, 1 positive.

    The file holds ranks (1 is the most frequent word). Each list becomes start_char followed by
    rank + index_from; then every code outside skip_top <= code < num_words is replaced by oov_char
    (or left out if that is None). So with the defaults 0 is free for padding, 1 starts, 2 is
    unknown, 4 the most frequent word, and skip_top=10 removes the start mark and six words. maxlen
    drops reviews that, with the start mark, have maxlen codes or more. seed: of the shuffling, as
    NumPy's RandomState does it in Keras; None keeps the file's order.

    Found in TINYDL_DATA/imdb, else in the user cache, else downloaded (17 MB). The arrays of
    objects in the file are pickles; they are read as data, nothing in them is run. Errors of
    `imdb`.
    """
    dataset = CATALOG["imdb_keras"]
    parts = read_imdb_npz(locate(dataset, dataset.files[0]))
    if seed is not None:
        # Keras' own numbers need its own generator; this is no source of randomness for tinydl.
        legacy = np.random.RandomState(seed)
        parts = tuple(_shuffled(part, legacy) for part in parts)  # type: ignore[assignment]
    parts = tuple(_shifted(part, start_char, index_from, maxlen) for part in parts)  # type: ignore[assignment]
    if num_words is None:
        num_words = 1 + max(max(codes, default=0) for part in parts for codes in part.codes)
    return (
        _filtered(parts[0], skip_top, num_words, oov_char),
        _filtered(parts[1], skip_top, num_words, oov_char),
    )


def read_imdb_npz(path: str | Path) -> tuple[CodedReviews, CodedReviews]:
    """(train, test) as stored in Keras' imdb.npz: word ranks from 1, nothing shifted or
    filtered."""
    found = read_npz(path, ("x_train", "y_train", "x_test", "y_test"))
    parts = []
    for part in ("train", "test"):
        codes, y = found[f"x_{part}"], found[f"y_{part}"]
        if type(codes) is not list or not isinstance(y, np.ndarray) or y.shape != (len(codes),):
            raise FormatError(f"imdb: {path}: x_{part} and y_{part} are not N lists and N labels")
        for row in codes:
            if type(row) is not list or not all(type(rank) is int and rank > 0 for rank in row):
                raise FormatError(f"imdb: {path}: a row of x_{part} is not a list of word ranks")
        if y.dtype.kind not in "iu" or not np.isin(y, (0, 1)).all():
            raise FormatError(f"imdb: {path}: y_{part} has labels other than 0 and 1")
        parts.append(CodedReviews(codes, y.astype(np.int64)))
    return parts[0], parts[1]


def _shuffled(part: CodedReviews, legacy: np.random.RandomState) -> CodedReviews:
    order = np.arange(len(part.codes))
    legacy.shuffle(order)
    return CodedReviews([part.codes[k] for k in order], part.y[order])


def _shifted(
    part: CodedReviews, start_char: int | None, index_from: int, maxlen: int | None
) -> CodedReviews:
    start = [] if start_char is None else [start_char]
    codes = [start + [rank + index_from for rank in row] for row in part.codes]
    if maxlen is None:
        return CodedReviews(codes, part.y)
    kept = [k for k, row in enumerate(codes) if len(row) < maxlen]
    if not kept:
        raise ConfigError(f"imdb_keras: no review is shorter than maxlen {maxlen}")
    return CodedReviews([codes[k] for k in kept], part.y[kept])


def _filtered(
    part: CodedReviews, skip_top: int, num_words: int, oov_char: int | None
) -> CodedReviews:
    if oov_char is None:
        codes = [[c for c in row if skip_top <= c < num_words] for row in part.codes]
    else:
        codes = [[c if skip_top <= c < num_words else oov_char for c in row] for row in part.codes]
    return CodedReviews(codes, part.y)


def _text(data: bytes, name: str) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise FormatError(f"imdb: {name} is not UTF-8 text ({error})") from None


def _reviews(texts: list[str], labels: list[int], stars: list[int], path: str | Path) -> Reviews:
    if not texts:
        raise FormatError(f"imdb: {path} holds no reviews")
    return Reviews(tuple(texts), np.array(labels, np.int64), np.array(stars, np.int64))
