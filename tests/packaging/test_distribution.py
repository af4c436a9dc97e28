"""sdist and wheel hold what they should, and the bare wheel works in an empty environment."""

import re
import subprocess
import tarfile
import zipfile

from building import ROOT, clean_environment, run

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
    "attention",
    "ctc",
    "norm",
    "optim",
    "program",
    "runtime",
]
ALLOWED_IN_WHEEL = [
    r"tinydl/([\w]+/)*\w+\.py",
    r"tinydl/py\.typed",
    r"tinydl/recipes/measured\.json",
    r"tinydl/zoo/shelf/[\w-]+/((card|config|result)\.json|(model|judge)\.safetensors)",
    r"tinydl/zoo/shelf/judge-[\w-]+\.safetensors",
    r"tinydl/serving/page/(page\.(html|js|css)|icon\.svg)",
    r"tinydl/backend/cpu/_\w+\.pyi",
    r"tinydl/backend/cpu/_(" + "|".join(STEMS) + r")\.[\w-]+\.(so|pyd)",
    r"tinydl/_function\.(pyi|[\w-]+\.(so|pyd))",
    r"tinydl/kernels_cl/(__init__\.py|\w+\.cl)",
    r"tinydl_engine-[\d.]+\.dist-info/[\w./]+",
]


def test_wheel_holds_only_what_is_allowed(distributions):
    names = zipfile.ZipFile(distributions[1]).namelist()
    foreign = [n for n in names if not any(re.fullmatch(p, n) for p in ALLOWED_IN_WHEEL)]
    assert foreign == []


def test_wheel_holds_every_kernel_room(distributions):
    names = zipfile.ZipFile(distributions[1]).namelist()
    for stem in STEMS:
        assert any(
            n.startswith(f"tinydl/backend/cpu/_{stem}.") and n.endswith((".so", ".pyd"))
            for n in names
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


def test_the_bare_wheel_trains_saves_and_loads(bare):
    python, folder = bare
    out = run(
        python, "-m", "tinydl", "train", "synthetic-digits", "--epochs", "2", "--out", folder /
        "run",
        cwd=folder,
    )  # fmt: skip
    assert (folder / "run" / "model.safetensors").is_file(), out
    evaluated = run(python, "-m", "tinydl", "evaluate", folder / "run", "--json", cwd=folder)
    assert '"accuracy"' in evaluated


def test_a_missing_extra_is_one_sentence_with_the_command(bare):
    python, folder = bare
    done = subprocess.run(
        [str(python), "-m", "tinydl", "train", "mlp-digits", "--out", str(folder / "digits")],
        cwd=folder, env=clean_environment(), capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 2
    assert 'pip install ".[data]"' in done.stderr
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
        "import sys, tinydl; heavy = {'pyopencl', 'matplotlib', 'sklearn', 'PIL', 'tqdm', 'rich',"
        "'hypothesis', 'urllib.request', 'filelock'} & set(sys.modules); print(sorted(heavy))"
    )
    assert run(python, "-c", code, cwd=folder).strip() == "[]"
