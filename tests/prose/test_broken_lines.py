"""No docstring and no comment has a short line in the middle of a sentence, as a formatter leaves
one when it breaks a line that an edit made too long."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("tinydl", "tests", "benchmarks", "docs", "tutorials", "csrc", "kernels_cl")
SHORT, WIDTH = 60, 100
#: What opens a line before its words.
MARK = re.compile(r'^\s*(#:?|//|/\*|r?""")? ?')
DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


def blocks(path):
    """(number of the first line, lines) of each docstring, C comment and run of comment lines."""
    text = path.read_text()
    lines = text.splitlines()
    if path.suffix == ".py":
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, DOCUMENTED) and ast.get_docstring(node) is not None:
                first = node.body[0]
                yield first.lineno, lines[first.lineno - 1 : first.end_lineno]
    else:
        quotes = (
            r'""".*?"""' if path.suffix.startswith(".py") or path.suffix == ".pxd" else r"/\*.*?\*/"
        )
        for found in re.finditer(quotes, text, re.DOTALL):
            start, end = (text.count("\n", 0, place) for place in found.span())
            yield start + 1, lines[start : end + 1]
    mark = r"\s*//" if path.suffix in (".c", ".h", ".cl") else r"\s*#:? (?!%%)"
    run = []
    for number, line in enumerate([*lines, ""], 1):
        if re.match(mark, line):
            run.append(line)
        elif run:
            yield number - len(run), run
            run = []


def indent(line):
    return len(line) - len(line.lstrip())


def broken(lines):
    """Places of lines that end in mid-sentence although the next word would have fitted."""
    for k in range(1, len(lines) - 1):
        before, line, after = lines[k - 1 : k + 2]
        words, rest = MARK.sub("", line).rstrip(), MARK.sub("", after).rstrip()
        same = indent(line) == indent(after) and (k == 1 or indent(before) == indent(line))
        if (
            words
            and re.match(r"\(?[a-z]", rest)
            and same
            and len(line) < SHORT <= len(before)
            and not re.search(r"[.:;!?,]$", words)
            and "  " not in words + rest  # a formula or a table
            and len(line.rstrip()) + 1 + len(rest.split()[0]) <= WIDTH
        ):
            yield k


def sources():
    found = [p for folder in FOLDERS for p in sorted((ROOT / folder).rglob("*"))]
    return [p for p in found if p.suffix in (".py", ".pyi", ".pyx", ".pxd", ".c", ".h", ".cl")]


@pytest.mark.parametrize("folder", FOLDERS)
def test_no_line_breaks_in_mid_sentence(folder):
    wrong = [
        f"{path.relative_to(ROOT)}:{first + k}: {lines[k].strip()} | {lines[k + 1].strip()}"
        for path in sources()
        if path.relative_to(ROOT).parts[0] == folder
        for first, lines in blocks(path)
        for k in broken(lines)
    ]
    assert not wrong, "\n".join(wrong)


def test_a_broken_line_is_seen():
    text = [
        "    An operation is a subclass of Function with forward on arrays and backward on",
        "    tensors",
        "    (other operations). Its instance is the graph node.",
    ]
    assert list(broken(text)) == [1]
    assert not list(broken([text[0], "    tensors.", "    the next"]))
