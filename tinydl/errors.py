"""Every exception tinydl raises on purpose. Messages name the op, the rule and the values."""


class TinydlError(Exception):
    """Base of all of them, for one `except` clause at the command line."""


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


class FormatError(TinydlError, ValueError):
    """A file is truncated, foreign, or not what its name says."""


class DataError(TinydlError, RuntimeError):
    """A data set is missing or cannot be fetched; the message says which file and how to get it."""


class ConfigError(TinydlError, ValueError):
    """An argument has a value outside its documented set (unknown recipe, negative rate, ...)."""


class AnomalyError(TinydlError, ArithmeticError):
    """`detect_anomaly` found a NaN or an infinity; the message names the forward line."""


class IndexRangeError(TinydlError, IndexError):
    """An index value lies outside the array it points into."""
