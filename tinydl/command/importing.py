"""The subcommands `tinydl inspect`, `import` and `export`: nets of other libraries, in and out."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..console import Parser, print_json, teller
from ..errors import ConfigError
from ..files import is_empty
from ..foreign import parse_number, read_regular
from ..quoting import quoted, shown
from ..tables import Page, facts

if TYPE_CHECKING:
    from ..nn import Module
    from ..runs.imported import ImportedRun

Arguments = argparse.Namespace
MOST_LABELS = 1 << 24  # bytes of a file of labels


def _add_opened(sub: Parser) -> None:
    """What load_onnx takes beside the path."""
    sub.add_argument("file", metavar="FILE", help="ONNX, Keras or safetensors, by its content")
    sub.add_argument(
        "--input", action="append", metavar="NAME=VALUE", default=[],
        help="an input that is to be a constant, such as sr=16000",
    )  # fmt: skip
    sub.add_argument(
        "--shape", action="append", metavar="NAME=SIZES", default=[],
        help="sizes that the file leaves open, such as x=1,3,48,192",
    )  # fmt: skip


def add_inspect(sub: Parser) -> None:
    """The arguments of `tinydl inspect`."""
    _add_opened(sub)


def add_import(sub: Parser) -> None:
    """The arguments of `tinydl import`."""
    _add_opened(sub)
    sub.add_argument("--out", metavar="RUN", help="the run folder to make")
    sub.add_argument("--code", metavar="PY", help="write the net as tinydl source, weights beside")
    sub.add_argument("--labels", metavar="TXT", help="names of the classes, one a line")
    sub.add_argument("--scale", metavar="S", help="pixels 0 ... 255 times this (default 1/255)")
    sub.add_argument("--mean", metavar="M", help="then less this, for each channel: 0.5,0.5,0.5")
    sub.add_argument("--std", metavar="D", help="then divided by this")
    sub.add_argument("--channels", choices=("rgb", "bgr"), help="order of the colours (rgb)")


def add_export(sub: Parser) -> None:
    """The arguments of `tinydl export`."""
    sub.add_argument("folder", metavar="RUN", help="run folder")
    sub.add_argument("--to", choices=("onnx", "safetensors"), default="onnx", help="(default onnx)")
    sub.add_argument("--out", metavar="FILE", help="(default: RUN/export.onnx, .safetensors)")
    sub.add_argument("--torch", action="store_true", help="safetensors: PyTorch's names, layouts")
    sub.add_argument("--opset", type=int, default=17, help="of ONNX, 17 ... 21 (default 17)")
    sub.add_argument("--recipe", dest="recipe_file", metavar="FILE", help="of a run's own recipe")


def _options(args: Arguments) -> dict[str, Any]:
    inputs, shapes = {}, {}
    for given in args.input:
        name, value = _assigned("--input", given)
        inputs[name] = np.array(_numbers("--input", value))
        inputs[name] = inputs[name].reshape(()) if "," not in value else inputs[name]
    for given in args.shape:
        name, value = _assigned("--shape", given)
        shapes[name] = tuple(int(n) for n in _numbers("--shape", value))
    return {"inputs": inputs, "shapes": shapes}


def _assigned(option: str, given: str) -> tuple[str, str]:
    name, sign, value = given.rpartition("=")
    if not sign or not name or not value:
        raise ConfigError(f"import: {option} must be NAME=VALUE, got {quoted(given)}")
    return name, value


def _numbers(option: str, text: str) -> list[Any]:
    """ "1,3" as [1, 3], "0.5" as [0.5], "1/255" as a quotient."""
    found: list[Any] = []
    for part in text.split(","):
        try:
            top, slash, bottom = part.strip().partition("/")
            value = parse_number(top) / (parse_number(bottom) if slash else 1)
        except (ValueError, ZeroDivisionError):
            raise ConfigError(f"import: {option}: {quoted(part)} is no number") from None
        found.append(int(value) if value == int(value) and "." not in part else value)
    return found


def inspect_command(args: Arguments) -> int:
    """What a file holds, and what of it is not imported."""
    from ..interop.inspecting import inspect

    found = inspect(args.file, _options(args))
    teller(args)(found.page())
    if args.json:
        print_json(found.to_json())
    return 0


# -- import ----------------------------------------------------------------------------------------


def import_command(args: Arguments) -> int:
    """A run folder of a file, or its net as source, or both."""
    from ..interop.kinds import open_model

    if args.out is None and args.code is None:
        raise ConfigError("import: say what to make: --out RUN, a run folder, or --code model.py")
    wanted = _wanted(args)
    if args.code is not None and Path(args.code).suffix != ".py":
        raise ConfigError(f"import: --code must end in .py, got {quoted(args.code)}")
    out = _free_folder(args.out)
    net, kind = open_model(args.file, _options(args))
    result: dict[str, Any] = {"file": args.file, "kind": kind}
    tell = teller(args)
    if out is not None:
        from ..runs.importing import write_imported

        out.mkdir(parents=True, exist_ok=True)
        config = write_imported(out, net, Path(args.file).name, kind, wanted)
        result |= {"run": args.out, "config": config}
        tell(Page([f"{shown(args.file)} in {shown(out)}", facts(_told(config))]))
    if args.code is not None:
        lines = _write_source(Path(args.code), net, Path(args.file).name)
        result["code"] = args.code
        tell(f"{lines} lines of source in {shown(args.code)}, the weights beside it")
    if args.json:
        print_json(result)
    return 0


def _write_source(target: Path, net: Module, origin: str) -> int:
    """The net as a file of Python and its weights beside it; how many lines it has."""
    from ..files import write_atomically
    from ..interop.described import imported
    from ..interop.source import source_of
    from ..train.tensor_files import write_tensors

    for path in (target, target.with_suffix(".safetensors")):
        if path.exists():
            raise ConfigError(f"import: {shown(path)} exists already and nothing is overwritten")
    source = source_of(imported(net), origin)
    write_atomically(target, source.text.encode())
    write_tensors(target.with_suffix(".safetensors"), source.arrays, {"format": "tinydl"})
    return source.text.count("\n")


def _wanted(args: Arguments) -> Any:
    from ..runs.importing import Wanted

    def several(option: str) -> tuple[float, ...] | None:
        given = getattr(args, option)
        return None if given is None else tuple(map(float, _numbers(f"--{option}", given)))

    scale = None if args.scale is None else float(_numbers("--scale", args.scale)[0])
    labels = None if args.labels is None else _labels(args.labels)
    return Wanted(labels, scale, several("mean"), several("std"), args.channels)


def _labels(path: str) -> tuple[str, ...]:
    content = read_regular(path, MOST_LABELS, "import")
    try:
        lines = content.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError:
        raise ConfigError(f"import: {shown(path)} is no text in UTF-8") from None
    found = tuple(shown(line.strip(), 150) for line in lines if line.strip())
    if not found or len(set(found)) < len(found):
        raise ConfigError(f"import: {shown(path)} must hold different names, one a line")
    return found


def _free_folder(name: str | None) -> Path | None:
    """The folder, if nothing is overwritten."""
    if name is None:
        return None
    folder = Path(name)
    if folder.exists() and not (folder.is_dir() and is_empty(folder)):
        raise ConfigError(
            f"import: {shown(folder)} exists already and nothing is overwritten; name another"
        )
    return folder


def _told(config: dict[str, Any]) -> list[tuple[str, str]]:
    picture, classes = config["picture"], config["classes"]
    rows = [("weights", f"{config['parameters']:,}"), ("outputs", config["answer"]["kind"])]
    if classes:
        names = ", ".join(classes[:10]) + (", ..." if len(classes) > 10 else "")
        rows.append(("classes", f"{len(classes)}: {names}"))
    if picture is None:
        return [*rows, ("pictures", "none: `predict` and `classify` do not apply")]
    sides = [str(picture[k] or "any") for k in ("height", "width")]
    rows += [
        ("pictures", f"{sides[0]} x {sides[1]}, {picture['layout']}"),
        ("channels", picture["channels"] if picture["depth"] == 3 else "grey"),
        ("pixels", f"0 ... 255 times {picture['scale']:.6g}, less {_list(picture['mean'])}, "
                   f"divided by {_list(picture['std'])}"),
    ]  # fmt: skip
    return rows


def _list(values: Sequence[float]) -> str:
    return ", ".join(f"{v:g}" for v in values)


# -- looking at an imported net --------------------------------------------------------------------


def evaluate_imported(args: Arguments, run: ImportedRun) -> int:
    """Accuracy and loss over a part of a data set of labelled pictures."""
    from ..experiment.datasets import load_dataset

    if args.dataset is None:
        raise ConfigError("evaluate: an imported net has no data of its own: name some: --dataset")
    data = load_dataset(args.dataset)
    x, y = (getattr(data, f"{v}_{args.part}", getattr(data, v, None)) for v in "xy")
    if x is None or y is None or np.ndim(y) != 1 or np.asarray(y).dtype.kind not in "iu":
        raise ConfigError(f"evaluate: {args.dataset} has no {args.part} part of labelled pictures")
    p = run.probabilities_of(np.asarray(x), args.backend, "evaluate")
    y = np.asarray(y)
    if y.max(initial=0) >= p.shape[1]:
        raise ConfigError(f"evaluate: {args.dataset} has {y.max() + 1} classes, not {p.shape[1]}")
    loss = float(-np.log(np.maximum(p[np.arange(len(y)), y], 1e-30)).mean())
    accuracy = float((p.argmax(axis=1) == y).mean())
    tell = teller(args)
    tell(
        f"accuracy {100 * accuracy:.2f} %, loss {loss:.4f}: the {args.part} part of "
        f"{args.dataset}, {len(y):,} samples"
    )
    if args.json:
        found = {"dataset": args.dataset, "part": args.part, "samples": len(y)}
        print_json({"run": args.folder, **found, "loss": loss, "accuracy": accuracy})
    return 0


def example_of(op: str, run: ImportedRun) -> tuple[Any, tuple[int, ...]]:
    """(the net, the sizes of one sample of its only input), open sizes being those of pictures of
    64 pixels; ConfigError for one of several inputs."""
    net = run.model()
    wires = list(net.inputs.values())
    if len(wires) != 1 or not wires[0].shape or len(wires[0].shape) < 2:
        raise ConfigError(f"{op}: the net of {run.folder} takes {len(wires)} inputs, not one batch")
    return net, tuple(n if isinstance(n, int) else 64 for n in wires[0].shape[1:])


# -- export ----------------------------------------------------------------------------------------


def export_command(args: Arguments) -> int:
    """A run's model as a file of another library."""
    from ..runs.imported import opened

    if args.torch and args.to != "safetensors":
        raise ConfigError("export: --torch is for --to safetensors")
    run = opened(args.folder, args.recipe_file)
    suffix = ".onnx" if args.to == "onnx" else ".safetensors"
    target = Path(args.out or Path(args.folder) / f"export{suffix}")
    if target.suffix != suffix:
        raise ConfigError(f"export: --out must end in {suffix}, got {quoted(str(target))}")
    result = _export_onnx(args, run, target) if args.to == "onnx" else _tensors(args, run, target)
    teller(args)(f"{result['parameters']:,} parameters of {shown(args.folder)} in {shown(target)}")
    if args.json:
        print_json({"run": args.folder, "to": args.to, "out": str(target), **result})
    return 0


def _export_onnx(args: Arguments, run: Any, target: Path) -> dict[str, Any]:
    from ..interop import save_onnx
    from ..nn.watch import one_sample
    from ..runs.imported import ImportedRun

    if isinstance(run, ImportedRun):
        model, shape = example_of("export", run)
    else:
        model, shape = run.model("numpy"), run.recipe.program.input_shape
        if not shape:
            raise ConfigError(f"export: {run.recipe.name} takes no single array")
    one = one_sample("export", model, shape).numpy()
    save_onnx(model, target, one, args.opset)
    return {"parameters": model.count_parameters(), "opset": args.opset}


def _tensors(args: Arguments, run: Any, target: Path) -> dict[str, Any]:
    from ..interop.pytorch.state import torch_state
    from ..train.tensor_files import write_tensors

    model = run.model("numpy")
    state = torch_state(model) if args.torch else model.state_dict()
    write_tensors(target, state, {"format": "pt" if args.torch else "tinydl"})
    return {"parameters": model.count_parameters(), "tensors": len(state)}
