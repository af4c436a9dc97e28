"""The tokenizer of a llama2.c checkpoint, and what its tokens spell.

The file: int32 length of the longest token; then of each token a float32 score, an int32 length and
that many bytes.
"""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np

from ...errors import ConfigError, FormatError
from ...foreign import read_regular, reader
from ...quoting import quoted, shown


class LlamaTokenizer:
    """Pieces of words by byte-pair merging: vocabulary[token] are its bytes, scores[token] says how
    early a pair is merged.

    encode: token 1, a blank before the text, one token for each character (or, where there is none,
    for each of its bytes: <0x41> stands at 3 + 0x41), then again and again the two neighbours whose
    joined bytes are the token with the highest score, the first of equals, until none are left.
    decode is `text_of`. Sennrich et al. 2016 (arXiv:1508.07909), with SentencePiece's scores.
    """

    def __init__(self, vocabulary: list[bytes], scores: list[float]) -> None:
        self.vocabulary, self.scores = vocabulary, scores
        self._token = {piece: k for k, piece in reversed(list(enumerate(vocabulary)))}

    def __len__(self) -> int:
        return len(self.vocabulary)

    def encode(self, text: str) -> list[int]:
        """ConfigError for a character that this vocabulary has neither whole nor in bytes."""
        found: list[int] = []
        for character in f" {text}" if text else "":
            spelled = character.encode("utf-8", "surrogatepass")
            if spelled in self._token:
                found.append(self._token[spelled])
                continue
            pieces = [self._token.get(b"<0x%02X>" % byte) for byte in spelled]
            if None in pieces:
                raise ConfigError(
                    f"llama2c: this vocabulary of {len(self)} tokens has no {quoted(character)}"
                )
            found += [piece for piece in pieces if piece is not None]
        return [1, *self._merged(found)]

    def _merged(self, tokens: list[int]) -> list[int]:
        words, scores = self.vocabulary, self.scores
        while len(tokens) > 1:
            joined = [words[a] + words[b] for a, b in pairwise(tokens)]
            known = [(scores[self._token[w]], -k) for k, w in enumerate(joined) if w in self._token]
            if not known:
                break
            place = -max(known)[1]
            tokens = [*tokens[:place], self._token[joined[place]], *tokens[place + 2 :]]
        return tokens

    def decode(self, tokens: list[int]) -> str:
        """What they spell."""
        return text_of(tokens, self.vocabulary)


@reader("llama2c")
def read_llama2c_tokens(path: str | Path) -> list[bytes]:
    """The tokens of a llama2.c tokenizer, in order. Raises MissingFileError and FormatError."""
    return _read(path)[0]


@reader("llama2c")
def read_llama2c_tokenizer(path: str | Path) -> LlamaTokenizer:
    """The tokenizer of a llama2.c file. Raises MissingFileError and FormatError."""
    return LlamaTokenizer(*_read(path))


def _read(path: str | Path) -> tuple[list[bytes], list[float]]:
    """The tokens and their scores."""
    data = read_regular(path, op="llama2c")
    tokens: list[bytes] = []
    scores: list[float] = []
    at = 4
    while at < len(data):
        if at + 8 > len(data):
            raise FormatError(f"llama2c: {shown(path)} ends in the middle of a token")
        length = int(np.frombuffer(data, "<i4", 1, at + 4)[0])
        if not 0 <= length <= len(data) - at - 8:
            raise FormatError(f"llama2c: token {len(tokens)} of {shown(path)} has {length} bytes")
        tokens.append(data[at + 8 : at + 8 + length])
        scores.append(float(np.frombuffer(data, "<f4", 1, at)[0]))
        at += 8 + length
    if not tokens:
        raise FormatError(f"llama2c: {shown(path)} holds no token")
    if not np.isfinite(scores).all():
        raise FormatError(f"llama2c: {shown(path)} has a score that is no number")
    return tokens, scores


def text_of(tokens: list[int], vocabulary: list[bytes]) -> str:
    """What tokens spell: token 1 begins a text, the blank after it is left out, and <0x41> is one
    byte."""
    pieces = []
    for before, token in zip([-1, *tokens], tokens, strict=False):
        piece = vocabulary[token]
        if token == 1:
            continue
        if before == 1 and piece.startswith(b" "):
            piece = piece[1:]
        if len(piece) == 6 and piece.startswith(b"<0x") and piece.endswith(b">"):
            piece = bytes([int(piece[3:5], 16)])
        pieces.append(piece)
    return b"".join(pieces).decode("utf-8", "replace")
