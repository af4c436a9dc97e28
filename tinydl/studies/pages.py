"""What `python -m tinydl.studies` writes: tables, the rows behind them, and small multiples."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ..bench.harness import machine
from ..errors import FormatError
from ..runs.report import markdown_table
from ..train import write_atomically
from ..viz.figure import MUTED, colour_of, new_figure, plain_axes, save_figure
from .comparisons import Cost, Course

Row = Any  # Course or Cost
ROWS, PAGE = "studies.json", "studies.md"


@dataclass(frozen=True, slots=True)
class Study:
    """How one study is told: title, what was done, heads of the table, cells and findings."""

    title: str
    about: str
    kind: type[Course] | type[Cost]
    heads: tuple[str, ...]
    cells: Callable[[Row], list[str]]
    findings: Callable[[Sequence[Row]], list[str]]
    draw: Callable[[Sequence[Row], Path], Any]


# -- tables ----------------------------------------------------------------------------------------


def course_cells(course: Course) -> list[str]:
    last = course.rows[-1]
    return [
        course.group,
        course.label,
        f"{course.parameters:,}",
        *(f"{last[name]:.3f}" for name in ("train_loss", "test_loss")),
        *(f"{100 * last[name]:.1f}" for name in ("train_accuracy", "test_accuracy")),
        f"{course.cpu_seconds:.0f}",
    ]


def cost_cells(row: Cost) -> list[str]:
    return [
        f"{row.kernel}x{row.kernel}",
        f"{row.side}x{row.side}",
        str(row.channels),
        *(f"{1000 * s:.3f}" for s in (row.seconds, row.training_seconds)),
        *(f"{ratio:.3f}" for ratio in (row.counted, row.forward, row.training)),
    ]


def degradation_findings(courses: Sequence[Course]) -> list[str]:
    """For each kind: the first and the deepest network."""
    lines = []
    for kind in dict.fromkeys(c.group for c in courses):
        ends = [c for c in courses if c.group == kind]
        told = [
            f"{c.label}: training loss {c.rows[-1]['train_loss']:.3f}, test accuracy "
            f"{100 * c.rows[-1]['test_accuracy']:.1f} %"
            for c in (ends[0], ends[-1])
        ]
        lines.append(f"{kind}, {told[0]}; {told[1]}.")
    return lines


def regulariser_findings(courses: Sequence[Course]) -> list[str]:
    """Where each test loss was least, and what it became."""
    lines = []
    for k, course in enumerate(courses):
        if any(course.rows == other.rows for other in courses[:k]):
            continue  # the training without any of them, shown again
        best = min(course.rows, key=lambda row: row["test_loss"])
        last = course.rows[-1]["test_loss"]
        lines.append(
            f"{course.group} {course.label}: least test loss {best['test_loss']:.3f} after "
            f"{best['epoch']:.0f} epochs, {last:.3f} at the end."
        )
    return lines


def cost_findings(rows: Sequence[Cost]) -> list[str]:
    """How far the ratio of times is from that of multiply-adds."""
    lines = []
    for name, of in (("Forward", lambda r: r.forward), ("With gradients", lambda r: r.training)):
        factors = [of(row) / row.counted for row in rows]
        lines.append(
            f"{name}, the measured ratio is {min(factors):.1f} to {max(factors):.1f} times the "
            "counted one."
        )
    return lines


# -- pictures --------------------------------------------------------------------------------------


def draw_degradation(courses: Sequence[Course], path: Path) -> Any:
    """Plain to the left, residual to the right; training loss above, test accuracy below."""
    groups, labels = (
        list(dict.fromkeys(getattr(c, n) for c in courses)) for n in ("group", "label")
    )
    figure = new_figure(4.2 * len(groups), 6.0)
    axes = figure.subplots(2, len(groups), sharex=True, sharey="row", squeeze=False)
    for course in courses:
        column = groups.index(course.group)
        colour = colour_of(labels.index(course.label))
        epochs = [row["epoch"] for row in course.rows]
        for ax, name in zip(axes[:, column], ("train_loss", "test_accuracy"), strict=True):
            ax.plot(epochs, [row[name] for row in course.rows], color=colour, label=course.label)
    for column, group in enumerate(groups):
        plain_axes(axes[0, column], title=group)
        plain_axes(axes[1, column], xlabel="epoch")
    axes[0, 0].set_ylim(bottom=0)
    axes[0, 0].set_ylabel("loss on training images")
    axes[1, 0].set_ylabel("accuracy on test images")
    axes[0, -1].legend(frameon=False, fontsize=9)
    return save_figure(figure, path)


def draw_regularisers(courses: Sequence[Course], path: Path) -> Any:
    """A row for each means, a panel for each setting: training and test loss."""
    groups = list(dict.fromkeys(c.group for c in courses))
    rows = [[c for c in courses if c.group == group] for group in groups]
    wide = max(len(row) for row in rows)
    figure = new_figure(2.9 * wide, 2.1 * len(rows))
    axes = figure.subplots(len(rows), wide, sharex=True, sharey=True, squeeze=False)
    largest = 2.6 * min(row["test_loss"] for c in courses for row in c.rows)
    for ax_row, row in zip(axes, rows, strict=True):
        for ax in ax_row[len(row) :]:
            ax.set_axis_off()
        for ax, course in zip(ax_row, row, strict=False):
            epochs = [point["epoch"] for point in course.rows]
            for k, part in enumerate(("train", "test")):
                values = [point[f"{part}_loss"] for point in course.rows]
                ax.plot(epochs, values, color=colour_of(k), label=part)
            plain_axes(ax, ylim=(0, largest))
            right = 100 * course.rows[-1]["test_accuracy"]
            ax.set_title(f"{course.group}: {course.label} ({right:.1f} %)", fontsize=8)
    for ax in axes[-1]:
        ax.set_xlabel("epoch")
    axes[0, 0].set_ylabel("loss")
    handles, labels = axes[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, frameon=False, ncols=2, loc="outside upper center")
    return save_figure(figure, path)


def draw_costs(rows: Sequence[Cost], path: Path) -> Any:
    """A panel for each kernel and map: ratios over the number of channels."""
    places = list(dict.fromkeys((row.kernel, row.side) for row in rows))
    figure = new_figure(3.1 * len(places), 3.2)
    axes = figure.subplots(1, len(places), sharey=True, squeeze=False)[0]
    lines = (
        ("multiply-adds, 1/F + 1/k\u00b2", lambda row: row.counted),
        ("time, forward", lambda row: row.forward),
        ("time, with gradients", lambda row: row.training),
    )
    for ax, (kernel, side) in zip(axes, places, strict=True):
        chosen = [row for row in rows if (row.kernel, row.side) == (kernel, side)]
        channels = [row.channels for row in chosen]
        for k, (label, of) in enumerate(lines):
            style = {"color": MUTED, "linestyle": "--"} if k == 0 else {"color": colour_of(k - 1)}
            ax.plot(channels, [of(row) for row in chosen], marker="o", label=label, **style)
        plain_axes(ax, xlabel="channels in and out, F", xscale="log")
        ax.set_xticks(channels, [str(c) for c in channels])
        ax.minorticks_off()
        ax.set_ylim(bottom=0)
        ax.set_title(f"{kernel}x{kernel} on {side}x{side}", fontsize=10)
    axes[0].set_ylabel("separable / full convolution")
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, frameon=False, ncols=3, loc="outside lower center")
    return save_figure(figure, path)


# -- pages -----------------------------------------------------------------------------------------

COURSE_HEADS = ("parameters", "training loss", "test loss", "training, %", "test, %", "CPU s")
STUDIES = {
    "degradation": Study(
        "Degradation: plain and residual networks",
        "5,000 training and 5,000 test images of CIFAR-10, halved to 16x16; half of the usual "
        "widths (8, 16, 32); shifts and mirror images; 40 epochs of SGD. Losses and accuracies "
        "are those of the images as they are. A plain network that is deeper should fit the "
        "training images at least as well: shallower ones are contained in it (He et al. 2015).",
        Course,
        ("network", "depth", *COURSE_HEADS),
        course_cells,
        degradation_findings,
        draw_degradation,
    ),
    "regularisers": Study(
        "Dropout, L2, batch normalisation, depth",
        "784-256-256-10 on 3,000 training images of Fashion-MNIST, so few that it learns them by "
        "heart; 40 epochs of Adam. Losses are cross-entropies with dropout off and without the "
        "penalty. The first setting of every row is the same training.",
        Course,
        ("means", "setting", *COURSE_HEADS),
        course_cells,
        regulariser_findings,
        draw_regularisers,
    ),
    "separable": Study(
        "Depthwise-separable and full convolutions: counted and timed",
        "One picture, as many channels out as in, float32, one thread, processor time, medians of "
        "25 rounds in turns. With gradients: forward, and the gradients of input and weights.",
        Cost,
        ("kernel", "map", "channels", "full, ms", "with gradients, ms", "ratio of multiply-adds",
         "of times", "of times with gradients"),
        cost_cells,
        cost_findings,
        draw_costs,
    ),
}  # fmt: skip


def write(name: str, rows: Sequence[Row], out: Path, figures: Path) -> list[Path]:
    """Merge the rows of one study into `out`, and draw it; returns what was written. FormatError
    for a damaged studies.json."""
    out.mkdir(parents=True, exist_ok=True)
    figures.mkdir(parents=True, exist_ok=True)
    known = read(out / ROWS)
    known[name] = Known(machine(), list(rows))
    content = {n: asdict(known[n]) for n in STUDIES if n in known}
    write_atomically(out / ROWS, json.dumps(content, indent=1).encode() + b"\n")
    write_atomically(out / PAGE, page(known, Path(os.path.relpath(figures, out))).encode())
    picture = figures / f"study_{name}.png"
    STUDIES[name].draw(rows, picture)
    return [out / ROWS, out / PAGE, picture]


@dataclass(frozen=True, slots=True)
class Known:
    """The rows of a study, and where and when they were made."""

    where: dict[str, Any]
    rows: list[Row]


def read(path: Path) -> dict[str, Known]:
    """The rows by study; {} if there is no file."""
    try:
        found = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
        return {
            name: Known(one["where"], [STUDIES[name].kind(**row) for row in one["rows"]])
            for name, one in found.items()
        }
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise FormatError(f"studies: {path} is damaged ({error!r})") from None


def page(known: dict[str, Known], figures: Path) -> str:
    """studies.md: every study that has rows."""
    lines = ["# Studies", "", "Made by `python -m tinydl.studies NAME --out FOLDER`."]
    for name, study in STUDIES.items():
        if name not in known:
            continue
        rows, where = known[name].rows, known[name].where
        made = f"{where['machine']}, {where['level']}, {where['date'][:10]}, {where['commit']}."
        lines += ["", f"## {study.title}", "", study.about, "", made, ""]
        lines += markdown_table(study.heads, [study.cells(row) for row in rows])
        lines += ["", *(f"* {text}" for text in study.findings(rows))]
        lines += ["", f"![{study.title}]({(figures / f'study_{name}.png').as_posix()})"]
    return "\n".join(lines) + "\n"
