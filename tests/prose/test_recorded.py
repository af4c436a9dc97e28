"""What pages quote from their full-length runs stands in tutorials/recorded, and says the same."""

import ast
import json
import re
from pathlib import Path

import pytest
from support import script

ROOT = Path(__file__).resolve().parents[2]
TUTORIALS = ROOT / "tutorials"
PAGES = sorted(TUTORIALS.glob("[0-9][0-9]_*.py"))
RECORDS = sorted((TUTORIALS / "recorded").glob("[0-9][0-9].json"))
recorded = script(TUTORIALS / "recorded.py")


def text(page):
    """A page without the signs that begin its comment lines."""
    return re.sub(r"^# ?", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_quoted_numbers_are_recorded(page):
    assert recorded.mistakes(text(page), recorded.figures(page.name[:2])) == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_what_the_code_of_a_page_quotes_is_recorded(page):
    for node in ast.walk(ast.parse(page.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "quote":
            number, name = (ast.unparse(argument) for argument in node.args)
            found = recorded.figures(ast.literal_eval(number))
            pattern = re.sub(r"\\{.*?\\}", ".+", re.escape(name.removeprefix("f").strip("'\"")))
            assert any(re.fullmatch(pattern, have) for have in found), (number, name)


@pytest.mark.parametrize("path", RECORDS, ids=lambda path: path.stem)
def test_a_record_says_where_it_is_from(path):
    record = json.loads(path.read_text())
    assert list(record) == ["page", "date", "machine", "seconds", "pictures", "figures"]
    assert (TUTORIALS / f"{record['page']}.py").exists() and record["page"][:2] == path.stem
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", record["date"]) and record["machine"]


def test_a_number_that_nobody_measured_is_found():
    found = {"error": 0.16649, "share": 0.985, "count": 1234.0}
    assert (
        recorded.mistakes("it was 0.166 (recorded: error),\nand 0.17 (recorded: error)", found)
        == []
    )
    assert recorded.mistakes("98.5 % (recorded: share) of 1,234 (recorded: count)", found) == []
    assert len(recorded.mistakes("0.167 (recorded: error)", found)) == 1
    assert len(recorded.mistakes("98.6 % (recorded: share)", found)) == 1
    assert len(recorded.mistakes("0.166 (recorded: other)", found)) == 1


def test_notes_and_quotes(tmp_path, monkeypatch):
    monkeypatch.setattr(recorded, "NOTED", {})
    recorded.note("error", 1)
    with pytest.raises(ValueError, match="has noted 'error' already"):
        recorded.note("error", 2)
    monkeypatch.setattr(recorded, "figures", lambda number: {"error": 0.5})
    assert recorded.quote("09", "error") == 0.5
    with pytest.raises(KeyError, match="no 'other', it has \\['error'\\]"):
        recorded.quote("09", "other")
