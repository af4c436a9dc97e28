"""Run folders with changed files: `python tests/fuzz/run_folders.py --count 20000 [--seed 0]`.

Each case copies a small run folder, changes one of its files (bytes; keys, values and types of the
JSON inside; tensors) and opens or resumes it. Allowed is the result of the unchanged folder, or an
error of tinydl in one sentence. Some changes are sealed again with a right SHA-256, as somebody who
knows the format would: then another result is allowed too, a foreign exception is not.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import signal
import sys
import tempfile
import traceback
from collections import Counter
from contextlib import ExitStack
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from unittest import mock

import numpy as np

from tinydl.errors import TinydlError
from tinydl.interop.graph import Graph, Node, Wire
from tinydl.interop.imported import built
from tinydl.programs import supervised
from tinydl.programs.parts import Parts, load_parts
from tinydl.recipes import find
from tinydl.runs import run
from tinydl.runs.folder import CHECKPOINT, CONFIG, HISTORY, MODEL_FILE, write_config
from tinydl.runs.imported import CONSTANTS, NET, ImportedRun
from tinydl.runs.importing import Wanted, write_imported
from tinydl.train import History
from tinydl.train.schema import digest
from tinydl.train.tensor_files import digest as tensor_digest
from tinydl.train.tensor_files import read_tensors

RECIPE, EPOCHS, SECONDS = "synthetic-digits", 2, 10
IMAGE = (np.arange(64, dtype=np.uint8) * 3).reshape(8, 8)
ODD = (
    None, True, False, -1, 0, 1, 3, 2**31, 2**63, 2**64, 10**30, 0.5, -1.5, 1e308, float("nan"),
    float("inf"), "", "x", "x" * 5_000, "\x1b[2J\x07", "\u202egnp", "\ud800", "numpy", "float64",
    "../..", "1", [], [1], [[]], {}, {"a": 1}, {"": None}, [10**12] * 3, ["a"] * 2_000,
)  # fmt: skip


class Hang(BaseException):
    """A case took longer than SECONDS."""


@dataclass
class Tally:
    """What came of the cases."""

    counts: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)


# -- changes ---------------------------------------------------------------------------------------


def change_bytes(content: bytes, rng: random.Random) -> bytes:
    """A flipped bit, or bytes that are other, gone, twice there, new."""
    data, n = bytearray(content), len(content)
    place = rng.choice((rng.randrange(n), rng.randrange(min(n, 400))))
    size = rng.choice((1, 2, 8, 100, 5_000))
    match rng.randrange(8):
        case 0 | 1 | 2:
            data[place] ^= 1 << rng.randrange(8)
        case 3:
            data[place] = rng.randrange(256)
        case 4:
            del data[place : place + size]
        case 5:
            data[place:place] = data[place : place + size]
        case 6:
            data[place:place] = rng.randbytes(size)
        case 7:
            del data[place:]
    return bytes(data)


def places(value, way=()):
    """The ways to every value inside."""
    yield way
    listed = enumerate(value) if isinstance(value, list) else ()
    for key, v in value.items() if isinstance(value, dict) else listed:
        yield from places(v, (*way, key))


def change_json(value, rng: random.Random):
    """One value inside is odd, gone, doubled, of another type, or under another name."""
    value = deepcopy(value)
    way = rng.choice(list(places(value)))
    if not way:
        return rng.choice(ODD)
    home = value
    for key in way[:-1]:
        home = home[key]
    key = way[-1]
    match rng.randrange(7):
        case 0 | 1 | 2:
            home[key] = rng.choice(ODD)
        case 3:
            del home[key]
        case 4 if isinstance(home, dict):
            home[rng.choice(("x", "", str(key) + " ", "__class__"))] = home.pop(key)
        case 5:
            home[key] = rng.choice((str, lambda v: [v], lambda v: {"x": v}, repr))(home[key])
        case _:
            n = home[key]
            home[key] = n + rng.choice((-1, 1)) if isinstance(n, int) else deepcopy([n, n])
    return value


def change_text(text: str, rng: random.Random) -> str:
    """What no JSON value can say: constants, depth, keys that stand twice."""
    return rng.choice(
        (
            text.replace(": ", ": NaN, ", 1),
            "[" * 3_000 + "]" * 3_000,
            text.replace("{", "{" + '"a": {' * 500, 1) + "}" * 500,
            text.replace("{", '{"seed": 1, "epoch": 0, ', 1),
            text.replace("0", "1e999", 1),
            text.replace("1", "1" * 6_000, 1),
            text.replace('"', "'"),
            "\ufeff" + text,
            text + text,
        )
    )


def packed(header: object, data: bytes) -> bytes:
    text = json.dumps(header).encode("utf-8", "surrogatepass")
    return len(text).to_bytes(8, "little") + text + data


def change_tensors(path: Path, rng: random.Random) -> tuple[bytes, bool]:
    """A safetensors file with another header, state or tensor; whether it is sealed again."""
    from safetensors.numpy import save

    content = path.read_bytes()
    size = int.from_bytes(content[:8], "little")
    header, data = json.loads(content[8 : 8 + size]), content[8 + size :]
    if rng.random() < 0.3:
        return packed(change_json(header, rng), data), False
    tensors, metadata = read_tensors(path)
    if "state" in metadata and rng.random() < 0.6:
        state = metadata["state"]
        odd = rng.random() < 0.2
        changed = (
            change_text(state, rng) if odd else json.dumps(change_json(json.loads(state), rng))
        )
        metadata["state"] = changed.encode("utf-8", "replace").decode()
    else:
        name = rng.choice(list(tensors))
        array = tensors.pop(name)
        made = (
            {},
            {name + "x": array},
            {name: array.astype(np.float64)},
            {name: array.reshape(-1)},
            {name: array[:1]},
            {name: array * np.nan if array.dtype.kind == "f" else -array},
            {name: array + array.dtype.type(1)},
            {name: array, f"state.x.{rng.randrange(3)}": array},
        )
        tensors |= rng.choice(made)
    sealed = rng.random() < 0.7
    if sealed:
        metadata["sha256"] = tensor_digest(tensors, metadata)
    arrays = {k: np.ascontiguousarray(v) for k, v in tensors.items()}
    return save(arrays, metadata), sealed


def change_config(path: Path, rng: random.Random) -> tuple[bytes, bool]:
    """config.json with another value or text; whether it is sealed again, or the seal is gone."""
    text, value = path.read_text(), json.loads(path.read_text())
    if rng.random() < 0.15:
        return change_text(text, rng).encode(), False
    changed = change_json(value, rng)
    sealed = isinstance(changed, dict) and rng.random() < 0.6
    if sealed and rng.random() < 0.5:
        changed["sha256"] = digest(changed)
    elif sealed:
        changed.pop("sha256", None)
    return json.dumps(changed).encode("utf-8", "surrogatepass"), sealed


def imported_net():
    """A small net as a file would have it: Conv, Relu, Reshape by a stored target, Gemm."""
    rng = np.random.default_rng(0)
    nodes = [
        ("Conv", ("x", "w"), "a", {"pads": [1, 1, 1, 1], "kernel_shape": [3, 3]}),
        ("Relu", ("a",), "b", {}),
        ("Reshape", ("b", "target"), "c", {}),
        ("Gemm", ("c", "m", "v"), "y", {"alpha": 1.0, "transB": 0}),
    ]
    constants = {
        "w": rng.normal(size=(2, 1, 3, 3)).astype(np.float32), "target": np.array([0, 128]),
        "m": rng.normal(size=(128, 10)).astype(np.float32), "v": np.ones(10, np.float32),
    }  # fmt: skip
    made = [Node(kind, y, takes, (y,), attributes, 17) for kind, takes, y, attributes in nodes]
    inputs, outputs = {"x": Wire("float32", ("N", 1, 8, 8))}, {"y": Wire("float32", ("N", 10))}
    return built("made up", Graph("g", 17, inputs, outputs, made, constants))


# -- cases -----------------------------------------------------------------------------------------


class Fuzzer:
    """Small run folders, one complete, one that was stopped, one of a net that was imported, and
    what comes of them."""

    def __init__(self, home: Path, stack: ExitStack) -> None:
        self.home, self.work = home, home / "work"
        whole = load_parts(find(RECIPE))
        few = [(x[:100], y[:100]) for x, y in (whole.train, whole.test)]
        self.parts = Parts(few[0], None, few[1], whole.classes)
        stack.enter_context(mock.patch.object(supervised, "load_parts", lambda *_: self.parts))
        for name, epochs in (("complete", EPOCHS), ("stopped", 1)):
            recipe = find(RECIPE).changed(epochs=epochs)
            folder = home / name
            folder.mkdir()
            session = run.begin(recipe)
            run.train_into(folder, session, False)
        (home / "stopped" / MODEL_FILE).unlink()
        config = {k: v for k, v in run.OpenRun(folder).config.items() if k != "sha256"}
        write_config(folder, {**config, "epochs": EPOCHS})
        shutil.copy(home / "complete" / HISTORY, folder / HISTORY)
        (home / "imported").mkdir()
        write_imported(home / "imported", imported_net(), "net.onnx", "onnx", Wanted())
        looks = [(n, a) for n in ("complete", "stopped") for a in ("predict", "evaluate", "resume")]
        looks += [("imported", "net"), ("imported", "net")]
        self.looks = looks
        self.expected = {(name, action): self.result(home / name, action) for name, action in looks}

    def result(self, source: Path, action: str):
        """What the folder gives: probabilities and classes, scores, or the weights at its end."""
        if action == "net":
            found = ImportedRun(source)
            return found.probabilities([IMAGE]).tobytes(), found.config["classes"]
        if action == "predict":
            opened = run.OpenRun(source)
            return opened.probabilities([IMAGE]).tobytes(), opened.config["classes"]
        if action == "evaluate":
            opened = run.OpenRun(source)
            return opened.measured("test")[1]
        if source != self.work:
            shutil.rmtree(self.work, ignore_errors=True)
            shutil.copytree(source, self.work)
        session = run.resumed(self.work, EPOCHS)
        run.train_into(self.work, session, False)
        rows = [{**row, "seconds": 0} for row in History.from_csv(self.work / HISTORY)]
        return read_tensors(self.work / MODEL_FILE), rows

    def case(self, rng: random.Random, tally: Tally) -> None:
        """One folder, one change, one look."""
        name, action = rng.choice(self.looks)
        shutil.rmtree(self.work, ignore_errors=True)
        shutil.copytree(self.home / name, self.work)
        weights = CHECKPOINT if name == "stopped" or action == "resume" else MODEL_FILE
        target = rng.choice((CONFIG, weights, weights, HISTORY))
        if name == "imported":
            target = rng.choice((CONFIG, NET, NET, CONSTANTS, MODEL_FILE))
        path, sealed = self.work / target, False
        if target == HISTORY or rng.random() < 0.4:
            path.write_bytes(change_bytes(path.read_bytes(), rng))
        else:
            make = change_config if target in (CONFIG, NET) else change_tensors
            content, sealed = make(path, rng)
            path.write_bytes(content)
        if target == HISTORY:
            outcome = self.outcome(lambda: History.from_csv(path) and None, None)
        else:
            expected = None if sealed else self.expected[name, action]
            outcome = self.outcome(lambda: self.result(self.work, action), expected)
        tally.counts[f"{target}: {outcome.splitlines()[0][:40]}"] += 1
        if outcome not in ("error", "same", "another, sealed again"):
            tally.failures.append(f"{name} {action} {target}: {outcome}")

    def outcome(self, call, expected) -> str:
        try:
            signal.setitimer(signal.ITIMER_REAL, SECONDS)
            found = call()
        except TinydlError as error:
            text = str(error)
            told = text.isprintable() and 0 < len(text) < 1_500
            return "error" if told else f"error of more than a sentence: {text[:500]!r}"
        except (Exception, Hang):
            return "foreign exception\n" + traceback.format_exc(limit=-6)
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
        if expected is None:
            return "another, sealed again"
        return "same" if _equal(found, expected) else "damage was accepted"


def _equal(a, b) -> bool:
    if isinstance(a, (tuple, list)):
        return len(a) == len(b) and all(map(_equal, a, b))
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(_equal(a[k], b[k]) for k in a)
    return a.tobytes() == b.tobytes() if isinstance(a, np.ndarray) else a == b


def _hang(number, frame):
    raise Hang


def fuzz(count: int, seed: int = 0) -> Tally:
    """So many cases; every one is drawn from (seed, its number) alone."""
    tally = Tally()
    with ExitStack() as stack:
        memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # thousands of folders
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=memory)))
        stack.enter_context(mock.patch.object(os, "fsync", lambda descriptor: None))
        fuzzer = Fuzzer(home, stack)
        before = signal.signal(signal.SIGALRM, _hang)
        stack.callback(signal.signal, signal.SIGALRM, before)
        for k in range(count):
            known = len(tally.failures)
            fuzzer.case(random.Random(f"{seed} {k}"), tally)
            tally.failures[known:] = [f"case {seed} {k}: {f}" for f in tally.failures[known:]]
    return tally


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    tally = fuzz(args.count, args.seed)
    for what, count in sorted(tally.counts.items()):
        print(f"{count:>8} {what}")
    for failure in tally.failures[:20]:
        print(failure)
    print(f"{args.count} cases, {len(tally.failures)} failures")
    return int(bool(tally.failures))


if __name__ == "__main__":
    sys.exit(main())
