"""How far a share that was counted may be from the share there is."""

from __future__ import annotations

from statistics import NormalDist

import numpy as np

from ..arguments import array, between
from ..doors import checked
from ..errors import ConfigError
from ..geometry import broadcast_shape


@checked
def wilson_interval(hits: np.ndarray, count: np.ndarray, level: float = 0.95) -> np.ndarray:
    """(..., 2): from where to where the share behind `hits` of `count` independent trials lies.

        (p + z^2 / 2n -+ z sqrt(p (1 - p) / n + z^2 / 4n^2)) / (1 + z^2 / n),  p = hits / n

    with z the quantile of the normal distribution at (1 + level) / 2: the shares whose own standard
    deviation reaches p. Unlike p +- z sd it is never outside 0 ... 1 and never of width 0. hits,
    count: of one shape or broadcast, 0 <= hits <= count; for count 0 it is (0, 1). ConfigError for
    other numbers, and a level outside (0, 1). Wilson 1927 (doi:10.1080/01621459.1927.10502953).
    """
    level = between("wilson_interval", "level", level, 0, 1)
    k = array("wilson_interval", "hits", hits).astype(np.float64)
    n = array("wilson_interval", "count", count).astype(np.float64)
    broadcast_shape("wilson_interval", k.shape, n.shape)
    if not (np.all(k >= 0) and np.all(k <= n)) or not 0 < level < 1:
        raise ConfigError("wilson_interval: needs 0 <= hits <= count and a level inside 0 ... 1")
    z = NormalDist().inv_cdf((1 + level) / 2)
    some = np.maximum(n, 1)
    p = k / some
    middle = p + z * z / (2 * some)
    reach = z * np.sqrt(p * (1 - p) / some + (z / (2 * some)) ** 2)
    ends = np.stack([middle - reach, middle + reach], axis=-1) / (1 + z * z / some)[..., None]
    return np.where((n > 0)[..., None], np.clip(ends, 0, 1), [0.0, 1.0])
