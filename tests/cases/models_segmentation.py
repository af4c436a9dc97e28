"""Rows of the segmentation networks."""

from cases.models import ModelCase
from tinydl import Generator
from tinydl.data import shapes
from tinydl.models import FCN8s, FCN16s, FCN32s, PSPNet, UNet
from tinydl.nn import cross_entropy


def scenes(rng, n):
    """Pictures (n, 32, 32, 3) of shapes and their class maps."""
    made = shapes(n, Generator(int(rng.integers(1000))), size=32, max_things=2)
    return made.x.astype("float64"), made.semantic


def loss(model, x, labels):
    return cross_entropy(model(x), labels)


def fcn_case(kind, parameters):
    return ModelCase(
        name=kind.__name__,
        small=lambda: kind(4, widths=(4, 6, 8, 8, 8), counts=(1, 1, 1, 1, 1), hidden=16, dropout=0),
        batch=scenes,
        loss=loss,
        full=kind,
        parameters=parameters,
        overfit=0.5,
        steps=200,
    )


SEGMENTATION = [
    fcn_case(FCN32s, 136_152_917),
    fcn_case(FCN16s, 134_815_994),
    fcn_case(FCN8s, 134_489_759),
    ModelCase(
        name="PSPNet",
        small=lambda: PSPNet(4, counts=(1, 2, 1, 1), widths=(3, 4, 5, 6)),
        batch=scenes,
        loss=loss,
        full=PSPNet,
        parameters=46_592_597,  # ResNet-50 without its linear layer: 23,508,032
        overfit=0.4,
        steps=150,
    ),
    ModelCase(
        name="UNet",
        small=lambda: UNet(3, 4, (6, 8, 12)),
        batch=scenes,
        loss=loss,
        full=UNet,
        parameters=31_030_658,
        overfit=0.2,
        steps=150,
    ),
]
