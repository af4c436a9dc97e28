"""What every run has: what it is, its figures beside their baselines, its curves, its layers."""

from __future__ import annotations

import io
import shlex
from collections.abc import Mapping
from typing import Any

import numpy as np

from ..errors import ConfigError
from ..interop.imported import Imported
from ..measure.profiler import profile
from ..nn import summary
from ..nn.watch import looking, one_sample
from ..own.options import Options
from ..quoting import shown
from ..runs.folder import HISTORY, has, read_result
from ..runs.imported import ImportedRun
from ..runs.told import said
from ..train import History
from ..zoo.shelf import CARD, SHELF, card
from .html import Html, element, image, paragraph, section, table
from .subject import Subject

PROFILED = 16  # samples in the batch whose operations stand below the roofs


def fitted(figure: Any, dpi: int = 100) -> bytes:
    """A matplotlib figure as PNG."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=dpi)
    return buffer.getvalue()


# -- what it is ------------------------------------------------------------------------------------


def origin(subject: Subject) -> Html:
    """What was trained on what, with which command."""
    config, run = subject.config, subject.run
    rows: list[tuple[str, Any]]
    if isinstance(run, ImportedRun):
        rows = [
            ("imported from", config["source"]), ("kind of file", config["kind"]),
            ("looked at on", subject.dataset or "nothing: --dataset names labelled pictures"),
        ]  # fmt: skip
    else:
        recipe, training = run.recipe, subject.training
        rows = [
            ("what", recipe.title), ("recipe", f"{recipe.name} ({recipe.book}, {recipe.chapter})"),
            ("trained by", recipe.program.what), ("data", config["dataset"]),
            ("split", training.split() if training else config.get("split", "")),
            ("epochs", f"{config['epochs']}, seed {config['seed']}"),
            ("arithmetic", f"{config['dtype']} on {config['backend']}"),
            ("command", element("code", _command(subject))),
        ]  # fmt: skip
        settings = {**config, **config.get("settings", {})}
        kept = ("architecture", "optimizer", "optimizer_settings", "batch_size", "lr")
        rows += [(k.replace("_", " "), shown(said(settings[k]), 400)) for k in kept
                 if settings.get(k) not in (None, {}, [])]  # fmt: skip
    rows += [("parameters", f"{config['parameters']:,}"), ("tinydl", config["tinydl"])]
    if run.unfinished:
        rows.append(("stopped", "this run has not ended: these are the weights of a checkpoint"))
    return section("What was trained", table(("", ""), rows, text=(0, 1)))


def _command(subject: Subject) -> str:
    config, run = subject.config, subject.run
    if run.folder.parent == SHELF and has(run.folder, CARD):
        return card(run.folder.name).command
    name = config["recipe"]
    if "recipe_file" in config:
        name = f"{config['recipe_file']['name']}:{name}"
    parts = [f"tinydl train {name} --seed {config['seed']} --epochs {config['epochs']}"]
    parts += [f"--backend {config['backend']}"] if config["backend"] != "cpu" else []
    if (own := config.get("own")) is not None:
        options: dict[str, Any] = {
            k: tuple(v) if isinstance(v, list) else v for k, v in own["options"].items()
        }
        source = own["source"]
        parts += [f"--on {shlex.quote(own['name'])}", *Options(**options).typed()]
        parts += [] if source is None else [f"--from {shlex.quote(source['name'])}"]
    return " ".join(parts)


# -- figures ---------------------------------------------------------------------------------------


def figures(subject: Subject) -> Html | None:
    """Every measure on the test part, and what methods without a network reach."""
    run, training = subject.run, subject.training
    if isinstance(run, ImportedRun):
        return None
    found, program = read_result(run.folder), run.recipe.program
    measures: Mapping[str, float | None]
    if found is not None:
        measures, beside = found["test"], found["baselines"]
    elif training is not None:
        measures, beside = training.measure("test"), {}
    else:
        raise ConfigError(f"there are no figures: {subject.missing}")
    names = list(measures)

    def told(name: str, value: float | None) -> str:
        if value is None or value != value:
            return "-"
        return f"{100 * value:.2f} %" if program.is_share(name) else f"{value:.4g}"

    heads = ["measure on the test part", "this model", *beside]
    rows = [
        [
            element("strong", n) if n == program.score else n,
            told(n, measures[n]),
            *(told(n, b.get(n)) if n in b else "" for b in beside.values()),
        ]
        for n in names
    ]
    direction = "smaller is better" if program.lower_is_better else "larger is better"
    text = f"In bold what it is judged by ({direction}); beside it methods without a network."
    return section("Figures", table(heads, rows), element("p", text, style="font-size:.85rem"))


def curves(subject: Subject) -> Html | None:
    """The history, as drawn by `viz.plot_curves`."""
    from ..viz import plot_curves

    folder = subject.run.folder
    if isinstance(subject.run, ImportedRun):
        return None
    if not has(folder, HISTORY):
        return section("Curves", paragraph("The run keeps no history."))
    history = History.from_csv(folder / HISTORY)
    if not len(history):
        return section("Curves", paragraph("No epoch was done."))
    # A dollar would begin a formula in matplotlib's texts.
    plain = History([{k.replace("$", ""): v for k, v in row.items()} for row in history.rows])
    names = [n for n in plain.columns if n not in ("epoch", "seconds") and n[:4] != "val_"]
    pictures = []
    for start in range(0, len(names), 3):  # rows that are not too wide
        some = ("epoch", *names[start : start + 3])
        kept = {*some, *(f"val_{n}" for n in some)}
        part = History([{k: v for k, v in r.items() if k in kept} for r in plain.rows])
        pictures.append(image(fitted(plot_curves(part)), f"{', '.join(some[1:])} by epoch"))
    return section("Curves", *pictures)


# -- layers ----------------------------------------------------------------------------------------


def layers(subject: Subject) -> Html:
    """The summary of the model: of each call its shape, parameters and multiply-adds."""
    from ..interop.tracing import rows_of

    run = subject.run
    if not isinstance(run, ImportedRun) and not run.recipe.program.input_shape:
        return section("Layers", *_modules(subject))
    shape = _sample_shape(subject)
    if isinstance(subject.model, Imported):
        rows = rows_of(subject.model, shape)
        cells = [
            (r["name"], r["layer"], r["output_shape"], f"{r['parameters']:,}",
             f"{r['multiply_adds']:,}") for r in rows
        ]  # fmt: skip
        text = f"for one sample {shape}"
    else:
        found = summary(subject.model, shape)
        cells = [
            (r.name, r.layer, r.output_shape, f"{r.parameters:,}", f"{r.multiply_adds:,}")
            for r in found.rows
        ]
        text = (
            f"for one sample {shape}: {found.parameters:,} parameters, {found.multiply_adds:,} "
            f"multiply-adds, {found.activation_bytes:,} bytes of results"
        )
    heads = ("layer", "kind", "output", "parameters", "multiply-adds")
    body = table(heads, cells[:400], text=(0, 1))
    return section("Layers", paragraph(text), body)


def _modules(subject: Subject) -> list[Html]:
    """The modules with parameters, of a model that takes no single array."""
    rows = []
    for name, module in subject.model.named_modules():
        own = {k: p for k, p in module.named_parameters() if "." not in k}
        if own:
            shapes = ", ".join(f"{k} {tuple(p.shape)}" for k, p in own.items())
            count = sum(p.size for p in own.values())
            rows.append((name or "the model", type(module).__name__, shapes, f"{count:,}"))
    told = "The modules with parameters; the model takes no single array, so no sizes are shown."
    heads = ("layer", "kind", "parameters", "how many")
    return [paragraph(told), table(heads, rows[:400], text=(0, 1, 2))]


def _sample_shape(subject: Subject) -> tuple[int, ...]:
    if isinstance(subject.run, ImportedRun):
        wires = list(subject.run.model().inputs.values())
        if len(wires) != 1 or not wires[0].shape or len(wires[0].shape) < 2:
            raise ConfigError(f"the net takes {len(wires)} inputs, not one batch")
        return tuple(n if isinstance(n, int) else 64 for n in wires[0].shape[1:])
    shape = subject.run.recipe.program.input_shape
    if not shape:
        raise ConfigError("the model takes no single array")
    return tuple(shape)


def roofline(subject: Subject) -> Html | None:
    """Where the time of a forward pass goes, below what this machine allows."""
    from ..nn.embedding import Embedding
    from ..nn.summary import first_layer
    from ..viz.roofline import plot_roofline

    run = subject.run
    if not isinstance(run, ImportedRun) and not run.recipe.program.input_shape:
        return None
    shape, model = _sample_shape(subject), subject.model
    kind = np.int64 if isinstance(first_layer(model), Embedding) else None
    one = one_sample("report", model, shape, kind)
    backend = one.backend
    x = one._new(backend.zeros((PROFILED, *shape), one.dtype), backend)
    with looking(model):
        model(x)  # what is done once is done
        with profile() as seen:
            model(x)
    rows = seen.rows()
    points = [r for r in rows if r.flops and r.traffic and r.least]
    if not points:
        raise ConfigError("no operation was counted")
    cells = [
        (r.op, f"{r.calls:,}", f"{1e3 * r.seconds:.2f}", f"{100 * r.seconds / seen.wall:.0f}",
         f"{r.flops / max(r.seconds, 1e-12) / 1e9:.1f}",
         "-" if r.share is None else f"{100 * r.share:.0f} %") for r in rows[:12]
    ]  # fmt: skip
    heads = ("operation", "calls", "ms", "% of the pass", "GFLOP/s", "of the roof")
    title = f"a forward pass of {PROFILED} samples"
    picture = image(fitted(plot_roofline([seen.peaks()], points, title=title)), "roofline")
    told = f"{title} on the machine that made this page: {1e3 * seen.wall:.2f} ms"
    return section("Roofline", paragraph(told), picture, table(heads, cells))
