"""The course: its questions, and what they must agree with."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PART = re.compile(r"^## (Part [A-E]: .*)$", re.MULTILINE)


def numbered(page):
    """{heading of a part: numbers of its list}."""
    pieces = PART.split((ROOT / "docs" / page).read_text())[1:]
    return {
        title: [int(n) for n in re.findall(r"^(\d+)\. ", text, re.MULTILINE)]
        for title, text in zip(pieces[::2], pieces[1::2], strict=True)
    }


def test_each_part_has_ten_questions_and_each_question_its_key():
    questions = numbered("course_questions.md")
    assert len(questions) == 5
    assert set(map(tuple, questions.values())) == {tuple(range(1, 11))}
    assert numbered("course_key.md") == questions
