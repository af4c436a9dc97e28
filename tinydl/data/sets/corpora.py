"""Long texts for models of characters."""

from __future__ import annotations

from ...doors import checked
from ..download import first_present, locate
from ..formats.plain_text import read_text
from ..record import DataFile, DataSet, Mirror

_KARPATHY = "A. Karpathy, char-rnn, https://github.com/karpathy/char-rnn (2015)"

TINY_SHAKESPEARE = DataSet(
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

TINY_SHAKESPEARE_PACKED = DataSet(
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

WAR_AND_PEACE = DataSet(
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


@checked
def tiny_shakespeare() -> str:
    """Lines from plays of Shakespeare (Karpathy 2015): 1115394 characters, 65 distinct.

    Found in TINYDL_DATA (tiny-shakespeare/input.txt or text/tinyshakespeare.txt.gz), else in the
    user cache, else downloaded (1 MB). Raises DataError when it cannot be had.
    """
    dataset = first_present(TINY_SHAKESPEARE, TINY_SHAKESPEARE_PACKED)
    return read_text(locate(dataset, dataset.files[0]))


@checked
def war_and_peace() -> str:
    """Tolstoy's War and Peace in English: 3196231 bytes of UTF-8, 82 distinct characters.

    Found in TINYDL_DATA/text or in the user cache; DataError otherwise, it has no official address.
    """
    return read_text(locate(WAR_AND_PEACE, WAR_AND_PEACE.files[0]))
