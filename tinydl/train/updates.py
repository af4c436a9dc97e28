"""When the optimiser steps, and with which gradient."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..arguments import whole
from ..function import no_grad
from .parallel import Alone

if TYPE_CHECKING:
    from ..optim import Optimizer
    from ..tensor import Tensor


class Updates:
    """One optimiser step per `group` batches, with the gradient of the mean over their samples.

    The loss of each batch is weighed with its number of samples n_i before it is walked back, so
    that batches of different size count right: grad = (sum_i n_i grad_i) / (sum_i n_i).
    """

    def __init__(self, optimizer: Optimizer, group: int, parallel: Alone) -> None:
        self.optimizer, self.group = optimizer, whole("fit", "accumulate", group, 1)
        self.parallel = parallel
        self.batches, self.samples = 0, 0.0

    def add(self, loss: Tensor, samples: float) -> None:
        """Walk back from the mean loss of a batch; after the group's last one, step."""
        if self.batches == 0:
            self.optimizer.zero_grad()
        if self.group == 1:
            loss.backward()
            self.parallel.average(self.optimizer.parameters, samples)
            self.optimizer.step()
            return
        (loss * float(samples)).backward()
        self.batches, self.samples = self.batches + 1, self.samples + samples
        if self.batches == self.group:
            self.finish()

    def finish(self) -> None:
        """Step with what has been gathered, if anything: an epoch's last group may be smaller."""
        if self.batches == 0:
            return
        with no_grad():
            for parameter in self.optimizer.parameters:
                if parameter.grad is not None:
                    parameter.grad = parameter.grad * (1.0 / max(1, self.samples))
        self.parallel.average(self.optimizer.parameters, self.samples)
        self.optimizer.step()
        self.batches, self.samples = 0, 0.0
