"""What the page "Draw a digit" needs beside its text: the kernels as WebAssembly, and a model of
the shelf as a list of their calls. Both are scripts, so that the page works from a file too."""

from __future__ import annotations

import json
import posixpath
from base64 import b64encode
from pathlib import Path
from typing import Any

import numpy as np
import wasm
from places import Places

import tinydl as td
from tinydl.geometry import conv2d_geometry, pool2d_geometry
from tinydl.nn import AvgPool2d, Conv2d, Flatten, Linear, MaxPool2d, ReLU, Sigmoid, Tanh

MODEL = "lenet-mnist"
#: Cases of _static/kernels.js, and what their buttons say.
MEASURED = {
    "matmul": "a matrix product",
    "loops": "the same product in plain JavaScript",
    "conv": "a convolution",
    "pool": "a max pooling",
    "elementwise": "tanh",
    "softmax": "softmax",
}
SHARED = ("/* == for other pages too", "/* == of this page")
#: Layers that give each number a function of it, and the kernel's row in elementwise_rows.h.
EACH = {Tanh: "tanh", ReLU: "relu", Sigmoid: "sigmoid"}


def write(places: Places) -> str:
    """Writes the scripts, and returns why there are no kernels among them; empty if there are."""
    page = places.repository / "tinydl" / "serving" / "page"
    places.copy(page / "page.js", "shipped/view.js")
    places.write("shipped/view.css", _shared((page / "page.css").read_text(encoding="utf-8")))
    net = network(td.zoo.load(MODEL, backend="numpy"), (28, 28, 1))
    places.write("shipped/digit_net.js", f"window.tinydlNet = {json.dumps(net)};\n")
    if why := wasm.missing():
        return why
    module = wasm.kernels(places.repository, places.root.parent / "wasm")
    told = {
        "module": b64encode(module).decode("ascii"),
        "operations": wasm.operations(places.repository),
    }
    places.write("shipped/kernels_wasm.js", f"window.tinydlKernels = {json.dumps(told)};\n")
    return ""


def filled(text: str, why: str) -> str:
    """The page with the drawing area and the buttons that measure, or with the sentence why not."""
    area = Path(__file__).with_name("draw_area.html").read_text(encoding="utf-8")
    without = (
        f":::{{note}}\nThis site was built without the compiler that the page needs ({why}); with "
        "it, the site's command makes the page whole. `tinydl serve lenet-mnist` draws without "
        "it.\n:::"
    )
    whole = f"```{{raw}} html\n{area}```"
    buttons = "".join(button(name) for name in MEASURED)
    return text.replace("<!-- draw: area -->", without if why else whole).replace(
        "<!-- draw: buttons -->", "" if why else f"```{{raw}} html\n{buttons}```"
    )


def button(name: str) -> str:
    """One that measures a case of _static/kernels.js."""
    return (
        f'<p class="measure"><button type="button" data-measure="{name}" hidden>Measure '
        f"{MEASURED[name]}</button><output></output></p>\n"
    )


def fourth(places: Places, page: str, stem: str) -> str:
    """The sentence of a kernel page whose C files are compiled to WebAssembly; empty for others."""
    if stem not in wasm.FILES or wasm.missing():
        return ""
    script = posixpath.relpath("_static/kernels.js", posixpath.dirname(page))
    return (
        f'The fourth column is the C of the second, compiled to WebAssembly for <a href="'
        f'{places.link(page, "draw")}">a page where you draw a digit</a>.\n\n'
        f'```{{raw}} html\n{button(stem)}<script src="{script}" defer></script>\n```'
    )


def _shared(text: str) -> str:
    """The part of the page of `tinydl serve` that says how drawing area, bars and maps look."""
    first, last = SHARED
    return text[text.index(first) : text.index(last)]


def network(model: td.nn.Module, shape: tuple[int, ...]) -> dict[str, Any]:
    """{input, steps, weights} of a model whose layers follow each other: for each layer the kernel,
    its sizes in the order of the C headers, where its weights lie, and its multiply-adds; softmax
    is the last step. Raises TypeError for a layer without a kernel there."""
    weights: list[np.ndarray] = []
    steps: list[dict[str, Any]] = []
    before, x = shape, np.zeros((1, *shape), np.float32)
    modules = dict(model.named_modules())
    for name, output in td.nn.activations(model, x).items():
        module = modules[name]
        if list(module.children()):
            continue
        after = output.shape[1:]
        step = {"name": name, "kind": type(module).__name__, "shape": list(after), "products": 0}
        steps.append(step | _call(module, before, after, weights))
        before = after
    last = {"name": "softmax", "kind": "softmax", "kernel": "softmax", "sizes": [1, *before]}
    steps.append(last | {"shape": list(before), "products": 0})
    packed = np.concatenate(weights).astype("<f4").tobytes()
    return {"input": list(shape), "steps": steps, "weights": b64encode(packed).decode("ascii")}


def _call(
    module: td.nn.Module, before: tuple[int, ...], after: tuple[int, ...], kept: list[np.ndarray]
) -> dict[str, Any]:
    if isinstance(module, Flatten):
        return {"kernel": None}
    if type(module) in EACH:
        return {"kernel": EACH[type(module)]}
    if isinstance(module, Linear):
        sizes = [1, module.weight.shape[1], module.weight.shape[0]]
        return {"kernel": "matmul", "sizes": sizes} | _weights(module, int(np.prod(sizes)), kept)
    if isinstance(module, Conv2d):
        weight = module.weight.shape
        g = conv2d_geometry(
            (1, *before), weight, module.stride, module.padding, module.dilation, module.groups
        )
        sizes = [g.N, g.H, g.W, g.C, g.KH, g.KW, g.F, g.OH, g.OW, *g.stride, g.padding[0],
                 g.padding[2], *g.dilation, g.groups]  # fmt: skip
        return {"kernel": "conv2d", "sizes": sizes} | _weights(module, g.multiply_adds, kept)
    if isinstance(module, MaxPool2d | AvgPool2d) and not getattr(module, "count_include_pad", 0):
        kernel = "max_pool2d" if isinstance(module, MaxPool2d) else "avg_pool2d"
        p = pool2d_geometry(
            (1, *before), module.kernel_size, module.stride, module.padding, module.ceil_mode
        )
        sizes = [p.N, p.H, p.W, p.C, p.KH, p.KW, p.OH, p.OW, *p.stride, p.padding[0],
                 p.padding[2], 0]  # fmt: skip
        return {"kernel": kernel, "sizes": sizes}
    raise TypeError(f"draw_page: no kernel is called for {module}")


def _weights(module: Any, products: int, kept: list[np.ndarray]) -> dict[str, Any]:
    """Adds weight and bias to those that are kept, and says where."""
    placed: dict[str, Any] = {"products": products}
    for name in ("weight", "bias"):
        tensor = getattr(module, name)
        placed[name] = None if tensor is None else sum(array.size for array in kept)
        if tensor is not None:
            kept.append(tensor.numpy().reshape(-1))
    return placed
