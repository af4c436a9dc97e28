"""An editable install: the checkout's own sources, from wherever it is used."""

import shutil

from building import run

WHERE = "import tinydl as td; print(td.__file__); print((td.ones((2, 3)) @ td.ones((3, 2))).sum())"
SOURCE = "from tinydl.backend.opencl.runtime import kernel_source as k; print(k('prelude.cl'))"
REFUSED = """
from tinydl.errors import KernelBuildError
try:
    exec(SOURCE)
except KernelBuildError as error:
    print(error)
"""


def test_it_is_the_checkout_from_anywhere(editable, tmp_path):
    """Also from the folder that holds the checkout, where `tinydl` is first of all a folder without
    an __init__.py."""
    python, checkout = editable
    for folder in (tmp_path, checkout.parent, checkout, checkout / "tests"):
        file, total = run(python, "-c", WHERE, cwd=folder).split("\n", 1)
        assert file == str(checkout / "tinydl" / "__init__.py"), folder
        assert "12" in total
    script = checkout.parent / "script.py"
    script.write_text("from tinydl import nn\n" + WHERE)
    assert str(checkout) in run(python, script, cwd=tmp_path)


def test_it_is_installed_by_a_path_file(editable):
    """setuptools' finder would come after the folders of sys.path, and so after a folder without an
    __init__.py."""
    python, checkout = editable
    site = next(python.parents[1].glob("lib/python*/site-packages"))
    (path_file,) = [p for p in site.glob("*.pth") if "tinydl" in p.name]
    assert path_file.read_text().strip() == str(checkout)
    assert not list(site.glob("__editable___*"))


def test_opencl_sources_are_those_of_the_package_that_runs(editable, tmp_path):
    """A second checkout in the environment of the first: its own Python, its own .cl files."""
    python, checkout = editable
    second = tmp_path / "second"
    for name in ("tinydl", "kernels_cl"):
        shutil.copytree(checkout / name, second / name)
    prelude = second / "kernels_cl" / "prelude.cl"
    prelude.write_text("// of the second checkout\n" + prelude.read_text())
    assert "second checkout" in run(python, "-c", SOURCE, cwd=second)
    assert "second checkout" not in run(python, "-c", SOURCE, cwd=tmp_path)
    assert str(second / "tinydl") in run(python, "-c", WHERE, cwd=second)


def test_missing_opencl_sources_are_one_sentence(editable, tmp_path):
    python, checkout = editable
    shutil.copytree(checkout / "tinydl", tmp_path / "tinydl")
    said = run(python, "-c", f"SOURCE = {SOURCE!r}\n{REFUSED}", cwd=tmp_path)
    assert "the sources of the kernels are missing" in said and str(tmp_path) in said
