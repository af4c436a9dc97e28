"""What messages, pages and settings say about installing: from the clone, by extras that exist."""

import re
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
EXTRAS = PROJECT["project"]["optional-dependencies"]
KINDS = {".py", ".pyx", ".md", ".txt", ".toml", ".yaml", ".c", ".h", ".cl", ".pyi", ""}
#: On the package index `tinydl` is another project: neither the name alone nor with extras.
OF_THE_INDEX = re.compile(
    r"pip3? install [^\n`]*?(?<![\w./-])tinydl(?![\w/-])"
    r"|(?<![\w-])tinydl\\?\[[a-z]+(?:,[a-z]+)*\\?\]"
)


def texts() -> dict[str, str]:
    """Every text file of the repository but this one; what git ignores is no part of it."""
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True
    )
    if listed.returncode:
        pytest.skip("which files belong to the repository is asked of git (git ls-files failed)")
    names = [
        n for n in listed.stdout.split("\n") if Path(n).suffix in KINDS and (ROOT / n).is_file()
    ]
    return {n: (ROOT / n).read_text() for n in names if (ROOT / n) != Path(__file__).resolve()}


@pytest.mark.parametrize(
    ("line", "wrong"),
    [
        ('pip install "tinydl[pocl]"', True),
        ("pip install tinydl", True),
        ("pip install --upgrade 'tinydl'", True),
        ("needs the extra tinydl[data]", True),
        (r'match=pip install "tinydl\[data\]"', True),
        ('pip install ".[pocl]"', False),
        ('pip install ".[all]" && tinydl train', False),
        ("pip install -e ~/src/tinydl/", False),
        ("tinydl-engine[all]", False),
    ],
)
def test_the_pattern_knows_the_old_form(line, wrong):
    assert bool(OF_THE_INDEX.search(line.partition(" && ")[0])) == wrong


def test_nobody_is_sent_to_the_index_for_tinydl():
    found = [
        f"{name}: {match.group()}"
        for name, text in texts().items()
        for match in OF_THE_INDEX.finditer(text.replace(" && tinydl", ""))
    ]
    assert found == []


def test_every_extra_that_is_named_exists():
    named = {
        (name, extra)
        for name, text in texts().items()
        for extras in re.findall(r'pip install (?:-e )?\\?"\.\[([a-z,]+)\]', text)
        for extra in extras.split(",")
    } | {
        (name, extra)
        for name, text in texts().items()
        for extra in re.findall(r"how_to_install\(['\"](\w+)['\"]\)", text)
    }
    assert len(named) > 12 and {extra for _, extra in named} <= set(EXTRAS), named


def test_the_distribution_has_a_name_of_its_own():
    """Import name and command stay; extras that hold other extras say the distribution's name."""
    name = PROJECT["project"]["name"]
    assert name != "tinydl"
    assert PROJECT["project"]["scripts"] == {"tinydl": "tinydl.command.main:main"}
    inner = [re.fullmatch(r"([\w-]+)\[([\w,]+)\]", r) for rows in EXTRAS.values() for r in rows]
    own = [m for m in inner if m and m[1].startswith("tinydl")]
    assert own and all(m[1] == name and set(m[2].split(",")) <= set(EXTRAS) for m in own)


@pytest.mark.parametrize("extra", ["test", "dev"])
def test_who_builds_in_place_has_what_the_build_asks_for(extra):
    wanted = {r for r in PROJECT["build-system"]["requires"] if not r.startswith("numpy")}
    assert len(wanted) == 2 and wanted <= set(EXTRAS[extra])
