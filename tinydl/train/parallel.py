"""Data-parallel training over MPI (the extra `mpi`): every process, a rank, has the whole model and
its part of each batch; the gradients are averaged, so that all ranks make the same update.

    mpirun -n 2 python train.py

    ranks = tinydl.train.Ranks()
    ranks.begin(model, batches)                    # the same code and data; rank 0's weights
    for x, y in ranks.parts(batches):              # this rank's rows of every batch
        optimizer.zero_grad()
        nn.cross_entropy(model(x), y).backward()
        ranks.average(optimizer.parameters)        # the mean over the whole batch
        optimizer.step()

A batch of B samples is cut in rank order, so which samples an update sees does not depend on how
many ranks there are: with a loss that is a mean over samples, n_r of them on rank r,

    gradient of the batch = (sum_r n_r gradient_r) / (sum_r n_r).

The sum is one Allreduce of one flat buffer. The order of its additions is the MPI's: results are
bitwise equal from run to run for one number of ranks, and differ by rounding from another's.
`fit(..., parallel=ranks)` does all this. In a single process `ALONE` stands there.
"""

from __future__ import annotations

import hashlib
import os
import sys
import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from time import sleep
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from ..blocks import block
from ..data import Batches
from ..data.batches import is_lazy
from ..errors import ConfigError
from ..function import Function
from ..nn import BatchNorm
from ..random import Generator, RowsOf, default_generator
from ..tensor import Tensor

if TYPE_CHECKING:
    from ..nn import Module
    from .loop import State

Anything = TypeVar("Anything")

#: Seconds that a rank waits with its error: what all ranks meet is said by the first one alone.
POLITE = 1.0


class Alone:
    """One process: every collective call gives back what it is given."""

    rank, size = 0, 1

    def begin(self, model: Module, data: Any = None) -> None:
        """Nothing to agree on."""

    def parts(self, data: Iterable[Any], model: Module | None = None) -> Iterable[Any]:
        """The batches themselves."""
        return data

    def own(self, samples: int) -> int:
        """How many of `samples` rows at hand count."""
        return samples

    def rows(self, stream: Generator) -> Generator:
        """The stream, of which a rank takes its rows."""
        return stream

    def gathered(self, rows: np.ndarray) -> np.ndarray:
        """The rows of all ranks, of a batch that is cut into `parts`."""
        return rows

    def kept(self, rows: np.ndarray) -> np.ndarray:
        """This rank's of them."""
        return rows

    def average(self, parameters: Sequence[Tensor], samples: float | None = None) -> None:
        """The gradients are the batch's already."""

    def total(self, numbers: Sequence[float]) -> list[float]:
        """The sums over the ranks, in float64."""
        return list(numbers)

    def from_first(self, value: Anything) -> Anything:
        """Rank 0's value."""
        return value

    def once(self, make: Callable[[], Anything]) -> Anything:
        """What make() gives on rank 0."""
        return make()

    def stops(self, state: State) -> bool:
        """Whether the training stops, as it does where any rank asks for it."""
        return state.stop

    def settle(self, model: Module) -> None:
        """After an epoch: one mean of the buffers, equal weights."""

    def taking_part(self, callbacks: Sequence[Any]) -> tuple[Any, ...]:
        """The callbacks of this rank."""
        return tuple(callbacks)


ALONE = Alone()


class Ranks(Alone):
    """The ranks of `mpirun`. An error that nobody catches ends all of them.

    rank: the number of this process among `size`. communicator: one of mpi4py's, None: all
    processes that were started together. ConfigError without mpi4py or an MPI.
    """

    def __init__(self, communicator: Any = None) -> None:
        MPI = _mpi()
        self._mpi = MPI
        self.communicator = MPI.COMM_WORLD if communicator is None else communicator
        self._numbered(self.communicator.Get_rank(), self.communicator.Get_size())
        if self.size > 1:
            sys.excepthook = self._ending

    def _numbered(self, rank: int, size: int) -> None:
        self.rank, self.size = rank, size
        self._samples: int | None = None  # of the part handed out last that count
        self._place = 0, 1, 1  # the part's first row, its rows, those of the batch

    # What is done by MPI (in a process of threads otherwise: threads.py).

    def _add(self, sums: np.ndarray) -> None:
        """Put the sum over the ranks into the array."""
        self.communicator.Allreduce(self._mpi.IN_PLACE, sums)

    def all_of(self, value: Anything) -> list[Anything]:
        """The value of every rank, in their order."""
        return self.communicator.allgather(value)

    def from_first(self, value: Anything) -> Anything:
        return self.communicator.bcast(value, root=0)

    @property
    def local(self) -> int:
        """The number of this rank among those on its machine."""
        return self._here().Get_rank()

    def share_cores(self) -> None:
        """As many threads for each rank as its machine has cores for, where OMP_NUM_THREADS does
        not say how many."""
        from ..backend.cpu import _runtime

        if "OMP_NUM_THREADS" not in os.environ:
            _runtime.set_threads(max(1, _runtime.threads() // self._here().Get_size()))

    def _here(self) -> Any:
        return self.communicator.Split_type(self._mpi.COMM_TYPE_SHARED)

    def begin(self, model: Module, data: Any = None) -> None:
        """Compare code, model and data with rank 0's, then take its weights. ConfigError, on every
        rank, where one has others."""
        self.check_same("tinydl's source", _source())
        shapes = [f"{k} {a.shape} {a.dtype}" for k, a in model.state_dict().items()]
        self.check_same("the model", _digest(shapes))
        self.check_same("the data", _digest(_described(data)))
        model.load_state_dict(self.from_first(model.state_dict()))

    def check_same(self, what: str, mark: str) -> None:
        """ConfigError, on every rank, unless all have the same mark."""
        marks = self.all_of(mark)
        other = [r for r, one in enumerate(marks) if one != marks[0]]
        if other:
            raise ConfigError(
                f"parallel: {what}: rank {', '.join(map(str, other))} differs from rank 0"
            )

    def parts(self, data: Iterable[Any], model: Module | None = None) -> Iterator[Any]:
        """This rank's rows of every batch of an epoch. Of a batch with fewer samples than ranks,
        some get one row that does not count (`own`).

        While it lasts the ranks draw (dropout) from streams of their own: those of the default
        generator and of the model's, on every rank but the first split off where the epoch begins.
        Behind the last batch all stand where rank 0's stand.
        """
        generators = [
            default_generator(),
            *dict(model.named_generators() if model else ()).values(),
        ]
        for generator in generators if self.rank else ():
            child = Generator(generator.key)
            child.offset = generator.offset
            key = int(child.words(self.rank)[-1])
            generator.load_state_dict({"key": key, "offset": 0})
        for k, batch in enumerate(data):
            if k == 0:
                self.check_same("the epoch's first batch", _digest(_host(a) for a in batch))
            count = len(batch[-1])
            start, stop = (count * r // self.size for r in (self.rank, self.rank + 1))
            self._samples, end = stop - start, max(stop, start + 1)
            self._place = start, end - start, count
            yield tuple([array[start:end] for array in batch])
        self._samples = None  # what is looked at now has all its rows
        for generator, state in zip(
            generators, self.from_first([g.state_dict() for g in generators]), strict=True
        ):
            generator.load_state_dict(state)

    @property
    def weight(self) -> int:
        """The samples of the part handed out last that count; 1 before the first."""
        return 1 if self._samples is None else self._samples

    def own(self, samples: int) -> int:
        return samples if self._samples is None else min(samples, self._samples)

    def rows(self, stream: Generator) -> Generator:
        """A stream of which all ranks stand at one place: what is drawn for as many rows as the
        part handed out last has is drawn for the whole batch, and this rank's rows are taken."""
        return RowsOf(stream, *self._place, self.rank, self.size)

    def gathered(self, rows: np.ndarray) -> np.ndarray:
        return np.concatenate(self.all_of(rows[: self.weight]))

    def kept(self, rows: np.ndarray) -> np.ndarray:
        first, count, _ = self._place
        return rows[first : first + count]

    def once(self, make: Callable[[], Anything]) -> Anything:
        return self.from_first(make() if self.rank == 0 else None)  # type: ignore[return-value]

    def synchronize(self, model: Module) -> None:
        """From now on batch norms in training take the statistics of all ranks' rows, at two sums
        over the ranks each way."""
        for layer in model.modules():
            if isinstance(layer, BatchNorm):
                layer.across = self._standardized

    def _standardized(self, layer: Any, x: Tensor) -> tuple[Tensor, Tensor, Tensor, float]:
        axes, rows = tuple(range(x.ndim - 1)), len(x)
        counts = float(self.own(rows) > 0)
        (n,) = self.total([counts * x.size / x.shape[-1]])
        mean = AllSum(self).apply(x.sum(axes) * counts) / n
        variance = AllSum(self).apply(((x - mean) ** 2).sum(axes) * counts) / n
        y = (x - mean) / (variance + layer.eps).sqrt()
        if layer.scale is not None:
            y = y * layer.scale + layer.shift
        return y, mean.detach(), variance.detach(), n

    def average(self, parameters: Sequence[Tensor], samples: float | None = None) -> None:
        """Replace every gradient by its mean over all ranks, weighed with the samples of each, or
        with the tokens, the boxes, whatever its loss is the mean over (None: the samples of the
        last part; equal weights before the first). A parameter that took no part here counts as
        zeros; one that took part nowhere stays without a gradient."""
        samples = self.weight if samples is None else samples
        trained = [p for p in parameters if p.requires_grad]
        flat = _flat(trained, samples)
        self._add(flat)
        *sums, met, everyone = np.split(flat, np.cumsum([*(p.size for p in trained), len(trained)]))
        if not everyone[0] > 0:
            raise ConfigError("parallel: no rank has a sample to average over")
        for p, gradient, took_part in zip(trained, sums, met, strict=True):
            if took_part:
                mean = (gradient / everyone[0]).astype(p.dtype, copy=False)
                p.grad = Tensor(mean.reshape(p.shape), backend=p.backend)

    def total(self, numbers: Sequence[float]) -> list[float]:
        sums = np.array(numbers, np.float64)
        self._add(sums)
        return sums.tolist()

    def stops(self, state: State) -> bool:
        (asked,) = self.total([float(state.stop)])
        state.stop = asked > 0
        return state.stop

    def settle(self, model: Module) -> None:
        """The mean of the buffers (statistics of batch norms, which each rank has of its own rows);
        then all weights must be equal, bit for bit: ConfigError names who differs."""
        for _, buffer in model.named_buffers():
            if buffer.dtype.kind == "f":
                sums = np.array(buffer.numpy(), np.float64, order="C")
                self._add(sums)
                buffer.assign((sums / self.size).astype(buffer.dtype))
        state = model.state_dict()
        self.check_same("the weights", _digest(state.values()))

    def taking_part(self, callbacks: Sequence[Any]) -> tuple[Any, ...]:
        """Files are written by the first rank alone: elsewhere without what says `writes`."""
        return tuple([c for c in callbacks if self.rank == 0 or not getattr(c, "writes", False)])

    @block
    def together(self) -> Iterator[None]:
        """`with ranks.together():` an error on one rank is told, and ends all ranks with exit code
        2."""
        try:
            yield
        except BaseException as error:
            if self.size == 1 or isinstance(error, SystemExit | KeyboardInterrupt):
                raise
            sleep(POLITE * (self.rank > 0))
            print(f"tinydl: rank {self.rank}: {type(error).__name__}: {error}", file=sys.stderr)
            self._end()

    def _ending(self, kind: Any, error: BaseException, trace: Any) -> None:
        sleep(POLITE * (self.rank > 0))
        print(f"rank {self.rank} of {self.size}:", file=sys.stderr)
        traceback.print_exception(kind, error, trace)
        self._end()

    def _end(self) -> None:
        sys.stderr.flush()
        sleep(POLITE / 4)  # mpirun hands on what was written before it hears of the end
        self._mpi.COMM_WORLD.Abort(2)


class AllSum(Function):
    """The sum of x over the ranks.

    A rank's loss is a mean over its n samples, which `average` weighs with n: its gradient comes
    back from all ranks weighed likewise, (sum_s n_s grad_s) / n.
    """

    name = "all_sum"

    def __init__(self, ranks: Ranks) -> None:
        self.ranks, self.samples = ranks, ranks.weight

    def forward(self, x: Any) -> Any:
        sums = np.array(self.backend.to_numpy(x), order="C")
        self.ranks._add(sums)
        return self.backend.asarray(sums)

    def backward(self, grad: Tensor) -> Tensor:
        return AllSum(self.ranks).apply(grad * float(self.samples)) / float(max(1, self.samples))


def _mpi() -> Any:
    try:
        from mpi4py import MPI
    except (ImportError, RuntimeError) as error:
        raise ConfigError(
            "parallel: several processes train together over MPI, which is missing here "
            f'({error}); `pip install "tinydl-engine[mpi]"`, then `mpirun -n 2 ...`'
        ) from None
    return MPI


def _flat(parameters: Sequence[Tensor], samples: float) -> np.ndarray:
    """What one Allreduce sums: all gradients times the samples, for each parameter whether it has
    one, the samples. float64 where any parameter is."""
    wide = any(p.dtype == np.float64 for p in parameters)
    size = sum(p.data.size for p in parameters)
    flat = np.zeros(size + len(parameters) + 1, np.float64 if wide else np.float32)
    at = 0
    for i, p in enumerate(parameters):
        if p.grad is not None and samples:
            np.multiply(p.grad.numpy().ravel(), samples, out=flat[at : at + p.data.size])
            flat[size + i] = 1
        at += p.data.size
    flat[-1] = samples
    return flat


def _digest(parts: Iterable[Any]) -> str:
    """SHA-256 of texts and arrays, one after the other."""
    found = hashlib.sha256()
    for part in parts:
        found.update(part.encode() if isinstance(part, str) else np.ascontiguousarray(part).data)
    return found.hexdigest()


def _host(array: Any) -> Any:
    """What a digest takes of an array, a tensor, or a list of things."""
    if isinstance(array, Tensor):
        return array.numpy()
    return array if isinstance(array, np.ndarray) else "\n".join(map(str, array))


def _source() -> str:
    """Of the installed package's Python files."""
    package = Path(__file__).resolve().parent.parent
    return _digest(path.read_text(encoding="utf-8") for path in sorted(package.rglob("*.py")))


def _described(data: Any) -> list[Any]:
    """What ranks compare of their data: everything of arrays in memory, else how many there are."""
    if not isinstance(data, Batches):
        return [str(len(data)) if hasattr(data, "__len__") else ""]
    whole = [array for array in data.arrays if not is_lazy(array)]
    return [f"{data.samples} {data.batch_size} {data.shuffle} {data.drop_last}", *whole]
