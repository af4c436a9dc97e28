"""A tqdm bar over all steps of a training run; nothing without tqdm or a terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .metrics import Means


class Bar:
    """`with Bar(data, first, last, progress) as bar:` and bar.step(epoch, means) per batch."""

    def __init__(self, data: Any, first: int, last: int, progress: bool | None) -> None:
        self.last = last
        self.bar = None
        if progress is False:
            return
        try:
            from tqdm import tqdm
        except ImportError:
            return
        steps = len(data) if hasattr(data, "__len__") else None
        self.bar = tqdm(
            total=None if steps is None else steps * last,
            initial=0 if steps is None else steps * first,
            unit="step",
            disable=None if progress is None else False,  # None: only on a terminal
        )

    def __enter__(self) -> Bar:
        return self

    def __exit__(self, *exception: object) -> None:
        if self.bar is not None:
            self.bar.close()

    def step(self, epoch: int, means: Means) -> None:
        if self.bar is None or self.bar.disable:
            return
        fetched = means.fetched()
        if fetched is not None:
            self.show(fetched)
        self.bar.set_description(f"epoch {epoch + 1}/{self.last}", refresh=False)
        self.bar.update()

    def show(self, values: Mapping[str, float]) -> None:
        """Losses and metrics beside the bar."""
        if self.bar is not None and not self.bar.disable:
            shown = {k: f"{v:.4f}" for k, v in values.items() if k not in ("epoch", "seconds")}
            self.bar.set_postfix(shown, refresh=False)
