"""Byte pairs as tokens: parts of words that the texts themselves say are frequent."""

from __future__ import annotations

import heapq
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import pairwise

from ..arguments import text as checked_text
from ..arguments import texts as checked_texts
from ..doors import checked
from ..errors import ConfigError
from ..quoting import quoted
from .text import PADDING, Tokenizer

#: Pieces that no token crosses: a word or a row of marks with the blank before it, else one blank.
_PIECE = re.compile(r"\s?\w+|\s?[^\w\s]+|\s")
_PLAIN = {*range(33, 127), *range(161, 173), *range(174, 256)}  # of Latin-1: what can be printed
_OTHERS = [k for k in range(256) if k not in _PLAIN]
#: How a byte is written: as its character of Latin-1; the 68 that cannot be printed, the blank
#: among them, as those from U+0100 on, in order (as GPT-2 does).
BYTES = tuple([chr(k) if k in _PLAIN else chr(256 + _OTHERS.index(k)) for k in range(256)])
_WRITTEN = dict(enumerate(BYTES))
_NUMBERS = {byte: bytes([k]) for k, byte in enumerate(BYTES)}
KEPT = 100_000  # pieces whose tokens are remembered

Pair = tuple[str, str]


class BytePairTokenizer(Tokenizer):
    """Tokens are the 256 bytes of UTF-8 and what pairs of tokens were joined to.

    A text is cut into pieces (words, rows of marks, each with the blank before it) and a piece into
    its bytes; then, as long as two neighbours are a pair, the pair that was found first is joined.
    So nothing is unknown, and decode(encode(text)) == text; decode shows bytes that are no UTF-8 as
    U+FFFD. vocabulary: marks, such as "<pad>", which no text is encoded to; the bytes in order; the
    joined pairs in the order in which they were found: all that has to be stored. ConfigError for
    another one.

    >>> tokenizer = BytePairTokenizer.fit(["low lower lowest"], 260, marks=(), min_count=1)
    >>> tokenizer.vocabulary[256:], [tokenizer.vocabulary[k] for k in tokenizer.encode("slow")]
    (('lo', 'low', 'lowe', 'Ġlowe'), ['s', 'low'])

    Sennrich, Haddow and Birch 2016 (arXiv:1508.07909), section 3.2 and algorithm 1; bytes in the
    place of characters: Radford et al. 2019 (GPT-2), section 2.2.
    """

    @checked
    def __init__(self, vocabulary: Sequence[str]) -> None:
        super().__init__(vocabulary)
        first = self._index.get(BYTES[0], 0)
        if self.vocabulary[first : first + 256] != BYTES:
            raise ConfigError("BytePairTokenizer: the vocabulary must hold all 256 bytes in order")
        self._ranks: dict[Pair, int] = {}
        for rank, token in enumerate(self.vocabulary[first + 256 :]):
            parts = self._joined(token)
            if len(parts) != 2:
                raise ConfigError(
                    f"BytePairTokenizer: {quoted(token)} is no pair of the tokens before it"
                )
            self._ranks[parts[0], parts[1]] = rank
        self._remembered = lru_cache(KEPT)(self._joined)

    @classmethod
    @checked
    def fit(
        cls,
        texts: Iterable[str],
        max_tokens: int,
        marks: Sequence[str] = (PADDING,),
        min_count: int = 2,
    ) -> BytePairTokenizer:
        """The marks, the bytes, and again and again the pair of neighbours that is most frequent in
        the texts, until there are max_tokens or no pair occurs min_count times. Equally frequent
        pairs come in the order of code points; pieces that occur less than min_count times are not
        looked at. ConfigError for marks that are bytes or equal, and for fewer tokens than these.
        """
        marks = checked_texts("BytePairTokenizer.fit", "marks", list(marks))
        least = len(marks) + len(BYTES)
        if max_tokens < least or min_count < 1 or len({*marks, *BYTES}) < least:
            raise ConfigError(
                f"BytePairTokenizer.fit: needs distinct marks that are no bytes, min_count >= 1 "
                f"and max_tokens >= {least}, got {list(marks)}, {min_count} and {max_tokens}"
            )
        counts: Counter[str] = Counter()
        for one in texts:
            counts.update(_pieces(checked_text("BytePairTokenizer.fit", "each text", one)))
        frequent = {piece: n for piece, n in counts.items() if n >= min_count}
        return cls([*marks, *BYTES, *_found(frequent, max_tokens - least, min_count, marks)])

    def split(self, text: str) -> list[str]:
        return [token for piece in _pieces(text) for token in self._remembered(piece)]

    def join(self, tokens: Iterable[str]) -> str:
        data = [_NUMBERS.get(sign) or sign.encode() for token in tokens for sign in token]
        return b"".join(data).decode("utf-8", "replace")

    def _joined(self, piece: str) -> list[str]:
        """The tokens of a piece."""
        parts, last = list(piece), len(self._ranks)
        while len(parts) > 1:
            best = min(pairwise(parts), key=lambda pair: self._ranks.get(pair, last))
            if best not in self._ranks:
                break
            parts = _merged(parts, best)
        return parts


def _pieces(text: str) -> list[str]:
    """Each piece of a text as the characters of its bytes; ConfigError for a lone surrogate."""
    try:
        found = [piece.encode().decode("latin-1") for piece in _PIECE.findall(text)]
        return [piece.translate(_WRITTEN) for piece in found]
    except UnicodeEncodeError as error:
        raise ConfigError(f"BytePairTokenizer: the text has no UTF-8: {error.reason}") from None


def _merged(parts: list[str], pair: Pair) -> list[str]:
    """The parts with each such pair of neighbours joined, from the left."""
    made: list[str] = []
    k = 0
    while k < len(parts):
        two = parts[k] == pair[0] and k + 1 < len(parts) and parts[k + 1] == pair[1]
        made.append(parts[k] + pair[1] if two else parts[k])
        k += 2 if two else 1
    return made


def _found(counts: dict[str, int], most: int, least: int, taken: Sequence[str]) -> list[str]:
    """The joined pairs of pieces that occur so often, the most frequent first.

    The heap may say of a pair that it is more frequent than it is by now: then it is put back with
    the right number. `where` may name pieces that no longer have the pair: nothing changes there.
    """
    words, times = [list(piece) for piece in counts], list(counts.values())
    totals: Counter[Pair] = Counter()
    where: defaultdict[Pair, set[int]] = defaultdict(set)
    for k, word in enumerate(words):
        for pair in pairwise(word):
            totals[pair] += times[k]
            where[pair].add(k)
    found: list[str] = []
    heap = [(-n, pair) for pair, n in totals.items()]
    heapq.heapify(heap)
    while heap and len(found) < most:
        said, pair = heapq.heappop(heap)
        now = totals[pair]
        if now < least or pair[0] + pair[1] in taken:
            continue
        if now < -said:
            heapq.heappush(heap, (-now, pair))
            continue
        found.append(pair[0] + pair[1])
        for new in _replace(words, times, totals, where, pair):
            heapq.heappush(heap, (-totals[new], new))
    return found


def _replace(
    words: list[list[str]],
    times: list[int],
    totals: Counter[Pair],
    where: defaultdict[Pair, set[int]],
    pair: Pair,
) -> set[Pair]:
    """Join a pair wherever it stands, and keep the counts true; the pairs that this made."""
    made = set()
    for k in where.pop(pair):
        old, words[k] = words[k], _merged(words[k], pair)
        for before in pairwise(old):
            totals[before] -= times[k]
        for after in pairwise(words[k]):
            totals[after] += times[k]
            if pair[0] + pair[1] in after:
                where[after].add(k)
                made.add(after)
    return made
