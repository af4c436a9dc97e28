"""The shelf: a card for each trained model that comes with the package, from its card.json and the
tables of docs/models.md, with pictures drawn from those that make some."""

from __future__ import annotations

from pathlib import Path

from book_pages import Books
from places import Places

import tinydl as td
from tinydl.recipes import RECIPES
from tinydl.runs.report import figure, told_beside
from tinydl.runs.run import OpenRun

#: Models whose samples are shown, and how many are drawn.
DRAWN = {"vae-plane": 12, "beta-vae": 12, "cvae-mnist": 12, "dcgan-mnist": 12, "ddpm-mnist": 12}
FEW = ("lenet-mnist", "char-lstm", "vae-plane")


def write(places: Places) -> None:
    books = Books(places)
    names = [name for name in td.zoo.names() if name in FEW or not places.few]
    cards = sorted((_family(name), _card(places, books, name)) for name in names)
    grid = ":::::{grid} 1 2 3 3\n:gutter: 3\n\n" + "\n".join(c for _, c in cards) + "\n:::::"
    text = [
        "# The shelf",
        "Trained models that come with the package: `td.zoo.load(NAME)` in Python; `tinydl zoo` "
        "lists them, and every command that takes a run takes such a name, `tinydl serve NAME` "
        "too. They stand in the order of their families, below `tinydl/models/`.",
        grid,
    ]
    places.write("shelf.md", "\n\n".join(text) + "\n")


def _family(name: str) -> str:
    return RECIPES[name].program.model.__module__.split(".")[2]


def _card(places: Places, books: Books, name: str) -> str:
    card, recipe = td.zoo.card(name), RECIPES[name]
    row = books.recipes[name]
    costs = f"{card.parameters:,} parameters"
    if row["multiply-adds"] not in ("-", "0"):
        costs += f", {row['multiply-adds']} multiply-adds"
    percent = " %" if recipe.program.is_share(recipe.program.score) else ""
    lines = [f"::::{{grid-item-card}} {name}"]
    if name in DRAWN:
        picture = _samples(places, name)
        told = f"{DRAWN[name]} pictures that {name} makes of noise"
        lines += [f":img-bottom: {picture}", f":img-alt: {told}"]
    score = f"{row['score']} {figure(recipe, card.test[card.score])}{percent}"
    beside = told_beside(recipe, card.baselines, card.test[card.score])
    score += f"; beside it {beside}" if beside else ""
    lines += [
        "", f"*{_family(name)}*: {_sentence(card.title)}", "",
        f"{costs}; {card.bytes / 1000:,.0f} kB as {card.stored}.",
        "", f"{score}.", "", ", ".join(_links(books, name)) + ".", "::::", "",
    ]  # fmt: skip
    return "\n".join(lines)


def _sentence(title: str) -> str:
    return title[:1].upper() + title[1:] + ("" if title.endswith("?") else ".")


def _links(books: Books, name: str) -> list[str]:
    """The model, the recipe, the tutorials."""
    row = books.recipes[name]
    numbers = [n for n in row["tutorial"].split(", ") if n != "-"]
    found = [books.linked(row["model"], "shelf"), books.linked(f"recipe `{name}`", "shelf")]
    return found + [books.name(f"tutorial {n}", "shelf") for n in numbers]


def _samples(places: Places, name: str) -> str:
    """A picture of samples; kept beside the site until the weights change."""
    from tinydl.random import Generator
    from tinydl.viz import image_grid

    kept = places.root.parent / "shelf" / f"{name}-{td.zoo.card(name).sha256[:16]}.png"
    if not kept.exists():
        kept.parent.mkdir(parents=True, exist_ok=True)
        run = OpenRun(Path(td.zoo.shelf.folder(name)))
        samples = run.recipe.program.sample(run.model(None), DRAWN[name], Generator(0))
        image_grid(samples, path=str(kept), columns=6, inches=0.9)
    places.copy(kept, f"pictures/shelf-{name}.png")
    return f"pictures/shelf-{name}.png"
