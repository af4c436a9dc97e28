"""How every entry point speaks and ends: `sys.exit(command(main))`.

Whatever happens inside: a sentence on stderr and an exit code, never a traceback (TINYDL_DEBUG=1:
always one), whether the terminal can show a character or not, whether anybody still reads.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from ._start import debugging, hand_over
from .errors import KernelBuildError, TinydlError
from .quoting import printable
from .tables import Page, Table, show

BAD_INPUT, FAULT, INTERRUPTED = 2, 3, 130


def command(main: Callable[[], int | None], name: str = "tinydl") -> int:
    """Run `main`, say what went wrong, return the exit code: its own, 2 for bad input or a machine
    that lacks something, 3 for a fault of tinydl, 130 after Ctrl-C."""
    hand_over()
    with _steady_streams():
        try:
            code = main() or 0
            sys.stdout.flush()  # what cannot be written is an error while somebody listens
            return code
        except (Exception, KeyboardInterrupt) as error:
            return _told(error, name)


def _told(error: BaseException, name: str) -> int:
    if debugging():
        traceback.print_exc()
    text, code = _sentence(error)
    with suppress(OSError):
        print(f"{name}: {text}", file=sys.stderr)
    return code


def _sentence(error: BaseException) -> tuple[str, int]:
    if isinstance(error, KeyboardInterrupt):
        return "interrupted", INTERRUPTED
    if isinstance(error, TinydlError | OSError | ImportError):
        lines = "\n" if isinstance(error, KernelBuildError) else ""  # a compiler's log
        return f"error: {printable(str(error), lines)}", BAD_INPUT
    if isinstance(error, MemoryError):
        return f"error: not enough memory {printable(str(error))}".rstrip(), BAD_INPUT
    if isinstance(error, RecursionError):
        return "error: something is nested too deep", BAD_INPUT
    what = f"{type(error).__name__}: {printable(str(error))}"
    return f"error: {what} (a fault of tinydl; TINYDL_DEBUG=1 shows where)", FAULT


# -- streams ---------------------------------------------------------------------------------------


class Steady:
    """A text stream whose reader may leave: from then on what is written is dropped, and the work
    that it told of goes on."""

    def __init__(self, stream: Any) -> None:
        self.stream = stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)

    def write(self, text: str) -> int:
        try:
            return self.stream.write(text)
        except BrokenPipeError:
            drop(self.stream)
            return len(text)

    def flush(self) -> None:
        try:
            self.stream.flush()
        except BrokenPipeError:
            drop(self.stream)


def drop(stream: Any) -> None:
    """Let the stream's descriptor lead nowhere: what is still buffered goes there too."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    with suppress(OSError, ValueError):
        os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


@contextmanager
def _steady_streams() -> Iterator[None]:
    """Inside, stdout and stderr exist, take every character and outlive their readers."""
    _occupy()
    found = sys.stdout, sys.stderr
    streams: list[Any] = [open(os.devnull, "w") if s is None else s for s in found]  # noqa: SIM115
    handlers = [_escaping(stream) for stream in streams]
    sys.stdout, sys.stderr = (Steady(stream) for stream in streams)
    try:
        yield
    finally:
        for stream, errors in zip(streams, handlers, strict=True):
            try:
                Steady(stream).flush()
            except (OSError, ValueError):  # told already, or nothing to tell by
                drop(stream)
            if errors is not None:
                stream.reconfigure(errors=errors)
        sys.stdout, sys.stderr = found


def _occupy() -> None:
    """Descriptors 0 to 2 are taken: else libraries print into the next file that is opened."""
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest free number: this one


def _escaping(stream: Any) -> str | None:
    """Characters that the terminal has not are escaped; returns what was the rule before."""
    if not hasattr(stream, "reconfigure"):
        return None
    before = stream.errors
    stream.reconfigure(errors="backslashreplace")
    return before


# -- what commands say -----------------------------------------------------------------------------


def teller(args: argparse.Namespace) -> Callable[[str | Table | Page], None]:
    """Where sentences and tables for people go; with --json to stderr."""
    if getattr(args, "quiet", False):
        return lambda what: None
    stream = sys.stderr if args.json else sys.stdout
    return lambda what: show(what, stream)


def print_json(value: Any) -> None:
    """One JSON value; what JSON has no number for (NaN, infinity) is null."""
    print(json.dumps(json_able(value), indent=2, allow_nan=False), flush=True)


def json_able(value: Any) -> Any:
    """The value with None for what JSON has no number for."""
    if isinstance(value, dict):
        return {key: json_able(v) for key, v in value.items()}
    if isinstance(value, list | tuple):
        return [json_able(v) for v in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


class Parser(argparse.ArgumentParser):
    """An ArgumentParser for which an empty text is no value: an unset variable of the shell must
    not choose a default. An argument that may be empty says `type=str`. commands: what holds its
    subcommands."""

    commands: Any = None

    def add_argument(self, *names: Any, **options: Any) -> Any:
        if options.get("action", "store") in ("store", "append") and "type" not in options:
            options["type"] = filled
        return super().add_argument(*names, **options)

    def error(self, message: str) -> Any:
        super().error(printable(message))


def filled(text: str) -> str:
    """The text of an argument; argparse's error if it is empty."""
    if not text:
        raise argparse.ArgumentTypeError("is empty (an unset variable?)")
    return text
