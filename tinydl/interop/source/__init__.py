"""A net as readable source: `source_of(net)` gives the text of a Python file and its arrays.

The file is written to be read: layers by tinydl's names, images with the channels last, shape
arithmetic and transposes gone, what repeats as a class or a loop. Nothing of the source file gets
into it but numbers, names made of letters, and comments of plain characters (names.py).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..imported import Imported
from .blocks import with_classes
from .calls import Class, named_layers, state_of
from .lower import OPEN, Lowered, lowered
from .names import comment
from .text import class_text

__all__ = ["Source", "source_of"]


@dataclass
class Source:
    """text: of the file; arrays: of the safetensors file beside it; inputs, outputs: (name in the
    imported file, shape there, type, whether the source has its channels last)."""

    text: str
    arrays: dict[str, np.ndarray]
    inputs: list[tuple[str, tuple[int, ...], str, bool]]
    outputs: list[tuple[str, tuple[int, ...], str, bool]]


def source_of(net: Imported, origin: str = "a file") -> Source:
    """The net as source; origin: the name of its file. ConfigError where open sizes must be named
    first."""
    low = lowered(net)
    body, classes = with_classes(low.body)
    main = Class("Net", body, {}, _doc(low))
    names = named_layers(body.calls)
    parts = [class_text(made) for made in classes] + [class_text(main, origins=True)]
    if any("hard_swish(" in part for part in parts):
        parts.insert(0, HARD_SWISH)
    text = "\n\n\n".join([_head(origin, low, "\n".join(parts)), *parts, _tail(low)])
    return Source(text + "\n", state_of(body, names), low.inputs, low.outputs)


HARD_SWISH = '''def hard_swish(x):
    """x relu6(x + 3) / 6. Howard et al. 2019 (arXiv 1905.02244)."""
    return x * ops.relu6(x + 3.0) / 6.0'''


def _doc(low: Lowered) -> str:
    given = ", ".join(_told(*wire) for wire in low.inputs)
    found = ", ".join(_told(*wire) for wire in low.outputs)
    return f"{given} -> {found}."


def _told(name: str, shape: tuple[int, ...], dtype: str, image: bool) -> str:
    last = (shape[0], *shape[2:], shape[1]) if image else shape
    first = (
        "N" if last and (image or (last[0] in (OPEN[0], 1) and len(last) != 3)) else str(*last[:1])
    )
    sizes = ", ".join([first, *map(str, last[1:])])
    kind = "" if dtype == "float32" else f" {dtype}"
    return f"{comment(name, 24)} ({sizes}{',' * (len(last) == 1)}){kind}"


def _head(origin: str, low: Lowered, code: str) -> str:
    lines = [f'"""{comment(origin, 40)} as tinydl source, written by `tinydl import --code`.', ""]
    if any(image for *_, image in (*low.inputs, *low.outputs)):
        lines.append("Images are (N, H, W, C) here, (N, C, H, W) in that file.")
    lines += [f"Note: {remark}." for remark in low.remarks]
    lines += [
        "The weights lie beside it, in a file of the same name that ends in .safetensors.",
        '"""',
    ]
    imports = ["from pathlib import Path", "", "import numpy as np", "", "import tinydl as td"]
    imports.append("from tinydl import nn, ops" if "ops." in code else "from tinydl import nn")
    if "operator(" in code:
        imports.append("from tinydl.interop import operator")
    return "\n".join([*lines, "", *imports])


def _tail(low: Lowered) -> str:
    examples: list[str] = []
    for _, shape, dtype, image in low.inputs:
        last = (shape[0], *shape[2:], shape[1]) if image else shape
        examples.append(f'np.zeros({last!r}, "{dtype}")')
    return "\n".join(
        [
            'def load(path=Path(__file__).with_suffix(".safetensors")):',
            '    """The net with its weights, ready to answer."""',
            "    net = Net()",
            "    net.load_state_dict(td.load(path))",
            "    return net.eval()",
            "",
            "",
            'if __name__ == "__main__":',
            "    net = load()",
            "    inputs = [",
            *[f"        {example}," for example in examples],
            "    ]",
            "    with td.no_grad():",
            "        print(net(*inputs))",
        ]
    )
