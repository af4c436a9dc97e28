"""Write docs/models.md and docs/book_errors.md from the models, their test rows and the recipes,
docs/coming_from.md from the table of habits, and the table of programs in docs/parallel.md.

    python docs/tables.py            # write them
    python docs/tables.py --check    # say whether they are current (measured figures aside)

Parameters are counted, not copied: models are built without numbers, as tests do
(tests/support.py). Run it after adding a model or recipe, and after `tinydl reproduce --record` for
the measured figures.
"""

from __future__ import annotations

import importlib
import inspect
import re
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
sys.path.insert(0, str(ROOT / "tests"))

from support import weightless  # noqa: E402

from tinydl import habits  # noqa: E402
from tinydl.console import command  # noqa: E402
from tinydl.errors import TinydlError  # noqa: E402
from tinydl.nn import Module, summary  # noqa: E402
from tinydl.programs.scores import MAP, MASK_MAP, MEAN_IOU  # noqa: E402
from tinydl.recipes import RECIPES, Recipe  # noqa: E402
from tinydl.runs.report import (  # noqa: E402
    figure,
    markdown_table,
    seeds_told,
    test_figure,
    told_beside,
)
from tinydl.runs.reproduce import load_measured  # noqa: E402

#: What changes with every recorded run.
MEASURED_COLUMNS = ("here, %", "seeds", "beside it, %")
#: What small models take whose full size no recipe has: their multiply-adds are counted here.
PICTURE, SMALL = (224, 224, 3), (32, 32, 3)
INPUTS: dict[str, tuple[int, ...]] = {
    **dict.fromkeys(("ResNetCifar", "ResNetV2Cifar", "DenseNetCifar", "DenseNetBC"), SMALL),
    **dict.fromkeys(("LinearRegression", "PolynomialRegression"), (1,)),
    "MobileNetV1": PICTURE, "LogisticRegression": (30,), "FirstDense": (8,),
    "FlattenDense": SMALL, "VAE": (28, 28, 1), "ConvVAE": (28, 28, 1), "RBM": (64,), "DBN": (64,),
    "Autoencoder": (29,), "SparseAutoencoder": (29,), "ConvAutoencoder": (28, 28, 1),
    "ColouringAutoencoder": (32, 32, 1), "RatingsAutoencoder": (943,),
}  # fmt: skip
PAPER = re.compile(
    r"(?:Van )?[A-Z][\w-]+(?:(?:,| and|, and) (?:van der )?[A-Z][\w-]+)*(?: et al\.)?,? \d{4}"
    r"(?: \((?:arXiv [\d.]+|[^()]*)\))?"
)
TUTORIALS = {int(p.name[:2]): p.read_text() for p in sorted((ROOT / "tutorials").glob("[0-9]*.py"))}


def errata() -> tuple[dict[str, list[list[str]]], dict[str, list[str]]]:
    """docs/errata.txt: by book its rows of four cells; by the start of a recipe's error its last
    two."""
    books: dict[str, list[list[str]]] = {}
    shown: dict[str, list[str]] = {}
    for section in (DOCS / "errata.txt").read_text().split("\n[")[2:]:
        name, _, lines = section.partition("]\n")
        for line in filter(None, lines.splitlines()):
            chapter, text, *cells = line.split(" | ")
            if chapter == "*":
                shown[text] = cells
            else:
                books.setdefault(name, []).append([chapter, text, *cells])
    return books, shown


def systems() -> tuple[dict[str, list[list[str]]], list[list[str]]]:
    """docs/systems.txt: by book its rows of three cells; the rows of what is only named."""
    books: dict[str, list[list[str]]] = {}
    for section in (DOCS / "systems.txt").read_text().split("\n[")[1:]:
        name, _, lines = section.partition("]\n")
        books[name] = [line.split(" | ") for line in filter(None, lines.splitlines())]
    return books, books.pop("named only")


def resolved(name: str) -> bool:
    """Whether a name of docs/systems.txt is a recipe, a tutorial, a study, a model, or a member of
    tinydl."""
    if name in RECIPES:
        return True
    kind, _, which = name.partition(" ")
    if kind == "tutorial":
        return int(which) in TUTORIALS
    if kind == "study":
        rooms = (ROOT / "tinydl" / "studies").glob("*.py")
        called = re.compile(rf"tinydl\.studies[ .]{which}\b")
        return any(called.search(room.read_text()) for room in rooms)
    place, _, member = name.rpartition(".")
    try:
        module = importlib.import_module(f"tinydl.{place or 'models'}".replace(".td", ""))
    except ImportError:
        return False
    return hasattr(module, member)


def table(heads: Sequence[str], rows: Iterable[Iterable[str]]) -> list[str]:
    """Cells may hold bars, and empty ones show a dash."""
    cells = ([cell.replace("|", "\\|") or "-" for cell in row] for row in rows)
    return markdown_table(heads, cells)


# -- facts -----------------------------------------------------------------------------------------


def case_rows() -> list[tuple[str, Any, int]]:
    """(name, how it is made at full size, parameters) of every row of tests/cases/models_*.py."""
    found: dict[str, tuple[str, Any, int]] = {}
    for path in sorted((ROOT / "tests" / "cases").glob("models_*.py")):
        for value in vars(importlib.import_module(f"cases.{path.stem}")).values():
            for row in value if isinstance(value, list) else ():
                if isinstance(row, tuple):
                    found[row[0]] = row
                elif hasattr(row, "full"):
                    found[row.name] = (row.name, row.full, row.parameters)
    return list(found.values())


def paper(kind: type[Module]) -> str:
    """What the class, or else a class that it extends, or its file, is after."""
    for text in [*(inspect.getdoc(k) for k in kind.__mro__ if k.__module__ != Module.__module__),
                 inspect.getdoc(sys.modules[kind.__module__])]:  # fmt: skip
        if papers := PAPER.findall(" ".join((text or "").split())):
            return papers[0]
    return ""


def short(book: str) -> str:
    """ "Gulli and Pal 2017" of "Deep Learning with Keras (Gulli and Pal, 2017)"."""
    inner = re.search(r"\((.*?),? (?:\d\w\w ed\. )?(\d{4})\)", book)
    return f"{inner[1].rstrip(',').replace(', 2nd ed.', '')} {inner[2]}" if inner else book


def seen_in(*words: str) -> str:
    """The tutorials in which one of the words stands."""
    pattern = re.compile("|".join(rf"(?<![\w-]){re.escape(word)}\b" for word in words))
    return ", ".join(str(n) for n, text in TUTORIALS.items() if pattern.search(text))


def full_size_costs() -> dict[str, str]:
    """Multiply-adds by number of parameters: benchmarks/results/full_size.md has millions."""
    lines = (ROOT / "benchmarks" / "results" / "full_size.md").read_text().splitlines()
    rows = [[c.strip() for c in line.strip("|").split("|")] for line in lines if line[:1] == "|"]
    return {
        row[2]: f"{row[3].replace(' +', ' M +').replace(' per', ' M per')}"
        + f"{'' if '+' in row[3] else ' M'} at {row[1]}"
        for row in rows[2:]
    }


def cost(make: Callable[[], Module], shape: tuple[int, ...]) -> str:
    """Multiply-adds of one sample, counted on zeros of its shape."""
    try:
        count = summary(make(), shape).multiply_adds
    except (TinydlError, TypeError, AttributeError):
        return ""  # not a network of one array of floats
    return f"{count:,}" if count < 1e6 else f"{count / 1e6:,.1f} M"


@cache
def recipe_cost(name: str) -> str:
    recipe = RECIPES[name]
    shape = recipe.program.input_shape
    return cost(recipe.program.build, shape) if shape else ""


# -- pages -----------------------------------------------------------------------------------------

MODELS_INTRODUCTION = """# Models and recipes

Written by `python docs/tables.py`; a test holds it current. Parameters are counted from the model
as the book or paper has it, multiply-adds (M: millions) are those of one picture or sample going
forward; for large networks `python benchmarks/full_size.py` counts them, with the time and memory
of a training step. Tutorials: `python tutorials/NN_*.py`. [Errors of the books](book_errors.md)
and what stands here instead have their own page, pictures are in [figures](figures/README.md).

## Architectures

`tinydl.models`; rows without "after" are the books' own small networks. Beside them stand what has
no gradient to train with, `ThresholdUnit`, `Perceptron` (tutorial 13) and `HopfieldNetwork`, and
neural style transfer (`tinydl.models.style`, tutorial 19).
"""

RECIPES_INTRODUCTION = """
## Recipes

`tinydl train NAME` trains one, `tinydl reproduce NAME` prints the book's figure beside ours,
`tinydl recipes NAME` says everything about it. Figures are the score on the test part in percent:
accuracy, the mean intersection over union (mean IoU), or VOC 2007's mean average precision (mAP);
other scores are as they are. ± is the standard deviation of one training over the seeds; a figure
of one seed says nothing about chance. Beside it stands what methods without a network reach on the
same data, the recipe's baselines (`tinydl/baselines/`), with the word where the model does not beat
them. `-` where the book trains nothing of the kind, or nothing has been recorded here yet.
"""


SYSTEMS_INTRODUCTION = """
## The books' systems

What each of the five books builds, describes or names (chapter `-`: outside of its chapters), and
where it is here; written from `docs/systems.txt`. "being built" says what is still to come.
"""
NAMED_ONLY_INTRODUCTION = """
## Named only

What the books mention and nothing here builds, and why.
"""


def systems_section() -> list[str]:
    books, named = systems()
    rows = []
    for book, lines in books.items():
        for chapter, system, here in lines:
            words = here.removeprefix("pending: ")
            if words != here:
                here = f"being built: {words}"
            elif here != "named only":
                names = [re.sub(r"^models\..*\.", "", n) for n in here.split(", ")]
                here = ", ".join(n if " " in n else f"`{n}`" for n in names)
            rows.append((short(book), chapter, system, here))
    heads = ("book", "chapter", "system", "here")
    lines = [SYSTEMS_INTRODUCTION, *table(heads, rows), NAMED_ONLY_INTRODUCTION]
    return [*lines, *table(("system", "chapter", "why not here"), named)]


def models_page(measured: Mapping[str, Any]) -> str:
    used: dict[type, list[str]] = {}
    for recipe in RECIPES.values():
        used.setdefault(recipe.program.model, []).append(recipe.name)
    costs = full_size_costs()
    for recipe in RECIPES.values():
        if count := recipe_cost(recipe.name):
            at = "x".join(map(str, recipe.program.input_shape))
            costs.setdefault(f"{recipe.parameters:,}", f"{count} at {at}")
    architectures, listed = [], set()
    for name, full, stated in case_rows():
        with weightless():
            model = full()
        kind, count = type(model), f"{model.count_parameters():,}"
        if model.count_parameters() != stated:
            raise SystemExit(f"{name}: {count} parameters, its row says {stated:,}")
        recipes = used.get(kind, []) if name == kind.__name__ else []
        listed.add(kind)
        if count not in costs and (shape := INPUTS.get(kind.__name__)):
            costs[count] = f"{cost(full, shape)} at {'x'.join(map(str, shape))}"
        architectures.append((
            kind.__module__.split(".")[2], f"`{name}`" if name == kind.__name__ else name,
            paper(kind), count, costs.get(count, ""), ", ".join(f"`{r}`" for r in recipes),
            seen_in(kind.__name__, *recipes),
        ))  # fmt: skip
    missing = [k for k in used if k not in listed and k.__module__.startswith("tinydl.models.")]
    for kind in missing:
        first = RECIPES[used[kind][0]]
        architectures.append((
            kind.__module__.split(".")[2], f"`{kind.__name__}`", paper(kind),
            f"{first.parameters:,}", recipe_cost(first.name),
            ", ".join(f"`{r}`" for r in used[kind]),
            seen_in(kind.__name__, *used[kind]),
        ))  # fmt: skip
    order = list(dict.fromkeys(row[0] for row in architectures))
    architectures.sort(key=lambda row: order.index(row[0]))
    heads = ("family", "model", "after", "parameters", "multiply-adds", "recipes",
             "tutorial")  # fmt: skip
    lines = [MODELS_INTRODUCTION, *table(heads, architectures), RECIPES_INTRODUCTION]
    heads = ("recipe", "model", "book", "chapter", "data", "parameters", "multiply-adds",
             "score", "book, %", *MEASURED_COLUMNS, "tutorial")  # fmt: skip
    lines += table(heads, (recipe_row(r, measured) for r in RECIPES.values()))
    lines += systems_section()
    return "\n".join(lines) + "\n"


def recipe_row(recipe: Recipe, measured: Mapping[str, Any]) -> tuple[str, ...]:
    program, row = recipe.program, measured.get(recipe.name, {})
    names = {MEAN_IOU: "mean IoU", MAP: "mAP", MASK_MAP: "mAP of masks"}
    score = names.get(program.score, program.score)
    return (
        f"`{recipe.name}`", f"`{program.model.__name__}`", short(recipe.book), recipe.chapter,
        recipe.dataset, f"{recipe.parameters:,}", recipe_cost(recipe.name), score,
        figure(recipe, recipe.reported.get("test")),
        test_figure(recipe, row), seeds_told(row) if row else "",
        told_beside(recipe, row.get("baselines", {}), row.get("test")),
        seen_in(recipe.name) or seen_in(program.model.__name__),
    )  # fmt: skip


ERRORS_INTRODUCTION = """# Errors of the books

Written by `python docs/tables.py` from the recipes (`errors`, also in `tinydl recipes NAME`) and
`docs/errata.txt`; a test holds it current. Each row: what a book prints and what is right, what
stands here instead, and which test, tutorial (`python tutorials/NN_*.py`) or command shows it.
Errors were found by reading, counting and running; a slip may be one of the copy that was read.
"""


def error_rows() -> dict[str, list[list[str]]]:
    """By book the rows of the page: recipes' errors first, both in the order of chapters."""
    own, remarks = errata()
    pages: dict[str, dict[str, list[str]]] = {}
    for recipe in RECIPES.values():
        for text in recipe.errors:
            pages.setdefault(recipe.book, {}).setdefault(text, []).append(recipe.name)
    result = {}
    for book in sorted({*pages, *own}):
        rows: list[list[str]] = []
        for text, names in pages.get(book, {}).items():
            chapter = re.split(r"[,:]", RECIPES[names[0]].chapter)[0]
            known = [cells for start, cells in remarks.items() if text.startswith(start)]
            here, shown = known[0] if known else ("as it says", f"`tinydl recipes {names[0]}`")
            rows.append([chapter, text, f"{here} ({', '.join(f'`{n}`' for n in names)})", shown])
        result[book] = sorted([*rows, *own.get(book, [])], key=lambda row: row[0])
    return result


def errors_page() -> str:
    lines = [ERRORS_INTRODUCTION]
    for book, rows in error_rows().items():
        heads = ("chapter", "printed, and what is right", "here", "shown by")
        lines += [f"## {book}", "", *table(heads, rows), ""]
    return "\n".join(lines)


COMING_FROM_INTRODUCTION = """# Coming from PyTorch or Keras

Written by `python docs/tables.py` from `tinydl/habits` and `docs/defaults.txt`; a test holds it
current and runs every entry of the right columns. The same table answers in place: a name or a
keyword that is not here is an error that says what to write.

- Images are (N, H, W, C), sequences (N, T, D), weights of a layer (in, out), as in Keras; importers
  and `docs/conventions.md` say more.
- A layer is given the size of its input and knows no activation: `nn.Linear(784, 10)`, `nn.ReLU()`.
- Losses are functions of logits: `nn.cross_entropy(logits, labels)`; operations are `td.*`.
- `train.fit(model, (x, y), loss="cross_entropy", optimizer="adam", epochs=3)`, or a loop of your
  own: `loss.backward()`, `optimizer.step()`, `optimizer.zero_grad()`.
- Element types and backends are strings: `x.astype("float32")`, `model.to("opencl")`. Axes are
  `axis`, kept with `keepdims`.
- What runs and means something else is a closed list, and whatever else would is refused:
  [conventions](conventions.md).
"""
#: Places of the table, and what a reader calls them.
PLACES = {
    "td": "Functions of tensors: `tinydl as td`", "x": "Methods of tensors",
    "nn": "Layers and losses: `tinydl.nn`", "init": "First values: `tinydl.nn.init`",
    "model": "Methods of models", "optim": "Optimisers and schedules: `tinydl.optim`",
    "optimizer": "Members of optimisers", "schedule": "Members of schedules",
    "train": "Training: `tinydl.train`", "loss": "Names of losses that `fit` takes",
    "metric": "Names of metrics that `fit` takes", "history": "Members of a history",
    "data": "Data: `tinydl.data`", "rng": "Members of a generator: `tinydl.Generator`",
}  # fmt: skip
LIBRARIES = {"P": "PyTorch", "K": "Keras", "N": "NumPy"}


def default_rows() -> list[list[str]]:
    """Cells of docs/defaults.txt, what is here read from the signatures."""
    rows = []
    for line in (DOCS / "defaults.txt").read_text().split("\n\n")[1].splitlines():
        what, here, *others = line.split(" | ")
        rows.append([what, _default(here), *(cell.partition(" @ ")[0] for cell in others)])
    return rows


def _default(here: str) -> str:
    """The default of `optim.SGD:lr`; a text without a colon is the value."""
    name, _, argument = here.partition(":")
    if not argument:
        return here
    place, _, made = name.partition(".")
    module = importlib.import_module("tinydl" if place == "td" else f"tinydl.{place}")
    kinds = inspect.getmro(getattr(module, made)) if place == "nn" else [getattr(module, made)]
    found = [inspect.signature(kind).parameters.get(argument) for kind in kinds]
    return repr(next(p.default for p in found if p is not None))


def habit_row(row: habits.Row) -> tuple[str, ...]:
    typed = row.typed.removeprefix("(").removesuffix(")") if row.typed[0] == "(" else row.typed
    here = f"`{row.here}`" if row.here else ""
    return f"`{typed}`", LIBRARIES[row.whose[0]], here, row.remark


def coming_from_page() -> str:
    lines = [COMING_FROM_INTRODUCTION, "## Defaults that differ", ""]
    lines += table(("default", "here", "PyTorch", "Keras"), default_rows())
    heads = ("typed", "in", "here", "remark")
    for place, title in PLACES.items():
        rows = [row for row in habits.names().values() if row.typed.startswith(f"{place}.")]
        lines += ["", f"## {title}", "", *table(heads, map(habit_row, rows))]
    rows = [row for found in habits.keywords().values() for row in found]
    lines += ["", "## Keyword arguments", "", *table(heads, map(habit_row, rows))]
    return "\n".join(lines) + "\n"


# -- programs of several processes -----------------------------------------------------------------


def parallel_page() -> str:
    """docs/parallel.md with the table of programs as it is now."""
    head, _, rest = (DOCS / "parallel.md").read_text().partition("<!-- kinds -->\n")
    heads = ("program", "what it trains", "recipes", "`--data-parallel`")
    lines = table(heads, map(shared_row, sorted({r.program.kind for r in RECIPES.values()})))
    tail = rest[rest.index("<!-- end -->") :]
    return "\n".join([f"{head}<!-- kinds -->", *lines, tail])


def shared_row(kind: str) -> list[str]:
    """A kind of program: its recipes that several processes train, and why others are not."""
    recipes = [recipe for recipe in RECIPES.values() if recipe.program.kind == kind]
    why: dict[str, list[str]] = {}
    for recipe in recipes:
        why.setdefault(recipe.program.alone, []).append(recipe.name)
    told = ["yes"] if "" in why else []
    for reason, names in why.items():
        if reason:
            told.append(f"no{' (' + ', '.join(names) + ')' if told else ''}: {reason}")
    return [f"`{kind}`", recipes[0].program.what, str(len(recipes)), "; ".join(told)]


# -- the command -----------------------------------------------------------------------------------


def pages() -> dict[Path, str]:
    return {
        DOCS / "models.md": models_page(load_measured()),
        DOCS / "book_errors.md": errors_page(),
        DOCS / "coming_from.md": coming_from_page(),
        DOCS / "parallel.md": parallel_page(),
    }


def without_measured(page: str) -> str:
    """The page less its columns of measured figures, which change with every recorded run."""
    kept, places = [], set()
    for line in page.splitlines():
        cells = line.split("|")
        heads = {k for k, cell in enumerate(cells) if cell.strip() in MEASURED_COLUMNS}
        if heads:
            places = heads
        elif not line.startswith("|"):
            places = set()
        kept.append("|".join(c for k, c in enumerate(cells) if k not in places))
    return "\n".join(kept)


def stale() -> list[str]:
    """Names of the pages that are not what would be written, measured figures aside."""
    return [
        path.name
        for path, text in pages().items()
        if not path.exists() or without_measured(path.read_text()) != without_measured(text)
    ]


def main() -> None:
    """Write the pages, or with --check say which are old."""
    if "--check" in sys.argv[1:]:
        if old := stale():
            raise SystemExit(f"{', '.join(old)}: not current, run `python docs/tables.py`")
    else:
        for written, content in pages().items():
            written.write_text(content)
            print(written.relative_to(ROOT))


if __name__ == "__main__":
    sys.exit(command(main, "tables"))
