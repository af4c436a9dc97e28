"""Every row of docs/conventions.md names a test that exists."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LINES = (ROOT / "docs" / "conventions.md").read_text().splitlines()
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in LINES
    if line.startswith("|") and not line.startswith(("| what", "|---"))
]


def functions(path):
    tree = ast.parse(path.read_text())
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


def test_the_table_is_there_and_the_readme_leads_to_it():
    assert len(ROWS) >= 40
    assert "docs/conventions.md" in (ROOT / "README.md").read_text()


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_the_named_test_exists(row):
    assert len(row) == 5 and all(row), row
    file, name = row[4].strip("`").split("::")
    assert name in functions(ROOT / file), f"{file} has no {name}"
