"""Perplexity, bits per character, BLEU, exact matches, edits of labels."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from math import exp, log

import numpy as np

from ..arguments import array
from ..doors import checked, sequence
from ..errors import ConfigError, DTypeError, ShapeError

Tokens = Sequence[object]


@checked
def perplexity(losses: np.ndarray | float) -> float:
    """exp(mean of the losses): a loss is -ln P(token | what came before), in nats.

    losses: any shape, one per token (or their mean). A uniform guess among V tokens has perplexity
    V. Perplexities compare only for equal tokens. ShapeError if empty; infinite for a token of
    probability 0.
    """
    return float(np.exp(_mean("perplexity", losses)))


@checked
def bits_per_character(losses: np.ndarray | float, characters_per_token: float = 1.0) -> float:
    """mean of the losses (nats per token) / (ln 2 * characters per token).

    For a model of characters the latter is 1; for a model of words it is the length of the text in
    characters, spaces included, by its number of tokens.
    """
    if not characters_per_token > 0:
        raise ConfigError(
            f"bits_per_character: characters_per_token must be > 0, got {characters_per_token}"
        )
    return _mean("bits_per_character", losses) / (log(2) * characters_per_token)


@checked
def exact_match(candidates: Sequence[Tokens], references: Sequence[Sequence[Tokens]]) -> float:
    """The share of the candidates that are, token by token, one of their references.

    candidates: N token sequences; references: N lists of one or more token sequences. Tokens are
    compared as they are. Raises ShapeError and DTypeError.
    """
    _check_references("exact_match", candidates, references)
    pairs = zip(candidates, references, strict=True)
    return float(np.mean([any(list(c) == list(r) for r in several) for c, several in pairs]))


def _check_references(
    op: str, candidates: Sequence[Tokens], references: Sequence[Sequence[Tokens]]
) -> None:
    for i, one in enumerate((*candidates, *references)):
        sequence(op, f"each of candidates and references ({i})", one)
    for several in references:
        for reference in several:
            sequence(op, "a reference", reference)
    if len(candidates) != len(references) or not len(candidates) or not all(map(len, references)):
        raise ShapeError(
            f"{op}: needs one list of references per candidate, got {len(references)} for "
            f"{len(candidates)}"
        )


def _check_bleu(
    candidates: Sequence[Tokens],
    references: Sequence[Sequence[Tokens]],
    max_order: int,
    smoothing: str,
) -> None:
    _check_references("bleu", candidates, references)
    if smoothing not in ("none", "add_one", "exp") or max_order < 1:
        raise ConfigError(
            f"bleu: smoothing must be 'none', 'add_one' or 'exp' and max_order >= 1, got "
            f"{smoothing!r} and {max_order}"
        )


@checked
def bleu(
    candidates: Sequence[Tokens],
    references: Sequence[Sequence[Tokens]],
    max_order: int = 4,
    smoothing: str = "none",
) -> float:
    """BLEU of a corpus in [0, 1]: BP exp(mean over n = 1 ... max_order of ln p_n).

    p_n: of the n-grams of all candidates, the share that a reference has too, each counted at most
    as often as in the one reference that has it most often. BP = min(1, exp(1 - r / c)), c the
    length of all candidates, r of the references nearest in length (ties: the shorter).
    (Papineni et al. 2002, doi:10.3115/1073083.1073135.)

    candidates: N token sequences; references: N lists of one or more token sequences. Tokens are
    compared as they are: the tokenization decides the number. smoothing, for p_n = 0 in short
    texts: "none" gives 0; "add_one" adds 1 to both counts of p_n for n >= 2 (Lin and Och 2004);
    "exp" takes the k-th p_n that is 0 as 1 / (2^k total_n) (NIST's mteval, sacreBLEU's default). An
    order for which the candidates are too short is left out of the mean. 0 if all candidates are
    empty.
    """
    _check_bleu(candidates, references, max_order, smoothing)
    size = sum(map(len, candidates))
    if size == 0:
        return 0.0
    logarithms = []
    zeros = 0
    for n in range(1, max_order + 1):
        matches, total = _matches(candidates, references, n)
        if total == 0:
            continue
        if smoothing == "add_one" and n > 1:
            matches, total = matches + 1, total + 1
        elif smoothing == "exp" and matches == 0:
            zeros += 1
            matches = 0.5**zeros
        if matches == 0:
            return 0.0
        logarithms.append(log(matches / total))
    nearest = sum(
        min((abs(len(r) - len(c)), len(r)) for r in several)[1]
        for c, several in zip(candidates, references, strict=True)
    )
    penalty = min(1.0, exp(1 - nearest / size))
    return penalty * exp(sum(logarithms) / len(logarithms))


def _matches(
    candidates: Sequence[Tokens], references: Sequence[Sequence[Tokens]], n: int
) -> tuple[float, int]:
    """(n-grams that are also in a reference, all n-grams) of the candidates."""
    matches, total = 0, 0
    for candidate, several in zip(candidates, references, strict=True):
        own = _ngrams(candidate, n)
        known: Counter[tuple[object, ...]] = Counter()
        for reference in several:
            known |= _ngrams(reference, n)  # the larger count of each
        matches += (own & known).total()
        total += own.total()
    return float(matches), total


def _ngrams(tokens: Tokens, n: int) -> Counter[tuple[object, ...]]:
    try:
        return Counter(tuple(tokens[k : k + n]) for k in range(len(tokens) - n + 1))
    except TypeError:
        raise DTypeError("bleu: a token must be a text or a number (hashable)") from None


def _mean(op: str, losses: np.ndarray | float) -> float:
    losses = array(op, "losses", losses).astype(np.float64)
    if losses.size == 0:
        raise ShapeError(f"{op}: there are no losses")
    return float(losses.mean())


@checked
def edit_distance(truth: Tokens, guess: Tokens) -> int:
    """The fewest insertions, deletions and replacements that turn one sequence into the other.

    Row by row of the table of all beginnings: d(i, j) = min(d(i-1, j) + 1, d(i, j-1) + 1, d(i-1,
    j-1) + [truth_i != guess_j]) (Levenshtein 1966; Wagner and Fischer 1974).

    >>> edit_distance(list("kitten"), list("sitting"))
    3
    """
    sequence("edit_distance", "truth", truth)
    sequence("edit_distance", "guess", guess)
    above = list(range(len(guess) + 1))
    for i, own in enumerate(truth, 1):
        row = [i]
        for j, other in enumerate(guess, 1):
            row.append(min(above[j] + 1, row[-1] + 1, above[j - 1] + (own != other)))
        above = row
    return above[-1]


@checked
def label_error_rate(truths: Sequence[Tokens], guesses: Sequence[Tokens]) -> float:
    """The sum of the `edit_distance` of all pairs by the sum of the truths' lengths; above 1 where
    guesses are longer. ShapeError without labels, or for lists of different lengths. Graves et al.
    2006, equation 1, over the corpus as a whole."""
    for name, rows in (("truths", truths), ("guesses", guesses)):
        for row in rows:
            sequence("label_error_rate", f"each of {name}", row)
    if len(truths) != len(guesses) or not sum(map(len, truths)):
        raise ShapeError(
            f"label_error_rate: needs a guess per truth, and labels, got {len(truths)} truths and "
            f"{len(guesses)} guesses"
        )
    wrong = sum(edit_distance(a, b) for a, b in zip(truths, guesses, strict=True))
    return wrong / sum(map(len, truths))
