"""Where the questions of arguments.py are asked: at the doors.

`checked` asks before the call, by the function's annotations, which so are true: for constructors
and for functions of the host, where a microsecond does not count. `door` asks afterwards, when
something has gone wrong: for operations.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import wraps
from inspect import Parameter, signature
from typing import Any, ParamSpec, TypeVar

import numpy as np

from .arguments import (
    array,
    dtype,
    flag,
    named,
    number,
    out_of_memory,
    sizes,
    tensor,
    text,
    too_large,
    whole,
)
from .errors import ArgumentsError, ConfigError, ShapeError, TinydlError
from .habits import superfluous, unexpected
from .quoting import quoted

P = ParamSpec("P")
R = TypeVar("R")
Rule = Callable[[str, str, Any], Any]


# -- questions by annotation -----------------------------------------------------------------------


def sequence(op: str, name: str, value: Any) -> Any:
    """What has a length and items, and is no text, table or number; ConfigError else."""
    counted = hasattr(type(value), "__len__") and hasattr(type(value), "__iter__")
    text_or_table = isinstance(value, str | bytes | Mapping)
    if counted and not text_or_table and getattr(value, "ndim", 1) != 0:
        return value
    raise ConfigError(f"{op}: {name} must be a sequence, got {quoted(value)}")


def _iterable(op: str, name: str, value: Any) -> Any:
    if hasattr(type(value), "__iter__") and getattr(value, "ndim", 1) != 0:
        return value
    raise ConfigError(f"{op}: {name} must be an iterable, got {quoted(value)}")


def _callable(op: str, name: str, value: Any) -> Any:
    if callable(value) and not isinstance(value, type):  # a class forgotten to be called
        return value
    raise ConfigError(f"{op}: {name} must be a function, got {quoted(value)}")


def generator(op: str, name: str, value: Any) -> Any:
    """A tinydl.Generator; ConfigError for another library's and for anything else."""
    if hasattr(type(value), "take") and hasattr(type(value), "spawn"):
        return value
    raise ConfigError(f"{op}: {name} must be a tinydl.Generator, got {quoted(value)}")


def _shape(op: str, name: str, value: Any) -> tuple[int, ...]:
    if hasattr(type(value), "_new"):  # a tensor
        raise ShapeError(
            f"{op}: takes a shape, got a tensor {value.shape}: x.shape is its shape; a weight is "
            "filled in place by nn.init, as in nn.init.normal_(weight, 0.0, 0.02)"
        )
    return sizes(op, value)


def _arrays(op: str, name: str, value: Any) -> tuple[np.ndarray, ...]:
    """Some arrays, in a tuple; a list of objects is none."""
    if not isinstance(value, tuple | list):
        raise ConfigError(f"{op}: {name} must be a tuple of arrays, got {quoted(value)}")
    return tuple([array(op, f"{name}[{i}]", v) for i, v in enumerate(value)])


def _rows(op: str, name: str, value: Any) -> Any:
    """Some arrays in a tuple or list, or the rows of one array."""
    if isinstance(value, np.ndarray) and value.ndim and value.dtype.kind in "biuf":
        return value
    return _arrays(op, name, value)


def _element_type(op: str, name: str, value: Any) -> np.dtype:
    return dtype(op, value)


#: Annotation, as it is written: the question.
RULES: dict[str, Rule] = {
    "int": whole,
    "float": number,
    "bool": flag,
    "str": text,
    "Shape": _shape,
    "DType": _element_type,
    "np.ndarray": array,
    "Tensor": tensor,
    "Generator": generator,
    "Batch": _arrays,
    "tuple[np.ndarray, ...]": _arrays,
    "Sequence[np.ndarray]": _rows,
}
#: The same for annotations that go on: Sequence[int], Callable[[Tensor], Tensor].
OPEN_RULES: dict[str, Rule] = {
    "Sequence": sequence,
    "Iterable": _iterable,
    "Callable": _callable,
    "Activation": _callable,
    "Detector": _callable,
    "Penalty": _callable,
    "Step": _callable,
    "Transform": _callable,
}


def _alternatives(annotation: str) -> list[str]:
    """The parts of `A | B[C | D]` at the outer level."""
    parts, depth = [""], 0
    for c in annotation:
        depth += (c in "[(") - (c in "])")
        if c == "|" and not depth:
            parts.append("")
        else:
            parts[-1] += c
    return [part.strip() for part in parts]


def _instance(classes: tuple[type, ...]) -> Rule:
    def rule(op: str, name: str, value: Any) -> Any:
        if isinstance(value, classes):
            return value
        wanted = " or ".join(c.__name__ for c in classes)
        if isinstance(value, type) and issubclass(value, classes):
            raise ConfigError(
                f"{op}: {name} must be a {wanted}, got the class: write {value.__name__}(...)"
            )
        raise ConfigError(f"{op}: {name} must be a {wanted}, got {quoted(value)}")

    return rule


#: name: (the question, whether None may be given, the default)
Rules = dict[str, tuple[Rule, bool, Any]]


def _rule_for(annotation: Any, names: Mapping[str, Any]) -> tuple[Rule | None, bool]:
    """(question, whether None may be given); no question for what the tables and the module's
    `names` do not know."""
    if isinstance(annotation, type):
        annotation = annotation.__name__
    if not isinstance(annotation, str):
        return None, True
    parts = _alternatives(annotation)
    asked = [p for p in parts if p != "None"]
    rules = {RULES.get(p) or OPEN_RULES.get(p.partition("[")[0]) for p in asked}
    if len(rules) == 1 and None not in rules:
        return rules.pop(), "None" in parts
    found = [names.get(p) for p in asked]
    classes = tuple([c for c in found if isinstance(c, type) and c is not Any])
    if classes and len(classes) == len(asked):
        return _instance(classes), "None" in parts
    return None, True  # of several kinds: the function looks itself


def _called(function: Callable[..., Any]) -> str:
    """Linear for Linear.__init__, Generator.words for the method, windows for the function."""
    name = function.__qualname__.removesuffix(".__init__").rpartition("<locals>.")[2]
    return name.removeprefix("Methods.")


def first_annotation(function: Callable[..., Any]) -> str:
    """The annotation of the first argument, as it is written; "" where there is none to read."""
    try:
        first = next(iter(signature(function).parameters.values()))
    except (TypeError, ValueError, StopIteration):  # some built-in functions tell nothing
        return ""
    return first.annotation if isinstance(first.annotation, str) else ""


def _learn(function: Callable[..., Any], order: list[str], rules: Rules) -> None:
    """Adds the positional parameters in their order, and what each parameter must be."""
    names = getattr(function, "__globals__", {})
    for p in signature(function).parameters.values():
        if p.kind == Parameter.POSITIONAL_OR_KEYWORD:
            order.append(p.name)
        rule, optional = _rule_for(p.annotation, names)
        if rule is not None:
            rules[p.name] = rule, optional, p.default
            if p.kind == Parameter.VAR_POSITIONAL:
                rules["*"] = rules[p.name]


def _of_tinydl(kind: type) -> list[type]:
    return [k for k in kind.__mro__ if k.__module__.startswith("tinydl.")]


def _typed(op: str, args: tuple) -> str:
    """What the user typed: LSTM for the constructor that it has from Recurrent; else `op`."""
    kinds = _of_tinydl(type(args[0])) if args else []
    return kinds[0].__name__ if kinds else op


def checked(function: Callable[P, R]) -> Callable[P, R]:
    """The function, its arguments looked at first: what is annotated as int, float, bool, str,
    Shape, np.ndarray, Tensor, Generator, Sequence, Iterable or Callable is one, in Python's own
    type. Raises ConfigError or DTypeError with the function's name and the argument's, and
    ArgumentsError for arguments that do not fit its parameters."""
    called, makes = _called(function), function.__name__ == "__init__"
    order: list[str] = []
    rules: Rules = {}

    def answer(op: str, name: str, value: Any, row: str = "") -> Any:
        rule, optional, default = rules[row or name]
        if value is default or (optional and value is None):
            return value
        return rule(op, name, value)

    @wraps(function)
    def call(*args: Any, **options: Any) -> Any:
        if not order:  # at the first call: importing stays quick
            _learn(function, order, rules)
        op = _typed(called, args) if makes else called
        try:
            given = [
                answer(op, name, value) if name in rules else value
                for name, value in zip(order, args, strict=False)
            ]
            for name in options:
                if name in rules:
                    options[name] = answer(op, name, options[name])
            rest: Any = args[len(given) :]
            if rest and "*" in rules:
                rest = [answer(op, "each argument", value, "*") for value in rest]
            return function(*given, *rest, **options)
        except (MemoryError, TypeError, ValueError) as error:
            found: Any = misfit(op, function, args, options)
            if found is None and too_large(error) and not isinstance(error, TinydlError):
                found = out_of_memory(op, error)
            if found is None:
                raise
            raise found from None

    return call


def checked_fields(cls: type[R]) -> type[R]:
    """A dataclass whose fields are looked at when one is made, as `checked` does."""
    cls.__init__ = checked(cls.__init__)  # type: ignore[method-assign]
    return cls


#: What the arguments of operations are, which have no annotations: one name means one thing.
NAMED_RULES: dict[str, Rule] = dict.fromkeys(
    ("x", "a", "b", "h", "c", "h0", "c0", "weight", "weight_x", "weight_h", "bias", "bias_h")
    + ("scale", "shift", "condition", "mask", "indices", "query", "key", "value", "columns")
    + ("logits", "labels", "places", "drop", "like", "mean", "variance", "depthwise", "pointwise"),
    tensor,
)
NAMED_RULES |= dict.fromkeys(
    ("keepdims", "training", "descending", "largest", "reverse", "ceil_mode", "causal", "aligned")
    + ("count_include_pad", "return_places", "align_corners", "reset_after"),
    flag,
)
NAMED_RULES |= dict.fromkeys(
    ("p", "slope", "alpha", "beta", "eps", "rate", "correction", "k", "low", "high"), number
)
NAMED_RULES |= dict.fromkeys(("gate", "activation"), _callable)
NAMED_RULES |= {"rng": generator, "subscripts": text, "dtype": _element_type, "tensors": _iterable}


# -- arguments that fit no parameter ---------------------------------------------------------------


def parameters_of(function: Callable[..., Any], args: tuple = ()) -> dict[str, Parameter]:
    """The parameters of a call, without self: of a constructor that hands keywords on, those of the
    classes above too."""
    found: dict[str, Parameter] = {}
    kinds = _of_tinydl(type(args[0])) if function.__name__ == "__init__" and args else ()
    for made in [vars(k)["__init__"] for k in kinds if "__init__" in vars(k)] or [function]:
        own = signature(made).parameters
        found |= {n: p for n, p in own.items() if not found or p.kind is p.KEYWORD_ONLY}
        if all(p.kind is not p.VAR_KEYWORD for p in own.values()):
            break
    hidden = (Parameter.VAR_KEYWORD, Parameter.VAR_POSITIONAL)
    return {n: p for n, p in found.items() if n != "self" and p.kind not in hidden}


def unknown_to(function: Callable[..., Any], unknown: Iterable[str]) -> ArgumentsError:
    """The error of an operation that nothing wraps, whose signature ends in `**unknown: Never`."""
    return unexpected(function.__name__, unknown, parameters_of(function))


def misfit(
    op: str, function: Callable[..., Any], args: tuple, options: Mapping[str, Any]
) -> ArgumentsError | None:
    """The error of a call whose arguments do not fit the parameters; None where they do."""
    try:
        signature(function).bind(*args, **options)
    except TypeError as error:
        there = parameters_of(function, args)
        unknown = {name: value for name, value in options.items() if name not in there}
        if unknown:
            return unexpected(op, unknown, there)
        wrong_places = str(error).startswith(("too many", "multiple values"))
        advice = superfluous(op) if wrong_places else ""
        return ArgumentsError(
            f"{op}: {error}; {advice + '; ' * bool(advice)}"
            f"it takes ({', '.join(map(_shown, there.values()))})"
        )
    return None


def fitting(function: Callable[P, R]) -> Callable[P, R]:
    """The function, which asks its own questions, but for the one whether arguments fit its
    parameters: ArgumentsError, as of `checked`."""

    @wraps(function)
    def call(*args: P.args, **options: P.kwargs) -> R:
        try:
            return function(*args, **options)
        except TypeError as error:
            op = _called(function)
            op = _typed(op, args) if function.__name__ == "__init__" else op
            found = misfit(op, function, args, options)
            if found is None or isinstance(error, TinydlError):
                raise
            raise found from None

    return call


def _shown(p: Parameter) -> str:
    """`bias=True`; a default that is a function by its name."""
    if p.default is p.empty:
        return p.name
    return f"{p.name}={getattr(p.default, '__name__', None) or quoted(p.default)}"


#: What comes out of Python, NumPy or a kernel where an argument is not what it should be.
FOREIGN = (
    *(AttributeError, TypeError, ValueError, ArithmeticError, LookupError),
    *(MemoryError, RecursionError),
)


def explained(
    op: str,
    function: Callable[..., Any],
    args: tuple,
    options: Mapping[str, Any],
    error: Exception,
    by_name: bool = False,
) -> Exception:
    """What to raise for a foreign error: the sentence about the first argument that is not what
    its annotation, or (`by_name`) its name says; where all are, the error itself."""
    if too_large(error):
        return out_of_memory(op, error)
    if isinstance(error, RecursionError):
        return ConfigError(f"{op}: an argument holds itself")
    if isinstance(error, TypeError) and (found := misfit(op, function, args, options)):
        return found
    parameters = signature(function).parameters
    for name, value in {**dict(zip(parameters, args, strict=False)), **options}.items():
        if name not in parameters:
            continue
        annotation, default = parameters[name].annotation, parameters[name].default
        if isinstance(annotation, str):
            names = getattr(function, "__globals__", {})
            rule, optional = _rule_for(annotation, names)
        else:
            rule, optional = NAMED_RULES.get(name) if by_name else None, default is None
            if rule is tensor and isinstance(default, float):
                rule = number  # the number `scale` of an attention
        if rule is None or (optional and value is None):
            continue
        try:
            rule(op, name, value)
        except TinydlError as reason:
            return reason
    return error


def door(function: Callable[P, R]) -> Callable[P, R]:
    """The operation, whose errors name it: a foreign error that comes of an argument becomes one
    that says which. Costs nothing but the call where nothing goes wrong."""
    op = function.__name__

    @wraps(function)
    def call(*args: P.args, **options: P.kwargs) -> R:
        try:
            return function(*args, **options)
        except TinydlError as error:
            named(op, error)
            raise
        except FOREIGN as error:
            found = explained(op, function, args, options, error, True)
            if found is error:
                raise
            raise found from None

    return call
