"""Run folders of nets that other libraries made: `tinydl import FILE --out RUN`.

Such a folder holds config.json (where the net is from, what pictures it takes, what its outputs
mean), net.json (its nodes and sizes), constants.safetensors, model.safetensors (its weights, in
tinydl's layout and under the names of `named_parameters`), all with a SHA-256 of what they say, and
model.py, the net as source: to be read, never run by anything here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..backend import USUAL, get, use_backend
from ..data import fit_image, prepare_colour_image, prepare_image
from ..errors import AnomalyError, ConfigError, FormatError, MissingFileError
from ..foreign import read_regular
from ..interop.described import restored
from ..interop.imported import Imported
from ..metrics import Found
from ..models.detection.nms import nms_per_class
from ..quoting import quoted
from ..recording import no_grad
from ..tensor import Tensor
from ..train.checkpoint import load_tensors
from ..train.schema import KINDS, Kind, boolean, integer, keyed, listed, number, optional, text
from ..train.schema import read_json as read_checked
from ..train.tensor_files import read_tensors
from ..zoo.shelf import found
from .folder import CONFIG, MODEL_FILE, has
from .outputs import numbers_of_classes
from .run import SPARE, OpenRun

FORMAT = "tinydl-import-1"
NET, CONSTANTS, SOURCE = "net.json", "constants.safetensors", "model.py"
LEAST_SIDE = 8  # pixels; smaller inputs are measurements
FIRST, LAST, FLAT = "channels first", "channels last", "flat"
CLASSES, BOXES, NUMBERS = "classes", "boxes", "numbers"


def _measure(value: Any) -> str | None:
    fits = number(value) is None and abs(value) < 1e9
    return None if fits else f"must be a number below 1e9, not {quoted(value)}"


def _divisor(value: Any) -> str | None:
    return _measure(value) or (None if value else "must not be 0")


_SIDE = optional(integer(1, 100_000))
KINDS["imported"] = Kind(
    "the configuration of an imported net",
    keyed(
        {
            "format": text(40, FORMAT), "tinydl": text(200), "source": text(300), "kind": text(20),
            "parameters": integer(0, 10**10), "classes": listed(text(200), 0, 100_000),
            "picture": optional(
                keyed(
                    {
                        "layout": text(20, f"{FIRST}|{LAST}|{FLAT}"), "height": _SIDE,
                        "width": _SIDE, "depth": integer(1, 3), "scale": _measure,
                        "mean": listed(_measure, 1, 4),
                        "std": listed(_divisor, 1, 4), "channels": text(3, "rgb|bgr"),
                        "one_by_one": boolean,
                    }
                )
            ),
            "answer": keyed(
                {
                    "kind": text(20, f"{CLASSES}|{BOXES}|{NUMBERS}"),
                    "outputs": listed(integer(0, 1_000), 1, 3),
                    "applied": text(20, "softmax|log_softmax|sigmoid|nothing"),
                }
            ),
            "sha256": text(64, "[0-9a-f]{64}"),
        },
        ("sha256",),
    ),
    most=1 << 22,
)  # fmt: skip


# -- reading ---------------------------------------------------------------------------------------


def is_imported(folder: str | Path) -> bool:
    """Whether the folder's config.json says that it holds an imported net."""
    try:
        start = read_regular(Path(folder) / CONFIG, KINDS["imported"].most, "run")
    except (FormatError, MissingFileError):
        return False
    return f'"{FORMAT}"'.encode() in start[:400]


def opened(folder: str | Path, recipe_file: str | Path | None = None) -> OpenRun | ImportedRun:
    """The run of a folder, of whichever of the two kinds it is, or of a name of `tinydl zoo`."""
    folder = found(folder)
    return ImportedRun(folder) if is_imported(folder) else OpenRun(folder, recipe_file)


class ImportedRun:
    """A folder of `write_imported` read back: `config`, `model()`, `probabilities`, `detect`.

    FormatError where its files are damaged or do not fit each other."""

    unfinished = False

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        path = self.folder / CONFIG
        content = read_regular(path, KINDS["imported"].most, f"run: {folder} is no run folder")
        self.config: dict[str, Any] = read_checked(content, "imported", f"run: {path}")
        self.kept: Imported | None = None

    @property
    def name(self) -> str:
        return str(self.config["source"])

    def keep(self, backend: str | None = None) -> Imported:
        """`model(backend)` in evaluation mode, which is `model` from now on: nothing is read again,
        however many questions follow."""
        self.kept = self.model(backend)
        self.kept.eval()
        return self.kept

    def model(self, backend: str | None = None) -> Imported:
        """The net with its weights."""
        if self.kept is not None:
            return self.kept
        most = 64 * (self.config["parameters"] + SPARE)
        for name in (NET, CONSTANTS, MODEL_FILE):
            if not has(self.folder, name):
                raise FormatError(f"run: {self.folder} does not fit: it has no {name}")
        path = self.folder / MODEL_FILE
        tensors, _ = read_tensors(path, most)
        arrays, _ = read_tensors(self.folder / CONSTANTS, most)
        content = read_regular(self.folder / NET, KINDS["net"].most, "run")
        description = read_checked(content, "net", f"run: {self.folder / NET}")
        with use_backend(get(backend or USUAL).name):
            net = restored(
                self.folder / NET, description, arrays, sum(a.size for a in tensors.values())
            )
        load_tensors(net, tensors, path)
        return net

    def probabilities(
        self, images: Sequence[np.ndarray], backend: str | None = None, op: str = "predict"
    ) -> np.ndarray:
        """P(class | image), float64 (N, classes), for uint8 images of any size."""
        self.check_classifies(op)
        return self.shares(self._run(self.pictures(images, op), backend, op)[0], op)

    def probabilities_of(self, x: np.ndarray, backend: str | None, op: str) -> np.ndarray:
        """The same of samples (N, ...) of a data set, of 0 ... 255 or 0 ... 1."""
        self.check_classifies(op)
        return self.shares(self._run(self.samples_of(x), backend, op)[0], op)

    def check_classifies(self, op: str) -> None:
        """ConfigError unless the net tells classes apart."""
        self.must_give(op, CLASSES)

    def samples_of(self, x: np.ndarray) -> list[np.ndarray]:
        """Samples (N, ...) of a data set as the net takes them."""
        return [self._of_data(sample) for sample in x]

    def must_give(self, op: str, kind: str) -> None:
        found = self.config["answer"]["kind"]
        if found != kind:
            raise ConfigError(
                f"{op}: the net of {self.folder} ({self.name}) gives {found}, no {kind}"
            )

    def shares(self, rows: np.ndarray, op: str) -> np.ndarray:
        """The probabilities (N, classes) that the net's outputs stand for, float64."""
        classes, applied = self.config["classes"], self.config["answer"]["applied"]
        return self._as_shares(numbers_of_classes(rows, classes, self.folder, op), applied)

    @staticmethod
    def _as_shares(rows: np.ndarray, applied: str) -> np.ndarray:
        """Probabilities of what the net gives: scores, logarithms, or probabilities already."""
        if applied in ("softmax", "sigmoid"):
            return rows
        powers = np.exp(rows - rows.max(axis=-1, keepdims=True))
        return powers / powers.sum(axis=-1, keepdims=True)

    # -- pictures ----------------------------------------------------------------------------------

    def pictures(self, images: Sequence[np.ndarray], op: str) -> list[np.ndarray]:
        """Every picture as the net takes it."""
        return [self.of_pixels(self.fitted(image, op)) for image in images]

    def fitted(self, image: np.ndarray, op: str) -> np.ndarray:
        """A uint8 picture in the net's size: (H, W) or (H, W, 3) of 0 ... 1; ConfigError where it
        takes none."""
        picture = self._picture(op)
        h, w = picture["height"] or image.shape[0], picture["width"] or image.shape[1]
        prepare: Callable[..., Any] = (
            prepare_colour_image if picture["depth"] == 3 else prepare_image
        )
        fitted: np.ndarray = prepare(image, h, w)
        return fitted

    def _picture(self, op: str) -> dict[str, Any]:
        picture: dict[str, Any] | None = self.config["picture"]
        if picture is None:
            raise ConfigError(f"{op}: the net of {self.folder} ({self.name}) takes no pictures")
        if picture["depth"] == 2:
            raise FormatError(f"{op}: {self.folder / CONFIG} does not fit: pictures of 2 channels")
        return picture

    def of_pixels(self, pixels: np.ndarray) -> np.ndarray:
        """Pixels 0 ... 1, (H, W) or (H, W, 3), with the net's scale, in its layout."""
        picture: dict[str, Any] = self.config["picture"]
        x = pixels if pixels.ndim == 3 else pixels[:, :, None]
        x = x[:, :, ::-1] if picture["channels"] == "bgr" else x
        std = np.array(picture["std"], np.float32)
        x = (x * np.float32(255 * picture["scale"]) - np.array(picture["mean"], np.float32)) / std
        if picture["layout"] == FIRST:
            x = x.transpose(2, 0, 1)
        return np.ascontiguousarray(x.reshape(-1) if picture["layout"] == FLAT else x, np.float32)

    def _of_data(self, sample: np.ndarray) -> np.ndarray:
        picture = self._picture("evaluate")
        depth, sides = picture["depth"], (picture["height"], picture["width"])
        pixels = np.asarray(sample, np.float32)
        if pixels.ndim == 1 and round(pixels.size**0.5) ** 2 == pixels.size:
            pixels = pixels.reshape(round(pixels.size**0.5), -1)
        pixels = pixels[:, :, 0] if pixels.ndim == 3 and pixels.shape[2] == 1 else pixels
        if pixels.shape[2:] != ((3,) if depth == 3 else ()):
            raise ConfigError(f"evaluate: samples {sample.shape} for pictures of {depth} channels")
        if any(n not in (None, m) for n, m in zip(sides, pixels.shape, strict=False)):
            raise ConfigError(f"evaluate: samples {sample.shape}, the net takes {sides}")
        return self.of_pixels(pixels if pixels.max(initial=0) <= 1 else pixels / 255)

    def _run(
        self, pictures: Sequence[np.ndarray], backend: str | None, op: str
    ) -> list[np.ndarray]:
        """The outputs that `answer` names, for all pictures."""
        net = self.model(backend)
        (wire,) = net.inputs.values() if len(net.inputs) == 1 else (None,)
        if wire is None:
            raise FormatError(f"{op}: {self.folder} does not fit: {len(net.inputs)} inputs")
        alone = self.config["picture"]["one_by_one"] or len({p.shape for p in pictures}) > 1
        size = 1 if alone else 64
        found: list[list[np.ndarray]] = []
        for i in range(0, len(pictures), size):
            batch = np.stack(pictures[i : i + size]).astype(wire.dtype)
            with no_grad():
                given = net(Tensor(batch, backend=net.backend))
            rows = given if isinstance(given, tuple) else (given,)
            if max(self.config["answer"]["outputs"]) >= len(rows):
                raise FormatError(f"{op}: {self.folder} does not fit: {len(rows)} outputs")
            found.append([rows[k].numpy() for k in self.config["answer"]["outputs"]])
        return [np.concatenate(parts) for parts in zip(*found, strict=True)]

    def detect(
        self, images: Sequence[np.ndarray], score: float, backend: str | None,
        overlap: float = 0.45,
    ) -> list[Found]:  # fmt: skip
        """What is on each picture, for a net that gives boxes (N, M, 4), corners in pixels of its
        input, and scores (N, M, classes)."""
        self.must_give("detect", BOXES)
        picture = self._picture("detect")
        if picture["height"] is None or picture["width"] is None or picture["depth"] != 3:
            raise ConfigError(f"detect: {self.name} takes no colour pictures of one size")
        if not 0 <= score <= 1:
            raise ConfigError(f"detect: score must be in [0, 1], got {score}")
        fitted = [fit_image(image, picture["height"], picture["width"]) for image in images]
        x = [self.of_pixels(pixels) for pixels, _ in fitted]
        boxes, scores = self._run(x, backend, "detect")
        classes = len(self.config["classes"])
        if boxes.ndim != 3 or scores.shape != (*boxes.shape[:2], classes):
            raise FormatError(
                f"detect: {self.folder} does not fit: boxes {boxes.shape}, scores {scores.shape}, "
                f"{classes} classes"
            )
        shares = self._as_shares(scores.astype(np.float64), self.config["answer"]["applied"])
        if not (np.isfinite(boxes).all() and np.isfinite(shares).all()):
            raise AnomalyError("detect: the network's outputs for these pictures are no numbers")
        return [
            _inside(nms_per_class(one / scale, p, score, overlap), image.shape[:2])
            for one, p, image, (_, scale) in zip(boxes, shares, images, fitted, strict=True)
        ]


def _inside(found: Found, sides: Sequence[int]) -> Found:
    """The boxes cut at the picture's borders, without those that have no area in it."""
    height, width = sides
    boxes = np.clip(found.boxes.astype(np.float64), 0, [width, height, width, height])
    kept = (boxes[:, 2] > boxes[:, 0]) & (boxes[:, 3] > boxes[:, 1])
    return Found(boxes[kept], found.labels[kept], found.scores[kept])
