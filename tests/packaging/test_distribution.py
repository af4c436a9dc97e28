"""sdist and wheel hold what they should, and the bare wheel works in an empty environment."""

import os
import re
import subprocess
import sys
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
STEMS = [
    "matmul",
    "conv",
    "elementwise",
    "reduce",
    "shape",
    "index",
    "pool",
    "roi",
    "recurrent",
    "random",
    "softmax",
    "norm",
    "optim",
    "runtime",
]
ALLOWED_IN_WHEEL = [
    r"tinydl/([\w]+/)*\w+\.py",
    r"tinydl/py\.typed",
    r"tinydl/recipes/measured\.json",
    r"tinydl/backend/_\w+\.pyi",
    r"tinydl/backend/_(" + "|".join(STEMS) + r")\.[\w-]+\.(so|pyd)",
    r"tinydl/_function\.(pyi|[\w-]+\.(so|pyd))",
    r"tinydl/kernels_cl/(__init__\.py|\w+\.cl)",
    r"tinydl-[\d.]+\.dist-info/[\w./]+",
]


def run(*command, cwd, env=None, timeout=900):
    done = subprocess.run(
        [str(c) for c in command], cwd=cwd, env=env, capture_output=True, text=True, timeout=timeout
    )
    assert done.returncode == 0, f"{command}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    return done.stdout


@pytest.fixture(scope="module")
def distributions(tmp_path_factory):
    """`python -m build`: the sdist from a clean copy of the tree, then the wheel from the sdist."""
    out = tmp_path_factory.mktemp("dist")
    source = tmp_path_factory.mktemp("source") / "tinydl"
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True
    )
    if listed.returncode:
        pytest.skip("the packaging test needs a git checkout (git ls-files failed)")
    for name in listed.stdout.splitlines():
        if (ROOT / name).is_file():
            target = source / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes((ROOT / name).read_bytes())
    run(sys.executable, "-m", "build", "--outdir", out, source, cwd=source)
    (wheel,) = out.glob("*.whl")
    (sdist,) = out.glob("*.tar.gz")
    return sdist, wheel


def test_wheel_holds_only_what_is_allowed(distributions):
    names = zipfile.ZipFile(distributions[1]).namelist()
    foreign = [n for n in names if not any(re.fullmatch(p, n) for p in ALLOWED_IN_WHEEL)]
    assert foreign == []


def test_wheel_holds_every_kernel_room(distributions):
    names = zipfile.ZipFile(distributions[1]).namelist()
    for stem in STEMS:
        assert any(
            n.startswith(f"tinydl/backend/_{stem}.") and n.endswith((".so", ".pyd")) for n in names
        )
    assert any(re.fullmatch(r"tinydl/_function\.[\w-]+\.(so|pyd)", n) for n in names)
    in_tree = {f"tinydl/kernels_cl/{p.name}" for p in (ROOT / "kernels_cl").glob("*.cl")}
    assert in_tree and in_tree <= set(names)


def test_sdist_holds_the_sources_and_no_generated_code(distributions):
    with tarfile.open(distributions[0]) as archive:
        names = {n.split("/", 1)[1] for n in archive.getnames() if "/" in n}
    for stem in STEMS:
        assert f"csrc/_{stem}.pyx" in names
        assert f"csrc/_{stem}.c" not in names
    assert not [n for n in names if n.endswith((".so", ".o", ".pyc"))]
    assert {"LICENSE", "README.md", "setup.py", "pyproject.toml"} <= names


@pytest.fixture(scope="module")
def bare(distributions, tmp_path_factory):
    """A virtual environment with the wheel and its dependencies, no extras."""
    folder = tmp_path_factory.mktemp("bare")
    venv.create(folder / "venv", with_pip=True)
    python = folder / "venv" / ("Scripts" if os.name == "nt" else "bin") / "python"
    run(python, "-m", "pip", "install", "-q", distributions[1], cwd=folder)
    return python, folder


def test_the_bare_wheel_trains_saves_and_loads(bare):
    python, folder = bare
    env = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "TINYDL"))}
    out = run(
        python, "-m", "tinydl", "train", "synthetic-digits", "--epochs", "2", "--out", folder /
        "run",
        cwd=folder, env=env,
    )  # fmt: skip
    assert (folder / "run" / "model.safetensors").is_file(), out
    evaluated = run(
        python, "-m", "tinydl", "evaluate", folder / "run", "--json", cwd=folder, env=env
    )
    assert '"accuracy"' in evaluated


def test_a_missing_extra_is_one_sentence_with_the_command(bare):
    python, folder = bare
    done = subprocess.run(
        [str(python), "-m", "tinydl", "train", "mlp-digits", "--out", str(folder / "digits")],
        cwd=folder, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 2
    assert 'pip install "tinydl[data]"' in done.stderr
    assert "Traceback" not in done.stderr
    assert not (folder / "digits").exists()


def test_opencl_sources_are_found_from_the_wheel(bare):
    python, folder = bare
    code = (
        "from importlib.resources import files;"
        "print(len(list(files('tinydl.kernels_cl').iterdir())))"
    )
    assert int(run(python, "-c", code, cwd=folder)) >= 5


def test_import_is_light(bare):
    python, folder = bare
    code = (
        "import sys, tinydl; heavy = {'pyopencl', 'matplotlib', 'sklearn', 'PIL', 'tqdm',"
        "'hypothesis', 'urllib.request', 'filelock'} & set(sys.modules); print(sorted(heavy))"
    )
    assert run(python, "-c", code, cwd=folder).strip() == "[]"


def test_a_missing_compiler_is_one_sentence(tmp_path):
    env = {**os.environ, "CC": "no-such-compiler", "PYTHONWARNINGS": "ignore"}
    try:
        import Cython  # noqa: F401
        import setuptools  # noqa: F401
    except ImportError as error:
        pytest.skip(f"building in this environment needs setuptools and Cython ({error})")
    done = subprocess.run(
        [sys.executable, "setup.py", "-q", "build_ext", "--build-lib", str(tmp_path),
        "--build-temp", str(tmp_path)],
        cwd=ROOT, env=env, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode != 0
    assert "C compiler 'no-such-compiler' was not found" in done.stderr
    assert "build-essential" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_editable_install_finds_kernels_and_opencl_sources(tmp_path):
    """`pip install -e .` from a copy of the tree, used from another folder."""
    source = tmp_path / "tree"
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "--", "tinydl", "csrc", "kernels_cl",
        "setup.py",
         "pyproject.toml", "README.md", "LICENSE", "MANIFEST.in"],
        cwd=ROOT, capture_output=True, text=True,
    )  # fmt: skip
    if listed.returncode:
        pytest.skip("the packaging test needs a git checkout (git ls-files failed)")
    for name in listed.stdout.splitlines():
        if (ROOT / name).is_file():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            (source / name).write_bytes((ROOT / name).read_bytes())
    venv.create(tmp_path / "venv", with_pip=True)
    python = tmp_path / "venv" / "bin" / "python"
    run(python, "-m", "pip", "install", "-q", "-e", source, cwd=tmp_path)
    code = (
        "import tinydl as td; from importlib.resources import files;"
        "print((td.ones((2, 3)) @ td.ones((3, 2))).numpy().sum(),"
        "len([f for f in files('tinydl.kernels_cl').iterdir() if f.name.endswith('.cl')]))"
    )
    total, sources = run(python, "-c", code, cwd=tmp_path).split()
    assert float(total) == 12.0 and int(sources) >= 5
