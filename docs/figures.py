"""The page of docs/figures: pictures of the tutorials, made small, with captions.

    TINYDL_DATA=FOLDER python tutorials/record.py      # runs the tutorials and makes the pictures
    python docs/figures.py                             # writes the page alone

With MNIST in TINYDL_DATA the pictures show it; without, drawn digits. A caption is the `alt=` with
which a page saves its picture, or stands in CAPTIONS for pages that do not say it yet.
"""

from __future__ import annotations

import ast
import sys
from pathlib import Path

from tinydl.console import command

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "docs" / "figures"
LARGEST = 150_000  # bytes of one picture
COLOURS = 96
NARROW = 1100  # pixels of a picture that would have too many bytes

CAPTIONS = {
    "06_reshape": "One picture, read by an MLP, a CNN and an RNN.",
    "14_five_networks": "Five classifiers: parameters and multiply-adds are two prices.",
    "14_filters": "LeNet's first filters before and after training, and their answers.",
    "14_receptive_fields": "How many pixels one number can see, and which it mostly sees.",
    "15_inception": "GoogLeNet's module 3a, drawn from the layer's own sizes.",
    "15_googlenet": "Where GoogLeNet's weights, work and memory are.",
    "15_gradient_reach": "Gradients by layer: plain, residual and dense.",
    "15_memory": "Memory of a dense block, kept or computed again.",
    "16_separable": "Which channels meet in ordinary, depthwise and pointwise convolutions.",
    "16_blocks": "MobileNet's blocks beside the residual bottleneck; heights are channels.",
    "16_measured": "A separable convolution's price, counted and measured.",
    "16_knobs": "Width and resolution of MobileNet v1.",
    "16_linear_bottleneck": "ReLU after a random map into n dimensions, and back again.",
    "16_memory": "Memory between the blocks of MobileNet v1 and v2.",
    "18_upsampling": "A transposed convolution whose first weights interpolate.",
    "18_unet": "Masks of a U-Net beside the truth.",
    "18_instances": "Boxes and masks of single things: Mask R-CNN.",
    "19_gram": "Gram matrices of content and style by stage.",
    "19_pictures": "One content, one style, three strengths, seen by a trained vgg-cifar.",
    "20_filters": "What hidden units wait for, by contrastive divergence and by the book's slope.",
    "20_films": "A machine learns MovieLens, beside what knows no taste.",
    "21_back": "Digits that come back from one machine and from two, before and after labels.",
    "21_accuracies": "A belief network beside the same one without machines, and no network.",
    "22_curves": "ROC and precision-recall of an autoencoder, a norm and components on frauds.",
    "22_thresholds": "Precision and recall over thresholds that are their own, and one chosen.",
    "34_bands": "Learning curves of REINFORCE without and with a baseline: mean and range.",
    "38-samples": "Samples of a folder of disks, squares and triangles, one row for each class.",
    "22_splits": "Five autoencoders above their best rival, on the same ten splits.",
    "43_residual_block": "A plain block, a residual one, and one that halves the sides.",
    "43_degradation": "Training loss of plain and residual networks on the same digits.",
    "43_gradients": "Gradients by block before the first step, 56 layers.",
}

INTRODUCTION = """# Pictures of the course, and figures of the books, redrawn from live code

Every picture is drawn by a tutorial from what the library computes there, at full length.
`python tutorials/record.py` runs the tutorials and writes this folder; `python tutorials/NN_*.py`
draws those of one in full colour into `tutorials/figures`. Those of 19 were drawn with
`TINYDL_STYLE_RUN` naming a run of `vgg-cifar`. Pictures called `study_*` belong to the
[studies](../../benchmarks/results/studies.md).
"""


def said(tutorial: Path) -> dict[str, str]:
    """{picture: what is seen} of every `drawing.save(figure, "NN_what.png", alt="...")`."""
    found = {}
    for node in ast.walk(ast.parse(tutorial.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "drawing.save":
            for keyword in node.keywords:
                if keyword.arg == "alt":
                    name = ast.literal_eval(node.args[1])
                    found[name.removesuffix(".png")] = ast.literal_eval(keyword.value)
    return found


def captions() -> dict[str, str]:
    """{picture: caption} of all that this folder holds, page by page: CAPTIONS, and what pages say
    whose full-length run is recorded."""
    found = dict(CAPTIONS)
    for tutorial in (ROOT / "tutorials").glob("[0-9][0-9]_*.py"):
        here = said(tutorial)
        recorded = (ROOT / "tutorials" / "recorded" / f"{tutorial.name[:2]}.json").exists()
        found |= here if recorded else {name: here[name] for name in here if name in found}
    return dict(sorted(found.items(), key=lambda item: item[0][:2]))


def page() -> str:
    """docs/figures/README.md."""
    lines = [INTRODUCTION]
    for name, caption in captions().items():
        (tutorial,) = (ROOT / "tutorials").glob(f"{name[:2]}_*.py")
        source = f"[tutorials/{tutorial.name}](../../tutorials/{tutorial.name})"
        lines += [f"![{caption}]({name}.png)", "", f"`{name}.png`: {caption} {source}", ""]
    return "\n".join(lines)


def shrink(source: Path, target: Path) -> None:
    """A picture of few colours, and of few enough bytes."""
    from PIL import Image

    picture = Image.open(source).convert("RGB")
    narrow = picture.copy()
    narrow.thumbnail((NARROW, NARROW))
    for pixels, colours in ((picture, COLOURS), (narrow, COLOURS), (narrow, 32), (narrow, 16)):
        small = pixels.quantize(colours, dither=Image.Dither.NONE)
        small.save(target, optimize=True)
        if target.stat().st_size <= LARGEST:
            return
    raise SystemExit(f"{target.name}: {target.stat().st_size:,} bytes, at most {LARGEST:,}")


def main() -> None:
    (FOLDER / "README.md").write_text(page())


if __name__ == "__main__":
    sys.exit(command(main, "figures"))
