"""TINYDL_PURE=1: a wheel without compiled kernels, made without a compiler; its engine is NumPy."""

import subprocess
import sys
import zipfile

import pytest
from building import clean_environment, environment, run


@pytest.fixture(scope="module")
def pure(copy_of_the_tree, tmp_path_factory):
    """The wheel, an environment that has it, and a folder to run in."""
    folder = tmp_path_factory.mktemp("pure")
    source = copy_of_the_tree("tinydl")
    command = [sys.executable, "-m", "build", "--no-isolation", "--wheel", "--outdir", folder]
    run(*command, source, cwd=folder, TINYDL_PURE="1", CC="no-such-compiler")
    (wheel,) = folder.glob("*.whl")
    python = environment(folder / "venv")
    run(python, "-m", "pip", "install", "-q", "--no-index", wheel, cwd=folder)
    return wheel, python, folder


def test_the_wheel_is_one_for_all_machines(pure):
    wheel, _, _ = pure
    names = zipfile.ZipFile(wheel).namelist()
    assert wheel.name.endswith("-py3-none-any.whl")
    assert "tinydl/backend/pure.txt" in names and "tinydl/kernels_cl/matmul.cl" in names
    assert not [name for name in names if name.endswith((".so", ".pyd", ".c", ".pyx"))]


def test_it_trains_and_looks_at_what_kernels_trained(pure):
    _, python, folder = pure
    run(python, "-m", "tinydl", "train", "synthetic-digits", "--epochs", "2", "--out", folder /
        "run", cwd=folder)  # fmt: skip
    assert '"accuracy"' in run(
        python, "-m", "tinydl", "evaluate", folder / "run", "--json", cwd=folder
    )
    code = """
import numpy as np, tinydl as td
x = td.tensor(np.arange(6.0).reshape(2, 3), requires_grad=True)
(x @ x.T).sum().backward()
print(td.default_backend(), x.grad.numpy().tolist())
net = td.zoo.load("lenet-mnist")
print(td.compile(net)(td.zeros((1, 28, 28, 1))).shape)
"""
    first, second = run(python, "-c", code, cwd=folder).splitlines()
    assert first == "numpy [[6.0, 10.0, 14.0], [6.0, 10.0, 14.0]]"
    assert second == "(1, 10)"


def test_the_cpu_backend_is_refused_in_one_sentence(pure):
    _, python, folder = pure
    command = ["train", "synthetic-digits", "--backend", "cpu", "--out", "refused"]
    done = subprocess.run(
        [str(python), "-m", "tinydl", *command],
        cwd=folder, env=clean_environment(), capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 2 and "Traceback" not in done.stderr
    assert "no compiled kernels (TINYDL_PURE=1); use backend 'numpy'" in done.stderr
    assert "NumPy computes everything" in run(python, "-m", "tinydl", "info", cwd=folder)
