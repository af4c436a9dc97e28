"""Reading after filling gaps: a network first learns what texts are like, then to judge them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, ClassVar, cast

import numpy as np

from ..arguments import number, whole
from ..data import BytePairTokenizer
from ..data.text import Tokenizer
from ..experiment.datasets import load_dataset
from ..experiment.program import Card, Settings, Streams, Training
from ..function import no_grad
from ..models.transformers.bert import BERT, CLASS, HIDDEN, MARKS, PAD, SEPARATOR, masked
from ..nn import cross_entropy, looking
from ..random import Generator
from ..tensor import Tensor
from ..train import History, State
from .reading import Reading, ReadingTraining, Texts
from .supervised import warmed_cosine

_BREAK = re.compile(r"<br\s*/?>", re.IGNORECASE)
CLIP = 1.0  # the largest norm of all gradients together
GROUP = 32  # batches whose texts are sorted by length together
LOOK = 256  # texts at a time when a part is measured
ASKED = 1_000  # test texts whose gaps are filled after an epoch


def told(tokenizer: Tokenizer, text: str) -> np.ndarray:
    """The tokens of a text in small letters, "<br />" read as a blank."""
    return tokenizer.encode(_BREAK.sub(" ", text).lower())


def row_of(codes: np.ndarray, length: int) -> np.ndarray:
    """(length,): CLASS, the tokens, PAD. Of a text that is too long a quarter of the room holds its
    beginning, SEPARATOR and its end follow (Sun et al. 2019, arXiv:1905.05583, had 128 tokens of
    the beginning and 382 of the end)."""
    room = length - 1
    if len(codes) > room:
        first = room // 4
        codes = np.concatenate([codes[:first], [SEPARATOR], codes[len(codes) - room + first + 1 :]])
    row = np.full(length, PAD)
    row[0], row[1 : len(codes) + 1] = CLASS, codes
    return row


class PairedTexts(Texts):
    """`Texts` in byte pairs, `words` of them at most, marks and bytes among them."""

    def fitted(self, texts: Sequence[str], words: int) -> Tokenizer:
        plain = [_BREAK.sub(" ", text).lower() for text in texts]
        return BytePairTokenizer.fit(plain, words, MARKS)

    def numbers(self, texts: Sequence[str]) -> np.ndarray:
        return np.stack([row_of(told(self.tokenizer, text), self.length) for text in texts])


@dataclass(frozen=True)
class MaskedReading(Reading):
    """A `Reading` by a `BERT`, whose tokens are byte pairs of the training texts: `words` of them.

    The first `pretraining` epochs (all but one at most) hide a `share` of the tokens of the
    training texts and ask for them; labels play no part. An epoch: the texts one behind the other
    in a new order, SEPARATOR between them, are cut into rows of input_shape tokens, CLASS in front;
    a batch hides tokens as `masked` does. Before the first batch the net is told how frequent each
    token is (`BERT.tell_shares`). The epochs after them learn the labels, texts of similar length
    together; their rate is `tuned_lr`. Either rate rises over the first tenth of its updates and
    falls along half a cosine. All gradients together are scaled to the norm 1 where it is larger.

    "loss" and "accuracy" of an epoch's row are those of what it learns; "gap_loss", in nats, and
    "gap_accuracy" those of hidden tokens of the first 1,000 test texts, after an epoch that hides
    some. A net that reads nothing around a gap does better than the tokens' entropy H, for a tenth
    of what is asked stands there: 0.8 H + 0.2 (log 2 + H / 2) nats, and right in a tenth and in 0.8
    times the commonest token's share.
    """

    pretraining: int = 2
    share: float = HIDDEN
    tuned_lr: float = 5e-4

    kind: ClassVar[str] = "masked_reading"
    what: ClassVar[str] = "a network that fills gaps and then judges texts"

    def load(self, recipe: Card, settings: Settings) -> Any:
        reviews = load_dataset(recipe.dataset)
        return PairedTexts(reviews, self.words, self.input_shape[0], recipe.samples)

    def begin(self, recipe: Card, settings: Settings, data: Any = None) -> MaskedReadingTraining:
        texts = self.load(recipe, settings) if data is None else data
        named = {"vocabulary": texts.tokenizer.vocabulary, "classes": tuple(texts.classes)}
        return MaskedReadingTraining(recipe.replaced(**named), settings, texts)

    def stored(self) -> dict[str, Any]:
        own = {"pretraining": self.pretraining, "share": self.share, "tuned_lr": self.tuned_lr}
        return {**super().stored(), **own}

    def restored(self, stored: Mapping[str, Any]) -> MaskedReading:
        made: Any = super().restored(stored)
        before = whole(self.kind, "pretraining", stored["pretraining"], 0)
        share = number(self.kind, "share", stored["share"])
        rate = number(self.kind, "tuned_lr", stored["tuned_lr"])
        return replace(made, pretraining=before, share=share, tuned_lr=rate)

    def tokenizer(self) -> Tokenizer:
        return BytePairTokenizer(self.vocabulary)

    def numbers(self, tokenizer: Any, texts: Sequence[str]) -> np.ndarray:
        return np.stack([row_of(told(tokenizer, text), self.input_shape[0]) for text in texts])


class MaskedReadingTraining(ReadingTraining):
    """Two trainings of one network, one behind the other, by one optimizer."""

    program: Any

    def started(self) -> State:
        program = self.program
        named = self.model.named_parameters()
        self.optimizer = program.optimizer(named, **program.optimizer_settings)
        self.lr = self.optimizer.lr
        data: Any = Streams(order=self.generator.spawn(), gaps=self.generator.spawn())
        return State(self.model, self.optimizer, data, History(), 0, self.recipe.epochs)

    def fit(self, callbacks: Sequence[Any] = (), progress: bool | None = False) -> History:
        return Training.fit(self, callbacks, progress)

    @property
    def before(self) -> int:
        """How many epochs fill gaps."""
        return min(self.program.pretraining, self.recipe.epochs - 1)

    def epoch(self) -> dict[str, float]:
        return self.filled() if self.state.epoch < self.before else self.judged()

    # -- gaps --------------------------------------------------------------------------------------

    @cached_property
    def codes(self) -> dict[str, list[np.ndarray]]:
        """The tokens of the training texts, and of those test texts that are asked, whole."""
        texts, tokenizer = self.text.texts, self.text.tokenizer
        some = {"train": texts["train"], "test": texts["test"][:ASKED]}
        return {part: [told(tokenizer, text) for text in found] for part, found in some.items()}

    def filled(self) -> dict[str, float]:
        """An epoch that hides tokens and asks for them."""
        streams = self.state.data
        batches = self.batches_of("train", streams["order"])  # type: ignore[index]
        rate = warmed_cosine(self.lr, self.before * len(batches))
        if self.state.epoch == 0:
            every = np.concatenate(self.codes["train"])
            cast(BERT, self.model).tell_shares(np.bincount(every, minlength=self.program.words))
        sums = np.zeros(3)
        hidden = (self.hidden(batch, streams["gaps"]) for batch in batches)  # type: ignore[index]
        for k, (x, targets) in enumerate(self.shared(hidden), self.state.epoch * len(batches)):
            loss, right, asked = self.gaps(x, targets)
            sums += self.update(loss, asked, rate(k)), right, asked
        found = self.looked(self.filled_gaps)
        total, told, all_asked = self.total(*sums)
        return {"loss": total / all_asked, "accuracy": told / all_asked, **found}

    def hidden(self, rows: np.ndarray, rng: Generator) -> tuple[np.ndarray, np.ndarray]:
        """(rows (N, T) with some tokens hidden, (N, T) those tokens, -1 at the others)."""
        x, places, targets = masked(rows, len(self.text.tokenizer), rng, self.program.share)
        wanted = np.full(x.size, -1)
        wanted[places] = targets
        return x, wanted.reshape(x.shape)

    def gaps(self, x: np.ndarray, wanted: np.ndarray) -> tuple[Tensor, int, int]:
        """(the mean loss of a batch's hidden tokens, how many are told, how many there are)."""
        room, model = self.model.backend, cast(BERT, self.model)
        places = np.flatnonzero(wanted >= 0)
        asked = len(places) if self.parallel.own(len(x)) else 0
        places = places if asked else np.zeros(1, np.int64)  # one that does not count
        targets = np.maximum(wanted.reshape(-1)[places], 0)
        logits = model.gaps(Tensor(x, backend=room), Tensor(places, backend=room))
        loss = cross_entropy(logits, Tensor(targets, backend=room))
        right = int((logits.numpy().argmax(axis=1) == targets).sum()) if asked else 0
        return loss, right, asked

    def filled_gaps(self) -> dict[str, float]:
        """The same of test texts, with gaps that are the same at every look."""
        rng, sums = Generator(0), np.zeros(3)
        with looking(self.model), no_grad():
            for batch in self.batches_of("test", rng):
                loss, right, asked = self.gaps(*self.hidden(batch, rng))
                sums += (loss.item() * asked, right, asked)
        loss, right = (sums[:2] / sums[2]).tolist()
        return {"gap_loss": loss, "gap_accuracy": right}

    def batches_of(self, part: str, rng: Generator) -> list[np.ndarray]:
        rows = packed(self.codes[part], self.program.input_shape[0], rng)
        size = self.program.batch_size
        return [rows[k : k + size] for k in range(0, len(rows), size)]

    # -- labels ------------------------------------------------------------------------------------

    def judged(self) -> dict[str, float]:
        """An epoch that learns the labels."""
        (x, y), program, first = self.parts.train, self.program, self.state.epoch - self.before
        order: Any = self.state.data["order"]  # type: ignore[index]
        batches = alike(lengths_of(x), program.batch_size, order)
        rate = warmed_cosine(program.tuned_lr, (self.recipe.epochs - self.before) * len(batches))
        sums = np.zeros(2)
        shared = self.shared((rows,) for rows in batches)
        for k, (rows,) in enumerate(shared, first * len(batches)):
            logits, targets = self.answered(x[rows]), Tensor(y[rows], backend=self.model.backend)
            loss = program.loss(logits, targets)
            own = self.parallel.own(len(rows))
            right = program.metric(logits, targets).numpy().sum() * (own > 0)
            sums += self.update(loss, own, rate(k)), right
        total, told_right = self.total(*sums)
        return {"loss": total / len(y), "accuracy": told_right / len(y)}

    def answered(self, rows: np.ndarray) -> Tensor:
        """The logits of texts, without the columns where all are PAD."""
        return self.model(Tensor(rows[:, : lengths_of(rows).max()], backend=self.model.backend))

    def update(self, loss: Tensor, samples: int, rate: float) -> float:
        """One step of the optimizer: the loss times the samples."""
        self.optimizer.lr = rate
        return self.descend(loss, samples, clip=CLIP)

    def measure(self, part: str = "test") -> dict[str, float]:
        (x, y), program, room = self._part(part), self.program, self.model.backend
        order = np.argsort(lengths_of(x), kind="stable")
        with looking(self.model), no_grad():
            pieces = np.split(order, range(LOOK, len(order), LOOK))
            found = np.concatenate([self.answered(x[rows]).numpy() for rows in pieces])
            logits, truth = Tensor(found[np.argsort(order)], backend=room), Tensor(y, backend=room)
            loss, right = program.loss(logits, truth), program.metric(logits, truth)
        return {"loss": loss.item(), program.score: float(right.numpy().mean())}


def packed(codes: Sequence[np.ndarray], length: int, rng: Generator) -> np.ndarray:
    """Texts in a random order, SEPARATOR between them, cut into rows (N, length) that begin with
    CLASS, in an order of their own; what does not fill a row is left out."""
    parts: list[Any] = []
    for k in rng.permutation(len(codes)):
        parts += [[SEPARATOR], codes[k]]
    stream = np.concatenate(parts[1:])
    room = min(length - 1, len(stream))
    rows = stream[: len(stream) // room * room].reshape(-1, room)
    rows = np.concatenate([np.full((len(rows), 1), CLASS), rows], axis=1)
    return rows[rng.permutation(len(rows))]


def lengths_of(x: np.ndarray) -> np.ndarray:
    """How many tokens each row (N, T) has before it is padded."""
    return (x != PAD).sum(axis=1)


def alike(lengths: np.ndarray, size: int, rng: Generator) -> list[np.ndarray]:
    """Batches of rows of similar length: within groups of GROUP batches drawn at random the rows
    are sorted, and the batches come in a random order."""
    order = rng.permutation(len(lengths))
    batches = []
    for group in np.split(order, range(GROUP * size, len(order), GROUP * size)):
        rows = group[np.argsort(lengths[group], kind="stable")]
        batches += np.split(rows, range(size, len(rows), size))
    return [batches[k] for k in rng.permutation(len(batches))]
