"""CONTRIBUTING's checklist "Add an elementwise operation" is complete: a copy of the tree gets one
by its list of files, and a row that is missing anywhere is a sentence that names the file."""

import ast
import re
import shutil
import subprocess
import sys
from contextlib import contextmanager

import pytest
from building import ROOT, clean_environment, run, times

pytestmark = pytest.mark.slow

FUNCTION = '''

class Inverse(Function):
    name = "inverse"
    saves_output = True

    def forward(self, x):
        return self.backend.inverse(x)

    def backward(self, grad):
        y = self.output(grad)
        return -grad * y * y


def inverse(x):
    """1 / x: infinite at 0."""
    _require_float("inverse", x)
    return Inverse().apply(x)
'''

#: File: (the line after which, or "" at the end, and what is written there), once or more.
ADDED = {
    "tinydl/ops/special.py": [("", FUNCTION)],
    "tinydl/ops/__init__.py": [
        ("    floor,\n", "    inverse,\n"),
        ('    "instance_norm",\n', '    "inverse",\n'),
    ],
    "tinydl/backend/reference/elementwise.py": [
        (
            "        return _quiet(np.sqrt, x)\n",
            "\n    def inverse(self, x: Array) -> Array:\n        return _quiet(np.divide, 1, x)\n",
        )
    ],
    "csrc/elementwise_rows.h": [("UNARY(sqrt, 1, SQRT(x))\n", "UNARY(inverse, 2, ONE / x)\n")],
    "kernels_cl/elementwise.cl": [
        ("FLOAT_UNARY(sqrt, sqrt(x))\n", "FLOAT_UNARY(inverse, ONE(T) / x)\n")
    ],
    "tinydl/testing/cases_elementwise.py": [
        (
            "ROWS = (\n",
            '    OpCase("inverse", ops.inverse, _one("positive"), torch="reciprocal",\n'
            '           kernel=_kernel("positive", ulps=4)),\n',
        )
    ],
}


def section(title):
    text = (ROOT / "CONTRIBUTING.md").read_text()
    return text.partition(f"## {title}\n")[2].partition("\n## ")[0]


def files_of_the_checklist():
    """The first file that each numbered step names."""
    steps = section("Add an elementwise operation")
    return re.findall(r"^\d+\. `([\w./]+)`", steps, re.MULTILINE)


def write(tree, path):
    text = (tree / path).read_text()
    for place, addition in ADDED[path]:
        assert place in text, f"{path} no longer holds {place!r}"
        before, _, after = text.partition(place) if place else (text, "", "")
        text = before + place + addition + after
    (tree / path).write_text(text)


@pytest.fixture(scope="module")
def tree(built_copy):
    """The repository as it is built here, with the operation written and nothing built anew."""
    folder = built_copy()
    for path in files_of_the_checklist():
        write(folder, path)
    return folder


@pytest.fixture(scope="module")
def built(tree):
    """The same after CONTRIBUTING's build; only what holds the elementwise kernels is compiled."""
    before = times(tree / "build")
    run(sys.executable, "setup.py", "-q", "build_ext", "--inplace", cwd=tree)
    after = times(tree / "build")
    changed = {name.rpartition("/")[2] for name in after if after[name] != before.get(name)}
    # the steps of inference programs include elementwise.h, whose rows are the list of kernels
    assert changed == {"elementwise.o", "_elementwise.o", "program.o", "_program.o"}
    return tree


@contextmanager
def lacking(tree, *paths):
    """Those files as they were before the operation was added."""
    texts = {path: (tree / path).read_text() for path in paths}
    for path in paths:
        shutil.copy2(ROOT / path, tree / path)
    yield
    for path, text in texts.items():
        (tree / path).write_text(text)


def complaint(tree, *command):
    """All that a failing Python command in the tree says."""
    done = subprocess.run(
        [sys.executable, *command],
        cwd=tree,
        env=clean_environment(),
        capture_output=True,
        text=True,
    )
    assert done.returncode != 0, done.stdout
    return done.stdout + done.stderr


def outcome_of(tree, *arguments):
    quiet = ("-q", "-p", "no:cacheprovider", "--durations=0")
    return run(sys.executable, "-m", "pytest", *quiet, *arguments, cwd=tree)


CASES = "tests/cases/test_op_rows.py"
USE = "import tinydl as td; print(td.inverse(td.tensor([0.25, 4.0])).tolist())"


def test_it_is_six_files_and_a_few_lines():
    files = files_of_the_checklist()
    assert files == list(ADDED) and len(files) <= 6
    lines = {
        path: sum(len([x for x in text.splitlines() if x]) for _, text in places)
        for path, places in ADDED.items()
    }
    print(*(f"{count:3} {path}" for path, count in lines.items()), sep="\n")
    assert all(count <= 4 for path, count in lines.items() if path != files[0])


def test_the_tutorial_has_the_same_list():
    page = ast.parse((ROOT / "tutorials" / "08_add_an_op.py").read_text())
    (places,) = [
        node.value
        for node in page.body
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "PLACES"
    ]
    assert [key.value for key in places.keys][1:] == files_of_the_checklist()[1:]


def test_without_its_c_row_the_import_names_the_table(tree):
    with lacking(tree, "csrc/elementwise_rows.h"):
        said = complaint(tree, "-c", USE)
    assert "CpuBackend lacks the kernels inverse: write them in csrc/elementwise_rows.h" in said


def test_without_its_formula_the_build_names_the_file(tree):
    with lacking(tree, "tinydl/backend/reference/elementwise.py"):
        said = complaint(tree, "setup.py", "-q", "build_ext", "--inplace")
    assert "Traceback" not in said
    assert "csrc/elementwise_rows.h has a row 'inverse', for which" in said
    assert "tinydl/backend/reference/elementwise.py has no method" in said


def test_it_runs_everywhere(built):
    assert run(sys.executable, "-c", USE, cwd=built).strip() == "[4.0, 0.25]"
    said = outcome_of(built, "tests/ops/test_calculus.py", "-k", "inverse")
    assert "1 passed" in said
    said = outcome_of(built, "tests/kernels/test_backends.py", "-k", "inverse and not signatures")
    assert "failed" not in said and int(re.findall(r"(\d+) passed", said)[0]) >= 9
    outcome_of(built, "tests/cases", "tests/kernels/test_backends.py", "-k", "row or export")


def test_without_its_opencl_row_the_import_names_the_file(built):
    with lacking(built, "kernels_cl/elementwise.cl"):
        said = complaint(built, "-c", "import tinydl.backend.opencl")
    assert (
        "OpenCLBackend lacks the kernels inverse: write them in kernels_cl/elementwise.cl" in said
    )


def test_without_its_formula_the_import_names_the_file(built):
    with lacking(built, "tinydl/backend/reference/elementwise.py"):
        said = complaint(built, "-c", "import tinydl.backend.opencl")
    assert "kernels_cl/elementwise.cl has a row 'inverse', for which" in said
    assert "backend/reference/elementwise.py has no method" in said


def test_without_its_case_row_the_tests_name_the_table(built):
    with lacking(built, "tinydl/testing/cases_elementwise.py"):
        said = complaint(built, "-m", "pytest", "-q", CASES, "-k", "public_operation")
    assert "no row for an operation in {'tinydl/testing/cases_elementwise.py': 'inverse'}" in said


def test_without_its_kernel_row_the_tests_name_the_table(built):
    table = built / "tinydl/testing/cases_elementwise.py"
    text = table.read_text()
    table.write_text(text.replace('kernel=_kernel("positive", ulps=4)),\n', "),\n", 1))
    said = complaint(
        built, "-m", "pytest", "-q", "tests/kernels/test_backends.py", "-k", "kernel_has_a_row"
    )
    table.write_text(text)
    assert "tinydl/testing/cases_elementwise.py (`kernel=` of the row): ['inverse'] missing" in said


def test_without_its_export_the_tests_name_the_file(built):
    table = "tinydl/testing/cases_elementwise.py"
    with lacking(built, "tinydl/ops/__init__.py"), lacking(built, table):
        said = complaint(built, "-m", "pytest", "-q", CASES, "-k", "exported")
    assert "tinydl/ops/__init__.py does not export ['inverse'] of special.py" in said
