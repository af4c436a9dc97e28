"""Callbacks that look at a run and change nothing: samples in the terminal, TensorBoard files.

`WriteHistory` (callbacks.py) is the CSV log; `tinydl.viz.WriteImages` writes pictures.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from time import time
from typing import TYPE_CHECKING, Any

import numpy as np

from ..doors import checked
from ..errors import ConfigError, how_to_install
from ..nn.watch import looking
from .loop import State

if TYPE_CHECKING:
    from ..nn import Module


class PrintSamples:
    """After every `every` epochs, sample(model), printed: generated text, some predictions.

    sample runs with dropout off and unrecorded, and leaves no trace (`looking`), so that a watched
    run is the same, bit by bit, as one that nobody watches. tell: takes the text. Raises
    ConfigError for every < 1.
    """

    writes = True  # of several ranks only the first

    @checked
    def __init__(
        self,
        sample: Callable[[Module], Any],
        every: int = 1,
        tell: Callable[[str], None] = print,
    ) -> None:
        if every < 1:
            raise ConfigError(f"PrintSamples: every must be >= 1, got {every!r}")
        self.sample, self.every, self.tell = sample, every, tell

    def on_epoch_end(self, state: State) -> None:
        if state.epoch % self.every == 0:
            with looking(state.model):
                self.tell(f"epoch {state.epoch}: {self.sample(state.model)}")


class TensorBoard:
    """After every epoch, the history's newest row as TensorBoard scalars: `tensorboard --logdir`.

    Tags put training beside validation: loss/training, loss/validation, accuracy/training, ...;
    time/seconds and optimizer/lr; the step is the epoch. histograms_every: after every so many
    epochs also the distributions weights/<name>, and gradients/<name> of the newest update (0:
    never). A resumed run writes one more file into the same folder. ConfigError without the
    package.
    """

    writes = True  # of several ranks only the first

    @checked
    def __init__(self, folder: str | Path, histograms_every: int = 0) -> None:
        if histograms_every < 0:
            raise ConfigError(
                f"TensorBoard: histograms_every must be >= 0, got {histograms_every!r}"
            )
        try:
            from tensorboard.compat.proto import event_pb2, summary_pb2
            from tensorboard.summary.writer.event_file_writer import EventFileWriter
        except ImportError:
            raise ConfigError(
                f"TensorBoard: event files need a package: {how_to_install('tensorboard')}"
            ) from None
        self.folder, self.histograms_every = Path(folder), histograms_every
        self._open, self._event, self._summary = EventFileWriter, event_pb2.Event, summary_pb2
        self._writer: Any = None

    def on_fit_start(self, state: State) -> None:
        self.on_fit_end(state)  # a fit that failed has left its file open

    def on_epoch_end(self, state: State) -> None:
        if self._writer is None:
            self._writer = self._open(str(self.folder))
        scalars = {_tag(k): v for k, v in state.history.last.items() if k != "epoch"}
        scalars["optimizer/lr"] = getattr(state.optimizer, "lr", float("nan"))
        values = [self._summary.Summary.Value(tag=t, simple_value=v) for t, v in scalars.items()]
        if self.histograms_every and state.epoch % self.histograms_every == 0:
            values += self._histograms(state.model)
        summary = self._summary.Summary(value=values)
        self._writer.add_event(self._event(step=state.epoch, wall_time=time(), summary=summary))
        self._writer.flush()

    def on_fit_end(self, state: State) -> None:
        if self._writer is not None:
            self._writer.close()
            self._writer = None

    def _histograms(self, model: Module) -> list[Any]:
        arrays = {}
        for name, parameter in model.named_parameters():
            arrays[f"weights/{name}"] = parameter.numpy()
            if parameter.grad is not None:
                arrays[f"gradients/{name}"] = parameter.grad.numpy()
        finite = {tag: a[np.isfinite(a)].astype(np.float64) for tag, a in arrays.items()}
        return [
            self._summary.Summary.Value(tag=tag, histo=self._histogram(a))
            for tag, a in finite.items()
            if a.size
        ]

    def _histogram(self, values: np.ndarray) -> Any:
        counts, edges = np.histogram(values, bins=30)
        return self._summary.HistogramProto(
            min=values.min(), max=values.max(), num=values.size, sum=values.sum(),
            sum_squares=(values * values).sum(), bucket_limit=edges[1:], bucket=counts,
        )  # fmt: skip


def _tag(column: str) -> str:
    if column == "seconds":
        return "time/seconds"
    name = column.removeprefix("val_")
    return f"{name}/{'training' if name == column else 'validation'}"
