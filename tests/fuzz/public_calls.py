"""Every public function with arguments that nobody meant.

Case number n of a seed: a right call (`public_rows.py`) in which one argument, sometimes two, is
replaced by an odd value (`odd_values.py`); arguments that the call left at their default too. What
may come out is a result or an exception of tinydl/errors.py. A crash, a call that takes more than
ten seconds, and any other exception is a fault, and printed.

    cd tests && python -m fuzz.public_calls --calls 200000 --seed 1

The calls run in a child process whose memory is bounded; a child that dies is followed by another,
from the next case on.
"""

from __future__ import annotations

import argparse
import contextlib
import faulthandler
import inspect
import io
import json
import os
import random
import subprocess
import sys
import tempfile
import traceback
import warnings
from collections import Counter
from itertools import islice
from pathlib import Path

LIMIT_S = 10
#: Right calls that take longer than that because they are large, by row: values not given there.
LARGE = ("1024", "(1024, 1)")
HEAVY = {
    "nn.ConvTranspose2d": LARGE,  # a kernel of 1024 x 1024
    "nn.GRU": LARGE,  # 1024 units: recurrent matrices drawn orthogonal
    "nn.SimpleRNN": LARGE,
    "nn.LSTM": LARGE,
    "ops.selu": ("huge image", "huge square tensor", "huge tensor"),  # seven passes over 2^27
    **dict.fromkeys(  # places and rounds of 2^27 elements
        [f"ops.{n}" for n in ("argwhere", "nonzero", "unique", "searchsorted", "index_put")]
        + [f"ops.{n}" for n in ("cummax", "cummin", "logcumsumexp")],
        ("huge image", "huge square tensor", "huge tensor"),
    ),
    "td.save_onnx": ("huge image", "huge square tensor", "huge tensor"),  # the recording keeps it
}
ROOM = 3 << 27  # bytes that the calls may take beyond what the process has when they begin


class _Place:
    """Where an odd value can go: a position or a keyword of the call, or of what follows it."""

    def __init__(self, where, key):
        self.where, self.key = where, key

    def put(self, call, value):
        args, options = (
            (call.args, call.options) if self.where is None else call.then[self.where][1:]
        )
        if isinstance(self.key, int):
            args[self.key] = value
        else:
            options[self.key] = value

    def __repr__(self):
        return f"{'' if self.where is None else f'then {self.where}: '}{self.key}"


def _defaults(function, args, options):
    """Names of parameters that the call leaves at their default."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return []
    named = [p for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)]
    rest = [p.name for i, p in enumerate(named) if i >= len(args) or p.kind == p.KEYWORD_ONLY]
    return [name for name in rest if name not in options]


def places(call):
    found = [_Place(None, i) for i in range(len(call.args))]
    found += [_Place(None, key) for key in call.options]
    found += [_Place(None, key) for key in _defaults(call.function, call.args, call.options)]
    for k, (_, args, options) in enumerate(call.then):
        found += [_Place(k, i) for i in range(len(args))] + [_Place(k, key) for key in options]
    return found


def case(seed, number):
    """(description, call) of one case, the same at every time."""
    from fuzz.odd_values import NAMES, VALUES
    from fuzz.public_rows import ROWS

    rng = random.Random(f"{seed} {number}")
    name = rng.choice(_WEIGHTED)
    call = ROWS[name](rng.randrange(50))
    spots = places(call)
    chosen = rng.sample(spots, min(len(spots), 1 if rng.random() < 0.7 else 2))
    said = []
    for spot in chosen:
        value = rng.choice(NAMES)
        value = "None" if value in HEAVY.get(name, ()) else value
        spot.put(call, VALUES[value]())
        said.append(f"{spot!r} = {value}")
    return f"{name}({'; '.join(said)})", call


_WEIGHTED: list[str] = []  # every row as often as its call has places


def _weigh():
    from fuzz.public_rows import ROWS

    for name in sorted(ROWS):
        _WEIGHTED.extend([name] * max(1, len(places(ROWS[name](0)))))


def run(call):
    """None where the outcome is a result or an exception of tinydl, else the exception."""
    from tinydl.errors import TinydlError

    try:
        result = call.function(*call.args, **call.options)
        if inspect.isgenerator(result):
            list(islice(result, 3))
        for method, args, options in call.then:
            result_then = getattr(result, method)(*args, **options)
            if hasattr(result_then, "__next__"):
                list(islice(result_then, 3))
    except TinydlError:
        return None
    except Exception as error:
        return None if _python_says(error) else error
    return None


def _python_says(error):
    """A call without an argument that it needs, or with one that does not exist."""
    text = str(error)
    return isinstance(error, TypeError) and (
        "unexpected keyword argument" in text
        or "required positional argument" in text
        or ("positional argument" in text and "given" in text)
        or "got multiple values for argument" in text
    )


def _bounded():
    import resource

    pages = int(Path("/proc/self/statm").read_text().split()[0])
    limit = pages * os.sysconf("SC_PAGE_SIZE") + ROOM
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def child(seed, first, last, note):
    """Run cases first ... last - 1; before each its number is written to the file `note`."""
    import tinydl as td

    warnings.simplefilter("ignore")
    _weigh()
    for number in range(20):  # everything is imported and every thread started before the bound
        with contextlib.suppress(Exception):
            case(seed, number)
    td.ones((600, 600)) @ td.ones((600, 600))
    _bounded()
    place = os.open(note, os.O_WRONLY | os.O_CREAT)
    for number in range(first, last):
        os.pwrite(place, f"{number:20d}".encode(), 0)
        faulthandler.dump_traceback_later(LIMIT_S, exit=True)
        description, call = case(seed, number)
        with contextlib.redirect_stdout(io.StringIO()):
            error = run(call)
        td.set_default_backend("cpu")
        del call
        faulthandler.cancel_dump_traceback_later()
        if error is not None:
            frames = traceback.extract_tb(error.__traceback__)
            frames = [f for f in frames if f"{os.sep}tinydl{os.sep}" in f.filename]
            where = f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "?"
            kind = type(error).__name__
            print(json.dumps([number, description, kind, where, f"{error!s:.150}"]), flush=True)
            del error


def calls(seed, count, report=print):
    """Run `count` cases; Counter of "foreign", "crash", "hang", and of the cases that ran."""
    found = Counter(cases=count)
    first = 0
    with tempfile.TemporaryDirectory() as folder:
        note = os.path.join(folder, "number")
        while first < count:
            command = [sys.executable, "-m", "fuzz.public_calls", "--child", note]
            command += ["--seed", str(seed), "--first", str(first), "--calls", str(count)]
            process = subprocess.run(
                command, cwd=Path(__file__).parent.parent, capture_output=True, text=True
            )
            for line in process.stdout.splitlines():
                found["foreign"] += 1
                report(line)
            if process.returncode == 0:
                break
            if not os.path.exists(note):
                raise RuntimeError(process.stderr)
            number = int(Path(note).read_text())
            kind = "hang" if "Timeout" in process.stderr else "crash"
            found[kind] += 1
            _weigh() if not _WEIGHTED else None
            said = process.stderr.strip().splitlines()[-12:]
            what = case(seed, number)[0]
            report(json.dumps([number, what, kind, process.returncode, said]))
            first = number + 1
    return found


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--calls", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--child")
    given = parser.parse_args()
    if given.child:
        child(given.seed, given.first, given.calls, given.child)
    else:
        found = calls(given.seed, given.calls)
        print(dict(found))
        sys.exit(any(found[kind] for kind in ("foreign", "crash", "hang")))


if __name__ == "__main__":
    main()
