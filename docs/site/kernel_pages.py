"""A page for each stem: its kernels in NumPy, Cython and C, and OpenCL side by side, the formula
above, what was measured below.

kernels.toml says what stands beside what. Names are looked up in the sources: one that is gone
stops the build.
"""

from __future__ import annotations

import json
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path

import draw_page
from definitions import (
    Definition,
    MarkerError,
    cython_definitions,
    python_definitions,
    with_helpers,
)
from places import Places, kernel_page
from roofline import roofline

from tinydl.backend.cpu import uses_numpy
from tinydl.backend.listing import C_FILES
from tinydl.backend.reference import STEMS

FENCE = "``````````"
RESULTS = "benchmarks/results"


@dataclass(frozen=True)
class Part:
    """One row of a page: names of the kernels, and where its three columns come from."""

    title: str
    numpy: list[str]
    c: dict[str, list[str]]  # file below csrc/ -> definitions
    opencl: list[str]
    why: str = ""


def parts_of(stem: str, rows: list[dict]) -> list[Part]:
    """The parts of kernels.toml, and one for each kernel that is in none."""
    made = [
        Part(row["title"], row["numpy"], _files(row["c"]), row["opencl"], row.get("why", ""))
        for row in rows
    ]
    kernels = [name for name in vars(STEMS[stem]) if not name.startswith("_")]
    named = {name for part in made for name in part.numpy}
    if unknown := named - set(kernels):
        raise MarkerError(f"kernels.toml, {stem}: no kernels are called {sorted(unknown)}")
    for name in kernels:
        if name in named:
            continue
        if name in uses_numpy:
            made.append(
                Part(name, [name], {}, [], f"NumPy's on every backend: {uses_numpy[name]}.")
            )
        else:
            made.append(Part(name, [name], {C_FILES.get(name, f"{stem}.c"): [name]}, [name]))
    return made


def _files(entries: list[str]) -> dict[str, list[str]]:
    split = [entry.partition(":") for entry in entries]
    return {file.strip(): [n.strip() for n in names.split(",")] for file, _, names in split}


# -- the columns -----------------------------------------------------------------------------------


def _numpy(places: Places, stem: str, part: Part, shown: set[str]) -> list[Definition]:
    there = python_definitions(places.repository / f"tinydl/backend/reference/{stem}.py")
    wanted = set(part.numpy)
    if missing := wanted - {d.name for d in there}:
        raise MarkerError(f"tinydl/backend/reference/{stem}.py: no {sorted(missing)}")
    while True:
        words = {w for d in there if d.name in wanted for w in re.findall(r"\w+", d.text)}
        more = {d.name for d in there if d.name in words and d.name.startswith("_")} - wanted
        if not more:
            return [
                d
                for d in there
                if d.name in wanted and (d.name in part.numpy or d.name not in shown)
            ]
        wanted |= more


def _code(places: Places, page: str, file: str, found: list[Definition], language: str) -> str:
    here = places.link(page, places.source(file), found[0].first)
    code = "\n\n".join(d.text.rstrip() for d in found)
    return (
        f'<p class="where"><a href="{here}">{file}, line {found[0].first}</a></p>\n\n'
        f"{FENCE}{language}\n{code}\n{FENCE}\n"
    )


def _block(
    places: Places, page: str, file: str, found: list[Definition], names: list[str], language: str
) -> str:
    """The kernels of these names, and folded below them what they call in the same file; both with
    a link to where it is written."""
    called = [d for d in found if d.name not in names]
    made = _code(places, page, file, [d for d in found if d.name in names], language)
    if called:
        inner = _code(places, page, file, called, language)
        made += f":::{{dropdown}} What it calls: {len(called)} definitions\n\n{inner}\n:::\n"
    return made


def _column(title: str, blocks: list[str], why: str) -> str:
    body = "\n".join(blocks) or why or "The same as above."
    return f"::::{{grid-item}}\n**{title}**\n\n{body}\n::::\n"


def _loops(places: Places, page: str, stem: str, part: Part) -> list[str]:
    """The plain Cython loops that the C file replaces, where they are kept to be read."""
    file, blocks = f"csrc/_{stem}.pyx", []
    for name in part.numpy:
        blocks += [
            _code(places, page, file, [d], "cython")
            for d in cython_definitions(places.repository / file)
            if d.name == f"{name}_loops_f32"
        ]
    return blocks


def _row(places: Places, page: str, stem: str, part: Part, shown: dict[str, set[str]]) -> str:
    numpy = _numpy(places, stem, part, shown["numpy"]) if part.numpy else []
    shown["numpy"] |= {d.name for d in numpy}
    columns = []
    reference = f"tinydl/backend/reference/{stem}.py"
    blocks = [_block(places, page, reference, numpy, part.numpy, "python")] if numpy else []
    columns.append(_column("NumPy", blocks, part.why))
    blocks = _loops(places, page, stem, part)
    for file, names in part.c.items():
        found = with_helpers(places.repository / "csrc" / file, names, shown[file])
        shown[file] |= {d.name for d in found}
        blocks.append(_block(places, page, f"csrc/{file}", found, names, "c"))
    columns.append(_column("Cython and C", blocks, part.why))
    blocks = []
    if part.opencl:
        path = places.repository / f"kernels_cl/{stem}.cl"
        found = with_helpers(path, part.opencl, shown["opencl"])
        shown["opencl"] |= {d.name for d in found}
        file = f"kernels_cl/{stem}.cl"
        blocks = [_block(places, page, file, found, part.opencl, "c")]
    columns.append(_column("OpenCL", blocks, part.why))
    inner = "\n".join(columns)
    grid = f":::::{{grid}} 1 1 3 3\n:class-container: kernel-columns\n\n{inner}\n:::::\n"
    return f"## {part.title}\n\n{grid}"


# -- what was measured -----------------------------------------------------------------------------


def _table(header: list[str], rows: list[list[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def _from(row: dict) -> str:
    return f"{row['machine']}, {row['level']}, {row['date'][:10]}, commit {row['commit']}"


def _ladders(places: Places, names: list[str]) -> list[str]:
    rows = json.loads((places.repository / RESULTS / "ladder.json").read_text())
    made = []
    for ladder in dict.fromkeys(row["ladder"] for row in rows):
        if not ladder.startswith(tuple(names) or ("\0",)):
            continue
        own = [row for row in rows if row["ladder"] == ladder]
        slowest = next((r for r in own if r["rung"] == "Cython loops"), own[0])
        cells = [
            [
                r["rung"],
                f"{1e3 * r['seconds']:.4g}",
                f"{r['gflops']:.4g}",
                f"{slowest['seconds'] / r['seconds']:.1f}",
            ]
            for r in own
        ]
        header = ["rung", "ms", "GFLOP/s", f"times as fast as {slowest['rung']}"]
        made.append(f"### The ladder of {ladder}\n\n{_table(header, cells)}\n{_from(own[0])}.\n")
    return made


def _groups(places: Places, page: str, names: list[str]) -> list[str]:
    rows = json.loads((places.repository / RESULTS / "bench.json").read_text())
    made = []
    for name in names:
        own = [r for r in rows if r["group"] == name and r["threads"] == 1]
        if not own:
            continue
        cells = [
            [r["name"], f"{1e3 * r['seconds']:.4g}",
             f"{r['gflops']:.4g}" if r.get("gflops") else "-",
             f"{r['peak_share']:.0%}" if r.get("peak_share") else "-",
             f"{1e3 * r['peers'][r['best_peer']]['seconds']:.4g} ({r['best_peer']})"
             if r.get("best_peer") else "-",
             f"{r['ratio']:.2f}" if r.get("ratio") else "-"]
            for r in own
        ]  # fmt: skip
        header = ["cell", "ms", "GFLOP/s", "of the roof", "best other library, ms", "times as fast"]
        picture, table = roofline(name, own), _table(header, cells)
        made.append(f"### {name}, one thread\n\n{picture}\n\n{table}\n{_from(own[0])}.\n")
    return made


# -- pages -----------------------------------------------------------------------------------------


def write(places: Places, operations: dict[str, list[str]]) -> None:
    path = Path(__file__).with_name("kernels.toml")
    table = tomllib.loads(path.read_text(encoding="utf-8"))
    if set(table) != set(STEMS):
        raise MarkerError(f"kernels.toml and the stems differ: {sorted(set(table) ^ set(STEMS))}")
    for stem, row in table.items():
        places.write(f"{kernel_page(stem)}.md", _page(places, stem, row, operations[stem]))
    cards = "\n".join(
        f"::::{{grid-item-card}} {table[stem]['title']}\n:link: /{kernel_page(stem)}\n"
        f":link-type: doc\n\n"
        f"`{stem}`: {table[stem]['says']}\n::::\n"
        for stem in STEMS
    )
    entries = "\n".join(f"/{kernel_page(stem)}" for stem in STEMS)
    places.write(
        "kernels/index.md",
        "# Kernels, side by side\n\nEvery kernel is written three times: plain NumPy, which is the "
        "specification; Cython over C, which is fast; OpenCL, for any device. Each page shows the "
        "three beside each other, the formula above, what was measured below.\n\n"
        f":::::{{grid}} 1 2 3 3\n:gutter: 3\n\n{cards}\n:::::\n\n"
        f"```{{toctree}}\n:hidden:\n\n{entries}\n```\n",
    )


def _page(places: Places, stem: str, row: dict, operations: list[str]) -> str:
    page = kernel_page(stem)
    shown: dict[str, set[str]] = {"numpy": set(), "opencl": set()}
    shown |= {p.name: set() for p in (places.repository / "csrc").glob("*.[ch]")}
    parts = parts_of(stem, row.get("parts", []))
    api = places.link(page, "api/tinydl")
    links = ", ".join(
        f'<a href="{api}#tinydl.{name}"><code>{name}</code></a>' for name in operations
    )
    files = [f"tinydl/ops/{stem}.py", f"tinydl/backend/cpu/{stem}.py", f"csrc/_{stem}.pyx",
             f"tinydl/backend/opencl/{stem}.py"]  # fmt: skip
    beside = ", ".join(
        f'<a href="{places.link(page, places.source(file))}"><code>{file}</code></a>'
        for file in files
        if (places.repository / file).exists()
    )
    text = [
        f"# {row['title']}", row["says"], f"{FENCE}{{math}}\n{row['formula']}\n{FENCE}",
        f"Public operations: {links}." if links else "", f"Between them and the kernels: {beside}.",
        draw_page.fourth(places, page, stem),
        *[_row(places, page, stem, part, shown) for part in parts],
    ]  # fmt: skip
    measured = [*_ladders(places, row["ladders"]), *_groups(places, page, row["groups"])]
    if measured:
        text += ["## Measured", *measured]
    return "\n\n".join(text) + "\n"
