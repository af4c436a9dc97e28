"""Every exception tinydl raises on purpose. Messages name the op, the rule and the values; what
others wrote goes into them by `quoted`."""

from __future__ import annotations

from .quoting import printable, shown
from .quoting import quoted as quoted  # for whoever imports an error to say it with


def how_to_install(extra: str) -> str:
    """The command that brings an extra, for the message that it is missing.

    From the clone, by its folder: on the package index `tinydl` is another project's name."""
    return f'pip install ".[{extra}]" in the folder of the clone'


#: For a compiled module that is not there, or lacks what the sources name (after a pull, a move).
REBUILD = (
    "the compiled kernels are missing or older than the sources: build them with `python setup.py "
    "build_ext --inplace` in the folder of the clone, or install it again (`pip install .`)"
)


class TinydlError(Exception):
    """Base of all of them, for one `except` clause at the command line.

    The message is one printable line: values in it may come from files, servers and arguments, so
    control characters are escaped and more than `longest` characters are cut in the middle.
    """

    longest = 4000

    def __str__(self) -> str:
        return shown(super().__str__(), self.longest)


class ShapeError(TinydlError, ValueError):
    """Shapes, axes, sizes or indices do not fit the operation."""


class DTypeError(TinydlError, TypeError):
    """Element types differ where they must agree, or the operation has no such type."""


class DeviceError(TinydlError, RuntimeError):
    """A backend is unknown or unavailable, or tensors of two backends met in one operation."""


class GraphError(TinydlError, RuntimeError):
    """The recorded graph cannot answer: freed, changed in place, or never recorded."""


class KernelBuildError(TinydlError, RuntimeError):
    """An OpenCL program did not compile; the message carries source name, options and log."""

    def __str__(self) -> str:
        return printable(Exception.__str__(self), kept="\n\t")


class FormatError(TinydlError, ValueError):
    """A file is truncated, foreign, or not what its name says."""


class DataError(TinydlError, RuntimeError):
    """A data set is missing or cannot be fetched; the message says which file and how to get it."""


class MissingFileError(DataError, FileNotFoundError):
    """A file that was to be read does not exist."""


class ConfigError(TinydlError, ValueError):
    """An argument has a value outside its documented set (unknown recipe, negative rate, ...)."""


class ArgumentsError(TinydlError, TypeError):
    """The arguments of a call do not fit its parameters: one too many, one missing, or a keyword
    that there is not; the message says how another library's is written here."""


class AnomalyError(TinydlError, ArithmeticError):
    """A NaN or an infinity where there must be none: `detect_anomaly` names the forward line, a
    training its epoch."""


class IndexRangeError(TinydlError, IndexError):
    """An index value lies outside the array it points into."""


class OutOfMemoryError(TinydlError, MemoryError):
    """There is not enough memory for what an operation would write; its shape is in the message."""
