"""What the model looks at: four methods beside each picture, with what is known against them."""

from __future__ import annotations

import numpy as np

from .. import attribution
from ..errors import TinydlError
from ..nn import Module
from .classes import caption, looked
from .colours import over, shown_picture, signed, strength
from .html import Html, element, image, paragraph, png, section, table
from .subject import Classified

PICTURES = 12
STEPS = 64  # of integrated gradients
WIDTH = 112  # pixels of a map on the page

TOLD = (
    "All maps are about the class that the model said. Gradient: the largest |d score / d pixel| "
    "over the channels, dark where it is large (Simonyan et al. 2014). Integrated gradients: the "
    "change of the score from a picture of zeros, divided among the pixels, red for the class and "
    "blue against it; below it the gap that {steps} steps leave, beside the change itself "
    "(Sundararajan et al. 2017). Grad-CAM: where the last convolution speaks for the class "
    "(Selvaraju et al. 2017). Occlusion: what hiding a square of {size} pixels with zeros costs "
    "(Zeiler and Fergus 2014). Each map has a scale of its own. A map is no proof: it says what "
    "the score answers to near this picture, not why the class was learned."
)


def attributions(found: Classified) -> Html | None:
    """The maps of at most PICTURES pictures; None for what is no picture."""
    if found.pictures is None or found.pictured is None:
        return None
    chosen = looked(found, PICTURES)
    x, said = found.pictures[chosen], found.guess[chosen]
    model = found.pictured
    size = max(2, min(x.shape[1:3]) // 5)
    gradient = np.abs(attribution.saliency(model, x, said)).max(axis=3)
    whole = attribution.integrated_gradients(model, x, said, steps=STEPS)
    name = attribution.last_convolution(model, x)
    cam = None if name is None else _cam(model, x, said, name)
    hidden = attribution.occlusion(model, x, said, size=size)
    heads = ["picture", "gradient", "integrated gradients"]
    heads += ["occlusion"] if cam is None else ["Grad-CAM", "occlusion"]
    rows = []
    for i, k in enumerate(chosen):
        picture = shown_picture(x[i])
        cells = [
            _map(picture, f"test sample {k}", caption(found, k)),
            _map(strength(gradient[i]), "gradient"),
            _map(
                signed(whole.values[i].sum(axis=2)), "integrated gradients",
                f"gap {whole.gap[i]:.2g} of {whole.change[i]:+.3g}",
            ),
        ]  # fmt: skip
        cells += [] if cam is None else [_map(over(picture, cam[i]), "Grad-CAM")]
        rows.append([*cells, _map(signed(hidden[i]), "occlusion")])
    missing = "" if cam is not None else " There is no layer with pictures for Grad-CAM."
    told = TOLD.format(steps=STEPS, size=size) + missing
    columns = tuple(range(len(heads)))
    return section("What the model looks at", paragraph(told), table(heads, rows, text=columns))


def _cam(model: Module, x: np.ndarray, said: np.ndarray, name: str) -> np.ndarray | None:
    try:
        return attribution.grad_cam(model, x, said, layer=name)
    except TinydlError:  # a convolution whose result is no stack of feature maps
        return None


def _map(pixels: np.ndarray, alt: str, told: str = "") -> Html:
    below = element("div", told, style=f"font-size:.8rem;max-width:{WIDTH + 40}px")
    return element("td", image(png(pixels), alt, WIDTH, True), below, style="text-align:left")
