"""IMDb's labelled film reviews (Maas et al. 2011), as texts or as Keras' lists of word ranks."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ...doors import checked
from ...errors import ConfigError, FormatError
from ...foreign import reader
from ...quoting import shown
from ..download import first_present, locate
from ..formats.archives import members, read_bytes
from ..formats.numpy_files import read_npz
from ..record import DataFile, DataSet, Mirror
from ..types import Reviews

_MAAS = (
    "A. Maas, R. Daly, P. Pham, D. Huang, A. Ng, C. Potts, Learning word vectors for sentiment "
    "analysis, ACL (2011), https://aclanthology.org/P11-1015"
)

_IMDB_LICENCE = "no formal licence; cite the paper; the reviews belong to their writers"
_SENTIMENTS = ("negative", "positive")

IMDB = DataSet(
    name="imdb",
    folder="imdb",
    files=(
        DataFile(
            "aclImdb_v1.tar.gz",
            "c40f74a18d3b61f90feba1e17730e0d38e8b97c05fde7008942e91923d1658fe",
            84_125_825,
            mirrors=(Mirror("http://ai.stanford.edu/~amaas/data/sentiment/"),),
        ),
    ),
    classes=_SENTIMENTS,
    records="25000 train + 25000 test",
    description="film reviews with their stars, one text file each",
    source="https://ai.stanford.edu/~amaas/data/sentiment/",
    licence=_IMDB_LICENCE,
    citation=_MAAS,
)

IMDB_TSV = DataSet(
    name="imdb_tsv",
    folder="imdb",
    files=(
        DataFile(
            "train.tsv.gz",
            "7c5ee76710a7044d0bd7a0333bb8a6752b2393e35a7f78dee4b25349bf182481",
            13_498_706,
        ),
        DataFile(
            "test.tsv.gz",
            "7df476ede4b458168a223a4a84e7acfd86146faee0ea83897a0799aabb8eb291",
            13_182_955,
        ),
    ),
    classes=_SENTIMENTS,
    records="25000 train + 25000 test",
    description="film reviews with their stars, one line each",
    source="https://ai.stanford.edu/~amaas/data/sentiment/",
    licence=_IMDB_LICENCE,
    citation=_MAAS,
    by_hand="it was packed for this project's tests; use imdb, which can be downloaded",
    fidelity="complete; own order; tabs and line ends within 27 reviews are blanks",
)

IMDB_KERAS = DataSet(
    name="imdb_keras",
    folder="imdb",
    files=(
        DataFile(
            "imdb.npz",
            "69664113be75683a8fe16e3ed0ab59fda8886cb3cd7ada244f7d9544e4676b9f",
            17_464_789,
            mirrors=(
                Mirror("https://storage.googleapis.com/tensorflow/tf-keras-datasets/"),
                Mirror("https://s3.amazonaws.com/text-datasets/"),
            ),
        ),
    ),
    classes=_SENTIMENTS,
    records="25000 train + 25000 test",
    description="film reviews as lists of word ranks (read without running its pickles)",
    source="https://keras.io/api/datasets/imdb/",
    licence=_IMDB_LICENCE,
    citation=_MAAS,
)

MAX_BYTES = 1 << 28
MAX_REVIEW = 1 << 20
TSV_HEADER = b"label\trating\tid\ttext"
_MEMBER = re.compile(r"(?:.*/)?(train|test)/(pos|neg)/([0-9]{1,7})_([0-9]{1,2})\.txt")
_STARS = re.compile(rb"[0-9]|10")


class ReviewParts(NamedTuple):
    """The official training and test part."""

    train: Reviews
    test: Reviews


class CodedReviews(NamedTuple):
    """One part as lists of word codes, with y (N,) int64."""

    codes: list[list[int]]
    y: np.ndarray


@checked
def imdb() -> ReviewParts:
    """25000 + 25000 film reviews, half of them positive (Maas et al., ACL 2011).

    `<br />` is kept as in the files. Found in TINYDL_DATA/imdb (the official aclImdb_v1.tar.gz or
    train.tsv.gz and test.tsv.gz), else in the user cache, else downloaded (84 MB). Raises DataError
    when it cannot be had, FormatError for a damaged file.
    """
    dataset = first_present(IMDB, IMDB_TSV)
    paths = [locate(dataset, file) for file in dataset.files]
    if len(paths) == 1:
        return read_imdb_tar(paths[0])
    return ReviewParts(read_imdb_tsv(paths[0]), read_imdb_tsv(paths[1]))


@reader("imdb")
def read_imdb_tsv(path: str | Path) -> Reviews:
    """The reviews in a text file (gzip or not) of lines label, rating, id, text with tabs between
    them and that header; label 1 is positive. Only LF ends a line: texts contain U+0085."""
    lines = read_bytes(path, MAX_BYTES).split(b"\n")
    if lines.pop(0).rstrip(b"\r") != TSV_HEADER:
        raise FormatError(f"imdb: {shown(path)} does not begin with the header {TSV_HEADER!r}")
    texts, labels, stars = [], [], []
    for number, line in enumerate(lines, 2):
        if not line and number == len(lines) + 1:
            break  # after the last LF
        fields = line.split(b"\t")
        if len(fields) != 4 or fields[0] not in (b"0", b"1") or not _STARS.fullmatch(fields[1]):
            raise FormatError(f"imdb: {shown(path)}: line {number} is not label, rating, id, text")
        texts.append(_text(fields[3], f"{path}: line {number}"))
        labels.append(int(fields[0]))
        stars.append(int(fields[1]))
    return _reviews(texts, labels, stars, path)


@reader("imdb")
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
            if not _STARS.fullmatch(stars.encode()):
                raise FormatError(f"imdb: {shown(path)}: {member} has {stars} of 10 stars")
            text = _text(data, f"{path}: {member}")
            found[part].append(((label, int(number)), text, int(stars)))
    parts = []
    for rows in found.values():
        rows.sort(key=lambda row: row[0])
        if len({row[0] for row in rows}) != len(rows):
            raise FormatError(f"imdb: {shown(path)} has two reviews of one number")
        labels = [int(label == "pos") for (label, _), _, _ in rows]
        parts.append(_reviews([r[1] for r in rows], labels, [r[2] for r in rows], path))
    return ReviewParts(*parts)


@checked
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
    objects in the file are pickles; they are read as data, nothing in them is run. Where only
    train.tsv.gz and test.tsv.gz are there, the ranks are counted in the texts of the training part,
    cut as Keras' Tokenizer cuts them (words of equal count by the alphabet; a word that only the
    test part has is unknown): the same meaning, but not the numbers of Keras' file. Errors of
    `imdb`.
    """
    dataset = first_present(IMDB_KERAS, IMDB_TSV)
    paths = [locate(dataset, file) for file in dataset.files]
    parts = read_imdb_npz(paths[0]) if dataset is IMDB_KERAS else _ranked(*paths)
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


#: What Keras' Tokenizer takes for blanks.
_BLANKS = str.maketrans(dict.fromkeys('!"#$%&()*+,-./:;<=>?@[\\]^_`{|}~\t\n', " "))
UNSEEN = 0  # the rank of a word that the training part lacks


def _words(text: str) -> list[str]:
    return [word for word in text.lower().translate(_BLANKS).split(" ") if word]


def _ranked(train: Path, test: Path) -> tuple[CodedReviews, CodedReviews]:
    """The reviews of two TSV files as ranks of their words among those of the first, from 1."""
    parts = [read_imdb_tsv(train), read_imdb_tsv(test)]
    words = [[_words(text) for text in part.texts] for part in parts]
    counts: Counter[str] = Counter()
    for row in words[0]:
        counts.update(row)
    order = sorted(counts, key=lambda word: (-counts[word], word))
    ranks = {word: rank for rank, word in enumerate(order, 1)}
    first, second = (
        CodedReviews([[ranks.get(word, UNSEEN) for word in row] for row in rows], part.y)
        for rows, part in zip(words, parts, strict=True)
    )
    return first, second


@reader("imdb")
def read_imdb_npz(path: str | Path) -> tuple[CodedReviews, CodedReviews]:
    """(train, test) as stored in Keras' imdb.npz: word ranks from 1, nothing shifted or
    filtered."""
    found = read_npz(path, ("x_train", "y_train", "x_test", "y_test"))
    parts = []
    for part in ("train", "test"):
        codes, y = found[f"x_{part}"], found[f"y_{part}"]
        if type(codes) is not list or not isinstance(y, np.ndarray) or y.shape != (len(codes),):
            raise FormatError(
                f"imdb: {shown(path)}: x_{part} and y_{part} are not N lists and N labels"
            )
        for row in codes:
            if type(row) is not list or not all(type(rank) is int and rank > 0 for rank in row):
                raise FormatError(
                    f"imdb: {shown(path)}: a row of x_{part} is not a list of word ranks"
                )
        if y.dtype.kind not in "iu" or not np.isin(y, (0, 1)).all():
            raise FormatError(f"imdb: {shown(path)}: y_{part} has labels other than 0 and 1")
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
    codes = [
        start + [rank + index_from if rank != UNSEEN else -1 for rank in row] for row in part.codes
    ]
    if maxlen is None:
        return CodedReviews(codes, part.y)
    kept = [k for k, row in enumerate(codes) if len(row) < maxlen]
    if not kept:
        raise ConfigError(f"imdb_keras: no review is shorter than maxlen {maxlen}")
    return CodedReviews([codes[k] for k in kept], part.y[kept])


def _filtered(
    part: CodedReviews, skip_top: int, num_words: int, oov_char: int | None
) -> CodedReviews:
    skip_top = max(skip_top, 0)  # below it are the words that nobody counted
    if oov_char is None:
        codes = [[c for c in row if skip_top <= c < num_words] for row in part.codes]
    else:
        codes = [[c if skip_top <= c < num_words else oov_char for c in row] for row in part.codes]
    return CodedReviews(codes, part.y)


def _text(data: bytes, name: str) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise FormatError(f"imdb: {shown(name)} is not UTF-8 text ({error})") from None


def _reviews(texts: list[str], labels: list[int], stars: list[int], path: str | Path) -> Reviews:
    if not texts:
        raise FormatError(f"imdb: {shown(path)} holds no reviews")
    return Reviews(tuple(texts), np.array(labels, np.int64), np.array(stars, np.int64))
