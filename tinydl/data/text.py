"""Tokenizers of characters and words: a text becomes int64 indices, and back."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np

from ..arguments import array, integers, whole
from ..arguments import text as checked_text
from ..doors import checked
from ..errors import ConfigError, IndexRangeError, ShapeError
from ..quoting import quoted

PADDING, UNKNOWN = "<pad>", "<unk>"
_BREAK = re.compile(r"<br\s*/?>", re.IGNORECASE)
_WORD = re.compile(r"\w+(?:'\w+)*|[^\w\s]")


class Tokenizer:
    """A vocabulary and the way a text is cut; `CharacterTokenizer` and `WordTokenizer` are the two.

    vocabulary: the distinct tokens, index by index; it is all that has to be stored. If it contains
    "<pad>" or "<unk>", `padding` and `unknown` are their indices, else None. ConfigError for a
    vocabulary that is empty or has a token twice.
    """

    @checked
    def __init__(self, vocabulary: Sequence[str]) -> None:
        self.vocabulary = tuple(
            [checked_text("Tokenizer", "a token", token) for token in vocabulary]
        )
        self._index = {token: k for k, token in enumerate(self.vocabulary)}
        if not self._index or len(self._index) != len(self.vocabulary):
            raise ConfigError("Tokenizer: the vocabulary must be distinct tokens, at least one")
        self.padding = self._index.get(PADDING)
        self.unknown = self._index.get(UNKNOWN)

    def __len__(self) -> int:
        return len(self.vocabulary)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({len(self)} tokens)"

    def split(self, text: str) -> list[str]:
        """The tokens of a text, before any of them is replaced."""
        raise NotImplementedError

    def join(self, tokens: Iterable[str]) -> str:
        """A text of these tokens."""
        raise NotImplementedError

    def encode(self, text: str) -> np.ndarray:
        """(T,) int64; a token outside the vocabulary becomes `unknown`, or is a ConfigError."""
        tokens = self.split(checked_text(type(self).__name__, "the text", text))
        if self.unknown is None:
            if missing := [token for token in tokens if token not in self._index]:
                raise ConfigError(
                    f"{type(self).__name__}: {quoted(missing[0])} is not in the vocabulary, which "
                    f"has no {UNKNOWN}"
                )
            return np.array([self._index[token] for token in tokens], dtype=np.int64)
        return np.array([self._index.get(t, self.unknown) for t in tokens], dtype=np.int64)

    @checked
    def decode(self, indices: Iterable[int]) -> str:
        """The text of these indices; padding is left out. IndexRangeError outside 0 ... size -
        1."""
        tokens = []
        for index in integers(type(self).__name__, "indices", list(indices)).ravel().tolist():
            if not 0 <= index < len(self):
                raise IndexRangeError(f"{type(self).__name__}: no token {index} of {len(self)}")
            if index != self.padding:
                tokens.append(self.vocabulary[index])
        return self.join(tokens)


class CharacterTokenizer(Tokenizer):
    """Every character is a token.

    >>> tokenizer = CharacterTokenizer.fit("hello")
    >>> tokenizer.vocabulary, tokenizer.encode("hole").tolist()
    (('e', 'h', 'l', 'o'), [1, 3, 2, 0])
    """

    @classmethod
    def fit(
        cls, text: str, min_count: int = 1, unknown: bool = False, padding: bool = False
    ) -> CharacterTokenizer:
        """The characters that occur at least `min_count` times, in the order of their code points.

        Before them come "<pad>" if `padding` and "<unk>" if `unknown`; a min_count above 1 needs
        the latter.
        """
        if min_count > 1 and not unknown:
            raise ConfigError("CharacterTokenizer: min_count drops characters, so set unknown=True")
        kept = sorted(c for c, count in Counter(text).items() if count >= min_count)
        return cls([PADDING] * padding + [UNKNOWN] * unknown + kept)

    def split(self, text: str) -> list[str]:
        return list(text)

    def join(self, tokens: Iterable[str]) -> str:
        return "".join(tokens)


class WordTokenizer(Tokenizer):
    """Words and single marks of punctuation are tokens; index 0 pads, index 1 is unknown.

    lower: whether texts are lower-cased. `<br />` separates words; the original spacing is lost.

    >>> tokenizer = WordTokenizer.fit(["A cat. The cat's cat!", "The dog."], min_count=2)
    >>> tokenizer.vocabulary
    ('<pad>', '<unk>', '.', 'cat', 'the')
    >>> tokenizer.decode(tokenizer.encode("The cat runs."))
    'the cat <unk> .'
    """

    @checked
    def __init__(self, vocabulary: Sequence[str], lower: bool = True) -> None:
        super().__init__(vocabulary)
        self.lower = lower

    @classmethod
    def fit(
        cls,
        texts: Iterable[str],
        max_tokens: int | None = None,
        min_count: int = 1,
        lower: bool = True,
    ) -> WordTokenizer:
        """The words that occur at least `min_count` times, the most frequent first, ties in the
        order of code points; of them so many that the vocabulary has at most `max_tokens`."""
        if max_tokens is not None and max_tokens < 3:
            raise ConfigError(f"WordTokenizer: max_tokens must be >= 3, got {max_tokens}")
        counts: Counter[str] = Counter()
        for text in texts:
            counts.update(split_words(text, lower))
        kept = sorted((-count, word) for word, count in counts.items() if count >= min_count)
        words = [word for _, word in kept if word not in (PADDING, UNKNOWN)]
        return cls([PADDING, UNKNOWN, *words][:max_tokens], lower)

    def split(self, text: str) -> list[str]:
        return split_words(text, self.lower)

    def join(self, tokens: Iterable[str]) -> str:
        return " ".join(tokens)


@checked
def split_words(text: str, lower: bool = True) -> list[str]:
    """Words (letters, digits, underscores, inner apostrophes) and single other marks, in order."""
    text = _BREAK.sub(" ", text)
    return _WORD.findall(text.lower() if lower else text)


@checked
def pad_sequences(
    sequences: Sequence[Sequence[int] | np.ndarray],
    length: int | None = None,
    value: int = 0,
    padding: str = "pre",
    truncating: str = "pre",
) -> np.ndarray:
    """Lists of different lengths as one (N, length) int64 array.

    length: None for the longest. padding, truncating: "pre" fills and cuts at the front, "post" at
    the end; "pre" for both is Keras' default, so the END of a long text is what remains.

    >>> pad_sequences([[1, 2, 3], [4]], 2).tolist()
    [[2, 3], [0, 4]]
    """
    for option in (padding, truncating):
        if option not in ("pre", "post"):
            raise ConfigError(f"pad_sequences: must be 'pre' or 'post', got {quoted(option)}")
    if isinstance(sequences, np.ndarray) and sequences.ndim < 2:
        raise ShapeError(f"pad_sequences: needs several sequences, got shape {sequences.shape}")
    rows = [integers("pad_sequences", f"sequence {i}", s) for i, s in enumerate(sequences)]
    if any(row.ndim != 1 for row in rows):
        raise ShapeError(f"pad_sequences: sequences must be (T,), got {[r.shape for r in rows]}")
    length = max(map(len, rows), default=0) if length is None else length
    whole("pad_sequences", "length", length, 1)
    result = np.full((len(rows), length), value, dtype=np.int64)
    for row, sequence in zip(result, rows, strict=True):
        kept = sequence[-length:] if truncating == "pre" else sequence[:length]
        if len(kept):
            place = slice(length - len(kept), None) if padding == "pre" else slice(len(kept))
            row[place] = kept
    return result


@checked
def sequence_mask(lengths: Sequence[int] | np.ndarray, length: int) -> np.ndarray:
    """(N, length) bool: True for the first `lengths[n]` places of row n."""
    counts = array("sequence_mask", "lengths", lengths)
    if counts.ndim != 1 or length < 0:
        raise ShapeError(f"sequence_mask: lengths must be (N,), got {counts.shape} and {length}")
    return np.arange(length) < counts[:, None]
