"""What a run is asked on the page, and what it answers, as JSON: pictures, drawings, sounds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..attribution import box_occlusion, saliency
from ..data import fit_image, prepare_digit, resample
from ..data.formats.images import decode_image
from ..data.formats.wav import decode_wav
from ..errors import ConfigError, FormatError
from ..metrics import Found
from ..nn import Module
from ..own.sounds import spectrum
from ..programs.scores import found_in
from ..programs.supervised import settings_of
from ..runs.detect import detect
from ..runs.imported import ImportedRun
from ..runs.run import OpenRun
from ..train import predict
from .looks import heat, layers, or_reason, picture, preview
from .questions import MOST_BYTES, Question

Run = OpenRun | ImportedRun
MOST_PIXELS = 25_000_000
DRAWN = 280  # pixels a side of a drawing
DRAWN_FOR = ((28, 28), (8, 8))  # inputs that are drawn for
FITTED = {
    28: "fitted as MNIST's digits: the ink into 20 x 20 pixels, its centre of mass in the middle",
    8: "fitted as Optdigits': upright, 32 x 20 pixels, of which 4 x 4 are counted each",
}
LEAST, FAINT = 0.5, 0.01  # score of a box that is shown; that counts while parts are hidden
PARTS = 4  # squares a side that are hidden in turn, and those between them
BARS, BOXES = 10, 100  # shown of many
SOUND_SECONDS, SOUND_RATE = 60, 8_000


class Asked:
    """A run on the page: `facts()` about it, `questions` by name."""

    questions: dict[str, Question]
    kind = ""

    def __init__(self, run: Run, backend: str | None) -> None:
        self.run = run
        self.model: Module = run.keep(backend)

    def facts(self) -> dict[str, Any]:
        """What the page says of the run before anything is asked."""
        run = self.run
        if isinstance(run, ImportedRun):
            name, title = run.name, f"an imported net ({run.config['kind']})"
        else:
            name, title = run.recipe.name, run.recipe.title
        most = {name: question.most for name, question in self.questions.items()}
        parameters = self.model.count_parameters()
        told = {"name": name, "title": title, "kind": self.kind, "most": most}
        return {**told, "parameters": parameters, "drawn": DRAWN, **self.more()}

    def more(self) -> dict[str, Any]:
        """Facts of one kind of run."""
        return {}


def bars(shares: Mapping[str, float] | Sequence[tuple[str, float]]) -> list[dict[str, Any]]:
    """Names with their shares, the largest first."""
    rows = list(shares.items()) if isinstance(shares, Mapping) else list(shares)
    rows.sort(key=lambda row: -row[1])
    return [{"name": name, "share": float(share)} for name, share in rows[:BARS]]


class Classes(Asked):
    """A classifier of pictures, and of drawings where those are what it has learnt."""

    kind = "classes"

    def __init__(self, run: Run, backend: str | None) -> None:
        super().__init__(run, backend)
        run.check_classifies("serve")
        self.sides = self.fitted_sides()
        self.questions = self.asked()

    def fitted_sides(self) -> tuple[int, ...]:
        """Of the pictures as the network takes them; ConfigError where it takes none."""
        return self.run.fitted(np.zeros((64, 64), np.uint8), "serve").shape

    def asked(self) -> dict[str, Question]:
        found = {"picture": Question(MOST_BYTES, self.picture)}
        # Of one's own pictures nobody knows whether ink is dark or bright.
        if self.sides in DRAWN_FOR and "own" not in self.run.config:
            found["drawing"] = Question(DRAWN * DRAWN, self.drawing)
        return found

    def more(self) -> dict[str, Any]:
        depth = "colour" if len(self.sides) == 3 else "grey"
        return {"classes": len(self.run.config["classes"]), "input": [*self.sides[:2], depth]}

    def picture(self, body: bytes) -> dict[str, Any]:
        """A picture file."""
        image = decode_image(body, "picture", MOST_PIXELS)
        return self.told(self.run.fitted(image, "serve"))

    def drawing(self, body: bytes) -> dict[str, Any]:
        """DRAWN x DRAWN bytes, 0 paper ... 255 ink, by rows."""
        if len(body) != DRAWN * DRAWN:
            raise FormatError(f"serve: a drawing is {DRAWN * DRAWN} bytes, got {len(body)}")
        ink = np.frombuffer(body, np.uint8).reshape(DRAWN, DRAWN)
        if not ink.any():
            raise ConfigError("serve: nothing is drawn")
        return self.told(prepare_digit(ink, self.sides[0])) | {"notes": [FITTED[self.sides[0]]]}

    def told(self, pixels: np.ndarray) -> dict[str, Any]:
        """The answer about one picture of the network's size."""
        return self.about(self.run.of_pixels(pixels)[None], pixels)

    def about(self, x: np.ndarray, pixels: np.ndarray) -> dict[str, Any]:
        """Shares, attribution and activations of one sample x, which `pixels` show."""
        outputs = predict(self.model, x)
        rows = outputs[self._place] if isinstance(outputs, tuple) else outputs
        (shares,) = self.run.shares(rows, "serve").tolist()
        best = int(np.argmax(shares))
        names = self.run.config["classes"]
        slope, why = or_reason(lambda: np.abs(saliency(self.model, x, best)))
        found: dict[str, Any] = {
            "told": f"{names[best]} ({100 * shares[best]:.1f} %)",
            "bars": bars(list(zip(names, shares, strict=True))),
            "input": picture(pixels),
            "attribution": None if slope is None else heat(flat(slope[0], pixels.shape[:2])),
            "why_no_attribution": why,
        }
        return found | {"layers": or_reason(lambda: layers(self.model, x))[0] or []}

    @property
    def _place(self) -> int:
        """Which of the network's outputs tells the classes."""
        run = self.run
        return run.config["answer"]["outputs"][0] if isinstance(run, ImportedRun) else 0


def flat(slope: np.ndarray, sides: tuple[int, ...]) -> np.ndarray:
    """The largest of a pixel's channels, (H, W): of (H, W, C), (C, H, W), or as many in a row."""
    if slope.ndim == 3 and slope.shape[1:] == tuple(sides):
        return slope.max(axis=0)
    return slope.reshape(*sides, -1).max(axis=-1)


class Spoken(Classes):
    """A network that tells spoken words apart by their spectra."""

    run: OpenRun
    kind = "spoken"

    def fitted_sides(self) -> tuple[int, ...]:
        sides = tuple(self.run.recipe.program.input_shape[:2])
        own = self.run.config.get("own")
        recipes = {"steps": sides[0], "bands": sides[1], "rate": SOUND_RATE}
        self.preparation = recipes if own is None else own["preparation"]
        return sides

    def asked(self) -> dict[str, Question]:
        return {"sound": Question(MOST_BYTES, self.sound)}

    def sound(self, body: bytes) -> dict[str, Any]:
        """A WAVE file of at most `SOUND_SECONDS` seconds."""
        rate, wave = decode_wav(body, "sound")
        if not 0 < len(wave) <= SOUND_SECONDS * rate:
            raise FormatError(
                f"serve: the sound lasts {len(wave) / rate:.2f} s; more than 0 and at most "
                f"{SOUND_SECONDS} s are heard"
            )
        heard = spectrum(resample(wave, rate, self.preparation["rate"]), self.preparation)
        x = heard.astype(self.run.config["dtype"]).reshape(self.run.recipe.program.input_shape)
        low, high = float(heard.min()), float(heard.max())
        return self.about(x[None], (heard - low) / (high - low or 1.0))


class Boxes(Asked):
    """A detector."""

    kind = "boxes"

    def __init__(self, run: Run, backend: str | None) -> None:
        super().__init__(run, backend)
        self.questions = {"picture": Question(MOST_BYTES, self.picture)}

    def more(self) -> dict[str, Any]:
        return {"classes": len(self.run.config["classes"])}

    def picture(self, body: bytes) -> dict[str, Any]:
        """A picture file; boxes are told in shares of its width and height."""
        image = decode_image(body, "picture", MOST_PIXELS)
        run = self.run
        if isinstance(run, ImportedRun):
            (found,) = run.detect([image], LEAST, None)
        else:
            (found,) = detect(run, [image], LEAST)
        names, (height, width) = run.config["classes"], image.shape[:2]
        order = np.argsort(-found.scores, kind="stable")[:BOXES]
        sides = np.array([width, height, width, height], np.float64)
        boxes = [
            {"name": names[found.labels[k]], "share": float(found.scores[k]),
             "box": (found.boxes[k] / sides).tolist()}
            for k in order
        ]  # fmt: skip
        count = len(found.scores)
        told = f"{count} found" if count else f"nothing found with a score of {100 * LEAST:.0f} %"
        answer = {
            "told": told,
            "bars": [{"name": b["name"], "share": b["share"]} for b in boxes[:BARS]],
            "picture": preview(image),
            "boxes": boxes,
            "layers": or_reason(lambda: self._layers(image))[0] or [],
        }
        return answer | (self._about(image, found, int(order[0])) if count else {})

    def _about(self, image: np.ndarray, found: Found, best: int) -> dict[str, Any]:
        """What hiding parts of the picture costs the best box."""
        made, why = or_reason(lambda: self._lost(image, found.boxes[best], found.labels[best]))
        if made is None:
            return {"why_no_attribution": why}
        pixels, lost = made
        name = self.run.config["classes"][found.labels[best]]
        told = f"What hiding a part costs the box: {name}"
        return {
            "input": picture(pixels),
            "attribution": heat(np.maximum(lost, 0)),
            "attribution_told": told,
        }

    def _lost(self, image: np.ndarray, box: np.ndarray, label: int) -> tuple[np.ndarray, ...]:
        """(the picture at the network's size, the map of it), without the border that was added."""
        fitted, scale = fit_image(image, *self._sides())
        size = max(2, min(fitted.shape[:2]) // PARTS)
        lost = box_occlusion(self._boxes_of, fitted, box * scale, int(label), size)
        rows, columns = (max(1, round(n * scale)) for n in image.shape[:2])
        return fitted[:rows, :columns], lost[:rows, :columns]

    def _boxes_of(self, x: np.ndarray) -> list[Found]:
        """What is found on pictures of the network's size."""
        if isinstance(self.run, ImportedRun):
            pictures = [np.rint(255 * one).astype(np.uint8) for one in x]
            return self.run.detect(pictures, FAINT, None)
        return found_in(self.model, x.astype(self.run.config["dtype"]), FAINT)

    def _sides(self) -> tuple[int, int]:
        """Of the pictures that the network takes."""
        if isinstance(self.run, ImportedRun):
            kept = self.run.config["picture"]
            return kept["height"], kept["width"]
        program = settings_of("serve", self.run.recipe)
        height, width = (program.picture_shape or program.input_shape)[:2]
        return height, width

    def _layers(self, image: np.ndarray) -> list[dict[str, Any]]:
        if isinstance(self.run, ImportedRun):
            return layers(self.model, np.stack(self.run.pictures([image], "serve")))
        fitted, _ = fit_image(image, *self._sides())
        return layers(self.model, fitted[None].astype(self.run.config["dtype"]))
