"""Runs that read or write texts, on the page."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import ops
from ..attribution.asking import recorded
from ..data import CharacterTokenizer, WordTokenizer
from ..errors import FormatError
from ..experiment.program import Settings
from ..function import grad, no_grad
from ..models.recurrent.writing import next_probabilities
from ..programs.language import written
from ..programs.reading import numbered
from ..random import Generator
from ..runs.run import OpenRun
from ..tensor import Tensor
from .answers import Asked, bars
from .looks import heat, layers, maps_of, or_reason, word_saliency
from .questions import Question

MOST_TEXT, MOST_SENTENCE = 100_000, 1_000  # bytes
READ, WRITTEN = 400, 200  # characters that a language model reads of a text, and writes behind it
TEMPERATURE = 0.7


def decoded(body: bytes) -> str:
    """FormatError for what is no UTF-8, or empty."""
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        raise FormatError("serve: the text is no UTF-8") from None
    if not text.strip():
        raise FormatError("serve: the text is empty")
    return text


def marked(tokens: list[str], weights: np.ndarray) -> list[dict[str, Any]]:
    """Tokens with what falls to each, 1 for the most."""
    largest = max(float(np.nan_to_num(weights).max(initial=0.0)), 1e-30)
    shares = np.nan_to_num(weights) / largest
    return [{"text": t, "share": float(s)} for t, s in zip(tokens, shares, strict=True)]


class Texts(Asked):
    """A run that is given a text."""

    run: OpenRun
    most = MOST_TEXT

    def __init__(self, run: OpenRun, backend: str | None) -> None:
        super().__init__(run, backend)
        self.questions = {"text": Question(self.most, self.text)}

    def text(self, body: bytes) -> dict[str, Any]:
        raise NotImplementedError(f"{type(self).__name__} answers no text")


class Judged(Texts):
    """A network that judges texts: positive or negative."""

    kind = "judged"

    def __init__(self, run: OpenRun, backend: str | None) -> None:
        super().__init__(run, backend)
        program: Any = run.recipe.program
        if program.vocabulary:
            self.tokenizer = WordTokenizer(program.vocabulary)
        else:
            self.tokenizer = program.load(run.recipe, Settings()).tokenizer

    def text(self, body: bytes) -> dict[str, Any]:
        text = decoded(body)
        program: Any = self.run.recipe.program
        (shares,) = program.read(self.model, self.run.recipe, [text])
        best = max(shares, key=lambda name: shares[name])
        length = program.input_shape[0]
        words = self.tokenizer.split(text)
        x = numbered(self.tokenizer, [text], length)
        weights, why = or_reason(lambda: word_saliency(self.model, lambda: self._logit(x)))
        read = words[-length:]
        notes = [f"of {len(words)} words the last {length} are read"] * (len(words) > length)
        if unknown := sorted({w for w in read if w not in program.vocabulary})[:20]:
            notes += [f"words that the network does not know: {', '.join(unknown)}"]
        return {
            "told": f"{best} ({100 * shares[best]:.1f} %)",
            "bars": bars(shares),
            "notes": notes,
            "tokens": [] if weights is None else marked(read, weights[length - len(read) :]),
            "why_no_attribution": why,
            "layers": or_reason(lambda: layers(self.model, x))[0] or [],
        }

    def _logit(self, x: np.ndarray) -> Tensor:
        return self.model(Tensor(x, backend=self.model.backend))[0, 0]


class Continued(Texts):
    """A language model: what follows the text, and the text that it writes behind it."""

    kind = "continued"

    def __init__(self, run: OpenRun, backend: str | None) -> None:
        super().__init__(run, backend)
        program: Any = run.recipe.program
        known = program.vocabulary
        self.tokenizer = (
            CharacterTokenizer(known) if known else program.load(run.recipe, Settings()).tokenizer
        )
        self.asked = 0  # each time another text

    def text(self, body: bytes) -> dict[str, Any]:
        text = decoded(body).replace("\r\n", "\n")
        read = text[-READ:]
        ids = self.tokenizer.encode(read)
        self.asked += 1
        behind = written(
            self.model, self.tokenizer, read, WRITTEN, Generator(self.asked),
            temperature=TEMPERATURE,
        )  # fmt: skip
        logits, weights, rows = self._looked_at(ids)
        shares = next_probabilities(logits)
        names = [spelled(sign) for sign in self.tokenizer.vocabulary]
        most = bars(list(zip(names, shares.tolist(), strict=True)))
        return {
            "told": f"next: {most[0]['name']} ({100 * most[0]['share']:.1f} %)",
            "text": behind,
            "before": read,
            "notes": [f"of {len(text)} characters the last {READ} are read"] * (len(text) > READ),
            "bars": most,
            "tokens": marked(list(read), weights),
            "layers": rows,
        }

    def _looked_at(self, ids: np.ndarray) -> tuple[np.ndarray, np.ndarray, list[dict[str, Any]]]:
        """Logits (V,) of what follows ids (T,), |d largest / d one-hot| of each of them, (T,), and
        the states of the layers."""
        model: Any = self.model
        first = 0 if model.window is None else max(0, len(ids) - model.window)
        unread, ids = ids[:first], ids[first:]
        given = ops.one_hot(Tensor(ids[None], backend=model.backend), model.tokens)
        with recorded(model):
            leaf = Tensor(given.astype(model.dtype).numpy(), backend=model.backend,
                          requires_grad=True)  # fmt: skip
            logits, states = model.trace(leaf)
            best = int(logits[0].numpy().argmax())
            (slope,) = grad(logits[0, best], leaf)
        kinds = dict(model.named_modules())
        rows = [
            {
                "name": name,
                "kind": type(kinds[name]).__name__,
                **(maps_of(out.detach().numpy()) or {}),
            }
            for name, out in states
        ]
        weights = np.zeros(len(unread) + len(ids))
        weights[len(unread) :] = np.abs((slope.numpy() * leaf.numpy()).sum(axis=-1))[0]
        return logits[0].detach().numpy(), weights, rows


def spelled(sign: str) -> str:
    """A character as people see it."""
    return {" ": "space", "\n": "new line", "\t": "tab"}.get(sign, sign)


class Answered(Texts):
    """A network that writes a sentence about another: translations, dates."""

    kind = "answered"
    most = MOST_SENTENCE

    def text(self, body: bytes) -> dict[str, Any]:
        with no_grad():
            answer = self.run.recipe.program.answer(
                self.model, decoded(body).strip(), self.run.recipe
            )
        found: dict[str, Any] = {"told": answer.text, "notes": list(answer.beside), "layers": []}
        if answer.weights is not None:
            rows, columns = len(answer.words), len(answer.keys)
            found["attention"] = {
                "words": list(answer.words),
                "keys": list(answer.keys),
                "map": heat(answer.weights[:rows, :columns], 0.0),
            }
        return found
