"""What test modules share: backends that may be missing, and libraries that serve as oracles."""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from unittest import mock

import guards
import numpy as np
import pytest
from closeness import assert_close

from tinydl import Function, Tensor, _function
from tinydl import backend as backends
from tinydl.backend.reference import Backend
from tinydl.data import CATALOG, DataFile
from tinydl.errors import DeviceError, how_to_install
from tinydl.nn import Parameter, init
from tinydl.testing import check_grads


def oracle_module(name: str):
    """Import a library that serves as an oracle; without it skip, or fail if it is required.

    Only where the marker `oracle` stands: a run of the marked tests is a run of all comparisons."""
    if not guards.is_marked("oracle"):
        pytest.fail(f"a test that compares with {name} lacks the marker `oracle`")
    try:
        return importlib.import_module(name)
    except ImportError as error:
        reason = f"{name} is missing ({error}): {how_to_install('oracle')}"
    if os.environ.get("TINYDL_REQUIRE_ORACLE") == "1":
        pytest.fail(f"TINYDL_REQUIRE_ORACLE=1, but {reason}")
    pytest.skip(reason, allow_module_level=True)


def script(path: Path):
    """A file that is no part of a package, as a module."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@lru_cache
def opencl_problem() -> str | None:
    """Why OpenCL tests cannot run here, or None. Probed in a child: a broken driver may abort."""
    code = "from tinydl.backend import get; get('opencl')"
    try:
        child = subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
            cwd=tempfile.gettempdir(),  # the installed package, not the source tree beside it
        )
    except subprocess.TimeoutExpired:
        return "the OpenCL driver did not answer within two minutes"
    if child.returncode == 0:
        return None
    lines = child.stderr.strip().splitlines()
    return lines[-1] if lines else f"the OpenCL driver ended the process ({child.returncode})"


def load_backend(name: str) -> Backend:
    """The backend called "numpy", "cpu" or "opencl". Skips without OpenCL; "cpu" must be there."""
    if name == "opencl" and (problem := opencl_problem()) is not None:
        pytest.skip(f"no OpenCL here: {problem}")
    try:
        return backends.get(name)
    except DeviceError as error:
        if name.startswith("opencl"):
            pytest.skip(str(error))
        pytest.fail(str(error))


def empty_folders(monkeypatch, folder: Path) -> None:
    """Data sets are looked for below `folder` only, and never downloaded."""
    monkeypatch.setenv("TINYDL_DATA", str(folder / "data"))
    monkeypatch.setenv("TINYDL_CACHE", str(folder / "cache"))
    monkeypatch.setenv("TINYDL_OFFLINE", "1")


def install_set(monkeypatch, folder: Path, name: str, contents) -> list[Path]:
    """The files of the catalogue's entry `name` are these, below `folder`; nothing is downloaded.

    Sizes and hashes in the entry are those of the contents, and loaders check them as ever; idx
    files hold two records.
    """
    empty_folders(monkeypatch, folder)
    entry = CATALOG[name]
    home = folder / "data" / entry.folder
    home.mkdir(parents=True, exist_ok=True)
    files, paths = [], [home / file.name for file in entry.files]
    for path, file, content in zip(paths, entry.files, contents, strict=True):
        path.write_bytes(content)
        digest = hashlib.sha256(content).hexdigest()
        shape = (2, *file.shape[1:]) if file.shape else ()
        files.append(DataFile(file.name, digest, len(content), shape, file.mirrors))
    bent = replace(entry, files=tuple(files))
    monkeypatch.setitem(CATALOG, name, bent)
    for module in [m for n, m in sys.modules.items() if n.startswith("tinydl.data.sets.")]:
        for constant in [c for c, value in vars(module).items() if value is entry]:
            monkeypatch.setattr(module, constant, bent)
    return paths


def agree(mine, theirs, inputs):
    """Forward and gradients of mine(*tensors) and theirs(*torch tensors), |a-b| <= 1e-9 max|b|."""
    torch = oracle_module("torch")
    ours = [Tensor(x, requires_grad=True) for x in inputs]
    others = [torch.tensor(x, requires_grad=True) for x in inputs]
    y1, y2 = mine(*ours), theirs(*others)
    cotangent = np.random.default_rng(5).normal(size=y1.shape)
    assert y1.shape == tuple(y2.shape)
    (y1 * Tensor(cotangent)).sum().backward()
    (y2 * torch.from_numpy(cotangent)).sum().backward()
    pairs = [(y1.numpy(), y2.detach().numpy())]
    pairs += [(a.grad.numpy(), b.grad.numpy()) for a, b in zip(ours, others, strict=True)]
    for a, b in pairs:
        assert_close(a, b, 0, atol=1e-9 * max(abs(b).max(), 1e-30))


def check_module(module, *inputs, order=1, call=None):
    """check_grads of a float64 module as a function of its inputs and of all its parameters."""
    homes = [(m, n) for _, m in module.named_modules() for n in vars(m)]
    homes = [(m, n, getattr(m, n)) for m, n in homes if isinstance(getattr(m, n), Parameter)]
    assert len(homes) == len(module.parameters()), "parameters in lists are not reached"

    def run(*tensors):
        for (owner, name, _), tensor in zip(homes, tensors[len(inputs) :], strict=True):
            setattr(owner, name, tensor)
        try:
            return (module if call is None else call)(*tensors[: len(inputs)])
        finally:
            for owner, name, parameter in homes:
                setattr(owner, name, parameter)

    check_grads(run, [*inputs, *[p.detach() for _, _, p in homes]], order)


@contextmanager
def weightless():
    """Layers made inside have shapes but no numbers: models of any size are counted at no cost."""

    def drawn(shape, rng, dtype):
        return np.broadcast_to(np.zeros((), dtype), shape)

    def hollow(parameter, data, backend=None, dtype=None):
        Tensor.__init__(parameter, np.zeros((), np.float32), backend="numpy", requires_grad=True)
        parameter.data = np.broadcast_to(parameter.data, np.shape(data))

    with (
        mock.patch.object(init, "initializer", lambda spec: drawn),  # names and functions
        mock.patch.object(Parameter, "__init__", hollow),
        mock.patch.object(Parameter, "assign", lambda parameter, values: parameter),
    ):
        yield


def use_engine(monkeypatch, engine):
    """Let the "python" or the "compiled" engine apply and record operations in this test."""
    if not _function.readable:
        pytest.skip("TINYDL_ENGINE=python leaves the compiled engine out")
    pairs = {"python": _function.readable, "compiled": (_function.apply, _function._record)}
    monkeypatch.setattr(Function, "apply", pairs[engine][0])
    monkeypatch.setattr(Function, "_record", pairs[engine][1])


def by_hand(config, recipe=None, /, **changes):
    """The text of a config.json as a person writes it, without its SHA-256; of another recipe."""
    found = {k: v for k, v in config.items() if k != "sha256"}
    if recipe is not None:
        names = {
            "model": recipe.program.model.__name__,
            "optimizer": recipe.program.optimizer.__name__,
        }
        found |= {"recipe": recipe.name, "dataset": recipe.dataset, **names}
        found |= {"input_shape": recipe.program.input_shape}
    return json.dumps({**found, **changes})
