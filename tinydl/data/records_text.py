"""Catalogue entries of texts: film reviews and two corpora. Only literals."""

from __future__ import annotations

from .record import DataFile, DataSet, Mirror

_MAAS = (
    "A. Maas, R. Daly, P. Pham, D. Huang, A. Ng, C. Potts, Learning word vectors for sentiment "
    "analysis, ACL (2011), https://aclanthology.org/P11-1015"
)
_IMDB_LICENCE = "no formal licence; cite the paper; the reviews belong to their writers"
_SENTIMENTS = ("negative", "positive")

_IMDB = DataSet(
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
_IMDB_TSV = DataSet(
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
_IMDB_KERAS = DataSet(
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

_KARPATHY = "A. Karpathy, char-rnn, https://github.com/karpathy/char-rnn (2015)"
_TINY_SHAKESPEARE = DataSet(
    name="tiny_shakespeare",
    folder="tiny-shakespeare",
    files=(
        DataFile(
            "input.txt",
            "86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed",
            1_115_394,
            mirrors=(
                Mirror(
                    "https://raw.githubusercontent.com/karpathy/char-rnn/master/data/tinyshakespeare/"
                ),
                Mirror("https://github.com/karpathy/char-rnn/raw/master/data/tinyshakespeare/"),
            ),
        ),
    ),
    classes=(),
    records="1115394 characters, 65 distinct",
    description="lines from plays of Shakespeare",
    source="https://github.com/karpathy/char-rnn",
    licence="public domain (text); MIT (repository)",
    citation=_KARPATHY,
)
_TINY_SHAKESPEARE_PACKED = DataSet(
    name="tiny_shakespeare_packed",
    folder="text",
    files=(
        DataFile(
            "tinyshakespeare.txt.gz",
            "bed00f18e91cda6838950656f0a95e07e0f4dbe8649a4b959f7602a7e53fbc6e",
            433_627,
        ),
    ),
    classes=(),
    records="1115394 characters, 65 distinct",
    description="lines from plays of Shakespeare",
    source="https://github.com/karpathy/char-rnn",
    licence="public domain (text); MIT (repository)",
    citation=_KARPATHY,
    by_hand="gzip the file of tiny_shakespeare, which can be downloaded",
    fidelity="the original text, gzip-compressed",
)
_WAR_AND_PEACE = DataSet(
    name="war_and_peace",
    folder="text",
    files=(
        DataFile(
            "warpeace_lf.txt.gz",
            "896cf9b8d1c80b25f06f9d3d87893d1c6fcf7c17be6c55fe5a6ea7d9e6392654",
            1_185_898,
        ),
    ),
    classes=(),
    records="3196231 bytes, 82 distinct characters",
    description="War and Peace in English, as Karpathy used it",
    source="https://cs.stanford.edu/people/karpathy/char-rnn/ (Project Gutenberg's translation)",
    licence="public domain",
    citation="L. Tolstoy, War and Peace, translated by L. and A. Maude; " + _KARPATHY,
    by_hand="read any text file with tinydl.data.read_text(path)",
    fidelity="line ends are LF and there is no byte order mark, unlike in Karpathy's file",
)

TEXTS = (
    _IMDB,
    _IMDB_TSV,
    _IMDB_KERAS,
    _TINY_SHAKESPEARE,
    _TINY_SHAKESPEARE_PACKED,
    _WAR_AND_PEACE,
)
