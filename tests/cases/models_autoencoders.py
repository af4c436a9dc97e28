"""Rows of the autoencoders: what goes in is what must come out."""

from cases.models import ModelCase
from tinydl import Generator
from tinydl.models import (
    Autoencoder,
    ColouringAutoencoder,
    ContractiveAutoencoder,
    ConvAutoencoder,
    DenoisingAutoencoder,
    RatingsAutoencoder,
    SparseAutoencoder,
)
from tinydl.models.autoencoders.colouring import grey


def rows(features):
    return lambda rng, n: (rng.normal(size=(n, features)),)


def pictures(channels):
    """Random, with values of 0.2 to 0.8, 8x8."""
    return lambda rng, n: (rng.uniform(0.2, 0.8, (n, 8, 8, channels)),)


DENSE = {"batch": rows(6), "lr": 0.02, "steps": 300}

AUTOENCODERS = [
    ModelCase(
        name="Autoencoder",
        small=lambda: Autoencoder((6, 12), "tanh"),
        loss=lambda model, x: model.loss(x),
        full=Autoencoder,
        parameters=2_389,
        **DENSE,
    ),
    ModelCase(
        name="Autoencoder, deep",
        small=lambda: Autoencoder((6, 16, 12), "relu"),
        loss=lambda model, x: model.errors(x).mean(),
        full=lambda: Autoencoder((29, 80, 40)),
        parameters=11_269,
        **DENSE,
    ),
    ModelCase(
        name="SparseAutoencoder",
        small=lambda: SparseAutoencoder((6, 16, 12), 1e-4),
        loss=lambda model, x: model.loss(x),
        full=SparseAutoencoder,
        parameters=11_269,
        **DENSE,
    ),
    ModelCase(
        name="DenoisingAutoencoder",  # the same damage at every step
        small=lambda: DenoisingAutoencoder((6, 32), activation="tanh"),
        loss=lambda model, x: model.loss(x, Generator(5)),
        full=DenoisingAutoencoder,
        parameters=2_389,
        **DENSE,
    ),
    ModelCase(
        name="ContractiveAutoencoder",
        small=lambda: ContractiveAutoencoder(6, 12, 1e-3),
        loss=lambda model, x: model.loss(x),
        full=ContractiveAutoencoder,
        parameters=2_389,
        **DENSE,
    ),
    ModelCase(
        name="RatingsAutoencoder",
        small=lambda: RatingsAutoencoder(6, 12),
        batch=lambda rng, n: (rng.integers(0, 6, (n, 6)).astype(float),),
        loss=lambda model, x: model.loss(x),
        full=RatingsAutoencoder,
        parameters=189_643,
        lr=0.02,
        steps=300,
    ),
    ModelCase(
        name="ConvAutoencoder",
        small=lambda: ConvAutoencoder((8, 8), (6, 8), 16),
        batch=pictures(1),
        loss=lambda model, x: model.loss(x),
        full=ConvAutoencoder,
        parameters=178_001,
        steps=300,
        lr=0.02,
        overfit=0.3,
    ),
    ModelCase(
        name="ColouringAutoencoder",
        small=lambda: ColouringAutoencoder((8, 8), (6, 8), 16),
        batch=pictures(3),
        loss=lambda model, x: model.loss(x),
        full=ColouringAutoencoder,
        parameters=3_431_811,
        steps=300,
        lr=0.02,
        overfit=0.4,
        outputs=lambda model, x: model(grey(x)),
    ),
]
