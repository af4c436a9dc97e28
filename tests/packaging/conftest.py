"""What the packaging tests share: one sdist, one wheel and one editable install for all of them.

No network: builds use this environment's setuptools and Cython (the extra `test` brings them), and
the environments made here borrow this one's NumPy and safetensors. Objects of the checkout's own
build are used again (TINYDL_BUILD), where the same command made them of the same text.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from building import ROOT, environment, run


@pytest.fixture(scope="session")
def build_folder(tmp_path_factory) -> Path:
    """build/ of the checkout, where pip or build_ext left objects; another where it is no use."""
    own = ROOT / "build"
    return own if own.is_dir() and os.access(own, os.W_OK) else tmp_path_factory.mktemp("build")


@pytest.fixture(scope="session")
def copy_of_the_tree(tmp_path_factory):
    """copy(name): a folder of that name with the files of the repository, clean, in a new one."""
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True
    )
    if listed.returncode:
        pytest.skip("the packaging test needs a git checkout (git ls-files failed)")
    names = [name for name in listed.stdout.split("\n") if name and (ROOT / name).is_file()]

    def copy(name: str) -> Path:
        folder = tmp_path_factory.mktemp("holds") / name
        for file in names:
            (folder / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / file, folder / file)
        return folder

    return copy


@pytest.fixture(scope="session")
def built_copy(copy_of_the_tree, build_folder):
    """built_copy(): the files of the repository in a new folder, built in place, with objects of
    its own: those of this checkout, and what they lack."""

    def copy() -> Path:
        folder = copy_of_the_tree("tinydl")
        for objects in build_folder.glob("objects-*"):
            shutil.copytree(objects, folder / "build" / objects.name)
        run(sys.executable, "setup.py", "-q", "build_ext", "--inplace", cwd=folder)
        return folder

    return copy


@pytest.fixture(scope="session")
def distributions(copy_of_the_tree, build_folder, tmp_path_factory) -> tuple[Path, Path]:
    """`python -m build`: the sdist from a clean copy of the tree, then the wheel from the sdist."""
    out = tmp_path_factory.mktemp("dist")
    source = copy_of_the_tree("tinydl")
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", out, source]
    run(*command, cwd=out, TINYDL_BUILD=str(build_folder))
    (wheel,) = out.glob("*.whl")
    (sdist,) = out.glob("*.tar.gz")
    return sdist, wheel


@pytest.fixture(scope="session")
def bare(distributions, tmp_path_factory) -> tuple[Path, Path]:
    """An environment with the wheel and its dependencies, no extras; and a folder to run it in."""
    folder = tmp_path_factory.mktemp("bare")
    python = environment(folder / "venv")
    run(python, "-m", "pip", "install", "-q", "--no-index", distributions[1], cwd=folder)
    return python, folder


EDITABLE = "import sys, build; build.ProjectBuilder(sys.argv[1]).build('editable', sys.argv[2])"


@pytest.fixture(scope="session")
def editable(distributions, copy_of_the_tree, build_folder, tmp_path_factory) -> tuple[Path, Path]:
    """An editable install of a checkout called tinydl: its interpreter, and the checkout.

    pip asks for the wheel in the same way (PEP 660). The checkout's build/ holds objects already.
    """
    checkout = copy_of_the_tree("tinydl")
    (checkout / "build").mkdir()
    for objects in build_folder.glob("objects-*"):
        (checkout / "build" / objects.name).symlink_to(objects)
    folder = tmp_path_factory.mktemp("editable")
    run(sys.executable, "-c", EDITABLE, checkout, folder, cwd=folder)
    (wheel,) = folder.glob("*.whl")
    python = environment(folder / "venv")
    run(python, "-m", "pip", "install", "-q", "--no-index", wheel, cwd=folder)
    return python, checkout
