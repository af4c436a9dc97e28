"""What has to be kept between the blocks of a MobileNet, by the size of the map."""

from __future__ import annotations

from ...nn import looking
from ...ops import relu6
from ...tensor import Tensor
from .mobilenet_v1 import MobileNetV1
from .mobilenet_v2 import MobileNetV2


def memory_by_size(
    model: MobileNetV1 | MobileNetV2, side: int = 224, bytes_per_number: int = 2
) -> dict[int, tuple[int, float]]:
    """{side of the map: (most channels that leave a block there, kilobytes of that map)}.

    The comparison of Sandler et al. 2018 (arXiv 1801.04381), table 3, with their 16-bit numbers and
    1 kB = 1000 bytes. There, and in Liu and Mehta (2019), version 1 has 199 kB at 7x7, which are
    100; version 2's channels at 56, 28 and 14 (32, 64, 160) are those that leave the row of the
    table whose input has that size, which are smaller maps: 24, 32 and 96 is what is kept.
    """
    found: dict[int, tuple[int, float]] = {}
    in_channels = model.conv.in_channels
    with looking(model):
        x = Tensor._new(
            model.backend.zeros((1, side, side, in_channels), model.dtype), model.backend
        )
        h = relu6(model.norm(model.conv(x)))
        for block in model.blocks:
            h = block(h)
            _, height, width, channels = h.shape
            kilobytes = height * width * channels * bytes_per_number / 1000
            if channels > found.get(height, (0, 0.0))[0]:
                found[height] = (channels, kilobytes)
    return found
