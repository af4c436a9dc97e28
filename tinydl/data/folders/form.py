"""The one rule by which pictures of any size and mode get one shape; a run folder keeps it, so that
a prediction sees what the training saw."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ...doors import checked, checked_fields
from ...errors import ConfigError, DTypeError, ShapeError
from ...foreign import read_regular
from ...quoting import quoted
from ..formats.images import MAX_BYTES, MAX_PIXELS, open_picture

FITS = ("crop", "stretch", "pad")
LARGEST = 16_384  # rows or columns


@checked_fields
@dataclass(frozen=True, slots=True)
class PictureForm:
    """Pictures as uint8 (H, W, C): upright by their EXIF orientation, transparent parts on white.

    size: (H, W). fit: "crop" scales until the picture covers H x W and cuts the middle out (for a
    square: the short side, then the centre); "pad" scales until it lies within H x W, centred, and
    fills the rest with its mean colour; "stretch" gives each side its own scale. channels: 1 is
    grey (0.299 R + 0.587 G + 0.114 B), 3 is red, green, blue.

    Scaling is by a triangle filter, widened when shrinking (`resize_matrix`), in uint8; a JPEG four
    times as large or more is decoded at a part of its size first. A picture that has the size and
    mode comes out as it is. Raises ConfigError or ShapeError for other settings.
    """

    size: tuple[int, int]
    fit: str = "crop"
    channels: int = 3

    def __post_init__(self) -> None:
        size = self.size
        fine = isinstance(size, tuple | list) and len(size) == 2
        if not fine or not all(type(n) is int and 1 <= n <= LARGEST for n in size):
            raise ShapeError(
                f"PictureForm: size must be (rows, columns), each in 1 ... {LARGEST:,}, "
                f"got {quoted(size)}"
            )
        object.__setattr__(self, "size", tuple(size))
        if self.fit not in FITS:
            raise ConfigError(
                f"PictureForm: fit must be one of {', '.join(FITS)}, got {quoted(self.fit)}"
            )
        if self.channels not in (1, 3):
            raise ConfigError(f"PictureForm: channels must be 1 or 3, got {self.channels}")

    @property
    def shape(self) -> tuple[int, int, int]:
        """(H, W, C)."""
        return (*self.size, self.channels)

    def read(self, path: str | Path, whole: bool = True) -> np.ndarray:
        """The picture in a file; errors and `whole` as in `open_picture`."""
        data = read_regular(path, MAX_BYTES, "read_image")
        return self.decoded(data, str(path), whole)

    def decoded(self, data: bytes, name: str, whole: bool = True) -> np.ndarray:
        """The picture in the bytes of a file called `name`; errors as `read`."""
        least = self.size[0] * 2, self.size[1] * 2
        return self._fitted(open_picture(data, name, MAX_PIXELS, whole, least))

    @checked
    def of(self, pixels: np.ndarray) -> np.ndarray:
        """The picture of uint8 pixels (H', W') or (H', W', 3); DTypeError, ShapeError."""
        from PIL import Image

        if pixels.dtype != np.uint8:
            raise DTypeError(f"PictureForm: the pixels must be uint8, got {pixels.dtype}")
        grey = pixels.ndim == 2
        if not (grey or (pixels.ndim == 3 and pixels.shape[2] == 3)) or not pixels.size:
            raise ShapeError(f"PictureForm: pixels must be (H, W) or (H, W, 3), got {pixels.shape}")
        return self._fitted(Image.fromarray(pixels))

    def to_json(self) -> dict[str, Any]:
        """The settings under their names."""
        return {**asdict(self), "size": list(self.size)}

    def _fitted(self, image: Any) -> np.ndarray:
        """uint8 (H, W, C) of a Pillow image of mode "L" or "RGB"."""
        H, W = self.size
        if self.channels == 1:
            image = image.convert("L")
        if (image.width, image.height) != (W, H):
            image = self._padded(image) if self.fit == "pad" else self._scaled(image)
        pixels = np.asarray(image)
        if pixels.ndim == 2:
            pixels = pixels[:, :, None]
        if pixels.shape[2] != self.channels:  # grey, to be shown in three equal channels
            return np.repeat(pixels, 3, axis=2)
        return np.array(pixels)

    def _scaled(self, image: Any) -> Any:
        """The whole of it, or its middle, at the size."""
        from PIL import Image

        (H, W), (width, height) = self.size, image.size
        box: tuple[float, float, float, float] = (0, 0, width, height)
        if self.fit == "crop":
            scale = max(H / height, W / width)
            left = max(0.0, (width - W / scale) / 2)
            top = max(0.0, (height - H / scale) / 2)
            box = (left, top, width - left, height - top)
        return image.resize((W, H), Image.Resampling.BILINEAR, box)

    def _padded(self, image: Any) -> Any:
        """All of it, on its mean colour."""
        from PIL import Image

        (H, W), (width, height) = self.size, image.size
        scale = min(H / height, W / width)
        inner = max(1, round(width * scale)), max(1, round(height * scale))
        small = image.resize(inner, Image.Resampling.BILINEAR)
        mean = np.asarray(small).reshape(inner[0] * inner[1], -1).mean(axis=0)
        colour = tuple(int(v) for v in np.rint(mean))
        page = Image.new(image.mode, (W, H), colour if len(colour) > 1 else colour[0])
        page.paste(small, ((W - inner[0]) // 2, (H - inner[1]) // 2))
        return page
