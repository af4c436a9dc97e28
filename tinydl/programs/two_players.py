"""What adversarial programs share: two optimisers, whose turn it is, the samples of every epoch."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from ..arguments import whole
from ..blocks import block
from ..errors import ConfigError
from ..experiment.program import SAMPLE, Card, Group, Program, Settings, Streams, Training
from ..models.adversarial.game import TwoPlayers as TwoNetworks
from ..nn import Module
from ..optim import Adam
from ..random import Generator
from ..tensor import Tensor
from ..train import History, State
from ..viz.animation import save_animation
from ..viz.pixels import save_image

SHOWN = 2_000  # samples that a measure looks at


@dataclass(frozen=True)
class TwoPlayers(Program):
    """model(**architecture): a `Game` or a `Translator`, critic and generator trained in turn.

    After every `critic_steps` batches, each a step of the critic, come `generator_steps` steps of
    the generator with as many samples. Both optimisers are Adam with beta1 and beta2, the
    generator's with rate lr, the critic's with critic_lr (None: lr); with beta1 = 0 Adam is
    RMSProp, but for its first steps. Raises ConfigError for counts below 1.
    """

    model: type[Any]  # of a Game, or of a Translator
    architecture: Mapping[str, Any] = field(default_factory=dict)
    critic_steps: int = 1
    generator_steps: int = 1
    batch_size: int = 128
    lr: float = 0.0002
    critic_lr: float | None = None
    beta1: float = 0.5
    beta2: float = 0.999

    abilities: ClassVar[frozenset[str]] = frozenset({SAMPLE})
    alone: ClassVar[str] = ""

    def __post_init__(self) -> None:
        for name in ("critic_steps", "generator_steps", "batch_size"):
            whole(self.kind, name, getattr(self, name), 1)

    def build(self) -> Any:
        return self.model(**self.architecture)

    def stored(self) -> dict[str, Any]:
        """Every setting that is a number, a text or a tuple of them, and the model's name."""
        kept = {f.name: getattr(self, f.name) for f in fields(self) if f.name not in NOT_STORED}
        head = {"model": self.model.__name__, "architecture": dict(self.architecture)}
        return {**head, **kept}

    def restored(self, stored: Mapping[str, Any]) -> TwoPlayers:
        rest = {k: v for k, v in stored.items() if k != "model"}
        if set(stored) != set(self.stored()) or stored["model"] != self.model.__name__:
            raise ConfigError(f"the settings are not those of {self.model.__name__}")
        return replace(self, **rest)

    def facts(self) -> dict[str, Any]:
        return self.stored()


NOT_STORED = (
    "model",
    "architecture",
    "score",
    "split",
    "picture_shape",
    "judge",
)  # the recipe's own


class TwoPlayersTraining(Training):
    """The critic on each batch, the generator after some; one stream of random numbers for noise.

    A subclass gives `batches()`, the arrays or tensors of one epoch, `data_streams()`, what a
    checkpoint keeps of them, and `looked_at()`, what is measured after an epoch.
    """

    model: TwoNetworks

    def __init__(self, recipe: Card, settings: Settings) -> None:
        self.program: Any = recipe.program
        super().__init__(recipe, settings)

    def data_streams(self) -> dict[str, Any]:
        raise NotImplementedError(f"{type(self).__name__} has no data")

    def batches(self) -> Iterable[Sequence[Tensor]]:
        raise NotImplementedError(f"{type(self).__name__} has no data")

    def looked_at(self) -> dict[str, float]:
        raise NotImplementedError(f"{type(self).__name__} measures nothing")

    def kept(self) -> dict[str, Any]:
        """What else a checkpoint keeps beside the optimisers, with `state_dict` as they have."""
        return {}

    def started(self) -> State:
        program, model = self.program, self.model
        critic_lr = program.lr if program.critic_lr is None else program.critic_lr
        rates = {"generator": program.lr, "critic": critic_lr}
        self.optimizers = {
            name: Adam(part.named_parameters(), rates[name], program.beta1, program.beta2)
            for name, part in (("generator", model.generator), ("critic", model.critic))
        }
        self.streams = Streams(**self.data_streams(), noise=self.generator.spawn())
        group: Any = Group(**self.optimizers, **self.kept())
        return State(model, group, self.streams, History(), 0, self.recipe.epochs)  # type: ignore[arg-type]

    def epoch(self) -> dict[str, float]:
        program, model = self.program, self.model
        losses: dict[str, list[float]] = {"critic": [], "generator": []}
        for turn, batch in enumerate(self.shared(self.batches()), 1):
            own = self.parallel.own(len(batch[0]))
            losses["critic"].append(self._step("critic", self.critic_loss(batch), own))
            model.after_critic()
            for _ in range(program.generator_steps if turn % program.critic_steps == 0 else 0):
                with resting(model.critic):
                    loss = self.generator_loss(batch)
                    losses["generator"].append(self._step("generator", loss, own))
        for name, values in losses.items():
            if not values:
                raise ConfigError(
                    f"recipe {self.recipe.name}: the {name} makes no step in an epoch: "
                    f"{len(losses['critic'])} batches of {program.batch_size}, and "
                    f"{program.critic_steps} of them for each turn of the generator"
                )
        means = {
            f"{k}_loss": self.total(sum(v))[0] / (len(v) * program.batch_size)
            for k, v in losses.items()
        }
        return {**means, **self.looked(self.looked_at)}

    def critic_loss(self, batch: Sequence[Tensor]) -> Tensor:
        """What the critic minimises on a batch."""
        return self.model.critic_loss(*batch, self.noise())  # type: ignore[attr-defined]

    def generator_loss(self, batch: Sequence[Tensor]) -> Tensor:
        """What the generator minimises after it."""
        return self.model.generator_loss(len(batch[0]), self.noise())  # type: ignore[attr-defined]

    def noise(self) -> Generator:
        """The stream of the networks' noise, of which each process takes its rows."""
        return self.parallel.rows(self.streams["noise"])

    def _step(self, name: str, loss: Tensor, samples: int) -> float:
        return self.descend(loss, samples, self.optimizers[name])

    def watchers(self, folder: Path) -> Sequence[Any]:
        return (SampleGrids(folder / "samples", self.program),)


@block
def resting(module: Module) -> Iterator[None]:
    """`with resting(critic):` gradients flow through it, and none is computed for its weights."""
    awake = [p for p in module.parameters() if p.requires_grad]
    try:
        for parameter in awake:
            parameter.requires_grad = False
        yield
    finally:
        for parameter in awake:
            parameter.requires_grad = True


class SampleGrids:
    """A callback that draws the same latent vectors' samples after every epoch, as
    samples/epoch-001.png, and after the last one all of them as samples.gif beside that folder.
    Without Pillow (for points: without matplotlib) nothing is drawn: the numbers stand in the
    history."""

    def __init__(self, folder: Path, program: Any) -> None:
        self.folder, self.program = folder, program

    def on_epoch_end(self, state: State) -> None:
        self.folder.mkdir(exist_ok=True)
        path = self.folder / f"epoch-{state.epoch:03d}.png"
        try:
            self.program.draw(state.model, path, Generator(0))
        except ConfigError:  # no library that draws
            return
        if state.epoch == state.epochs:
            animate(sorted(self.folder.glob("epoch-*.png")), self.folder.with_suffix(".gif"))


def write_page(pictures: np.ndarray, path: Path, columns: int = 10) -> None:
    """Pictures (N, H, W, C) in [0, 1] row by row as a PNG, three pixels for one; ConfigError
    without Pillow."""
    larger = pictures.repeat(3, axis=1).repeat(3, axis=2)
    save_image(larger, path, columns, padding=1)


def animate(pages: Sequence[Path], path: Path) -> None:
    """PNG files of one size, one after the other, as a GIF; nothing without Pillow."""
    try:
        from PIL import Image
    except ImportError:
        return
    frames = []
    for page in pages:
        with Image.open(page) as picture:
            frames.append(np.asarray(picture.convert("RGB")))
    save_animation(np.stack(frames), path, 0.4)
