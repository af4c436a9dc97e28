"""Every model: its size, the derivative of its whole loss; that it learns, is saved and moved."""

import numpy as np
import pytest
from cases.models import slopes
from cases.models_autoencoders import AUTOENCODERS
from cases.models_bayesian import BAYESIAN
from cases.models_capsules import CAPSULES
from cases.models_classifiers import CLASSIFIERS, REGRESSORS
from cases.models_detection import DETECTION
from cases.models_diffusion import DIFFUSION
from cases.models_energy import CHAINED, ENERGY
from cases.models_feedforward import FEEDFORWARD
from cases.models_fewshot import FEWSHOT
from cases.models_glimpses import GLIMPSES
from cases.models_information import INFORMATION
from cases.models_meta import META, OUTER
from cases.models_recurrent import RECURRENT
from cases.models_reinforcement import REINFORCEMENT
from cases.models_segmentation import SEGMENTATION
from cases.models_sequence import SEQUENCE
from cases.models_sound import SOUND
from cases.models_transformers import TRANSFORMERS
from cases.models_trees import TREES
from cases.models_variational import VARIATIONAL
from cases.models_words import WORDS
from closeness import assert_close
from support import load_backend, weightless

import tinydl
from tinydl import Tensor, models, no_grad
from tinydl.backend import use_backend
from tinydl.nn import Module
from tinydl.optim import Adam
from tinydl.train import load_weights, save_weights

CASES = [
    *AUTOENCODERS,
    *CAPSULES,
    *BAYESIAN,
    *CLASSIFIERS,
    *DETECTION,
    *DIFFUSION,
    *ENERGY,
    *FEEDFORWARD,
    *RECURRENT,
    *FEWSHOT,
    *GLIMPSES,
    *INFORMATION,
    *META,
    *REGRESSORS,
    *REINFORCEMENT,
    *SEGMENTATION,
    *SOUND,
    *SEQUENCE,
    *TRANSFORMERS,
    *TREES,
    *WORDS,
    *VARIATIONAL,
]
WITHOUT_LOSS = [*CHAINED, *OUTER]
#: Families whose rows are complete; a public model of them without a row is an error.
FAMILIES = (
    "autoencoders",
    "capsules",
    "bayesian",
    "convolutional",
    "detection",
    "diffusion",
    "sound",
    "trees",
    "words",
    "energy",
    "feedforward",
    "fewshot",
    "glimpses",
    "information",
    "meta",
    "mobile",
    "recurrent",
    "reinforcement",
    "segmentation",
    "sequence",
    "variational",
)


@pytest.fixture(params=CASES, ids=str)
def case(request):
    return request.param


def made(case, backend="cpu", dtype="float32", seed=1):
    tinydl.seed(seed)
    with use_backend(backend):
        return case.small().astype(dtype)


def batch_of(case, model, n, seed=2):
    arrays = case.batch(np.random.default_rng(seed), n)
    kinds = [a.astype(model.dtype) if a.dtype.kind == "f" else a for a in arrays]
    return [Tensor(a, backend=model.backend) for a in kinds]


def results(case, model, tensors):
    with no_grad():
        found = case.outputs(model.eval(), *tensors[: case.inputs])
    found = [found] if isinstance(found, Tensor) else list(found)
    return [y.numpy() for y in found]


def test_every_public_model_of_these_families_has_a_row():
    rows = {case.name for case in CASES} | {name for name, *_ in WITHOUT_LOSS}
    public = {
        name
        for name in models.__all__
        if isinstance(kind := getattr(models, name), type)
        and issubclass(kind, Module)
        and kind.__module__.split(".")[2] in FAMILIES
    }
    assert public <= rows, f"add rows for {sorted(public - rows)}"


def test_parameters_are_those_published(case):
    with weightless():
        assert case.full().count_parameters() == case.parameters


@pytest.mark.parametrize("name, full, parameters", WITHOUT_LOSS, ids=[n for n, *_ in WITHOUT_LOSS])
def test_parameters_of_what_learns_by_chains(name, full, parameters):
    with weightless():
        assert full().count_parameters() == parameters


def test_the_gradient_of_the_whole_loss_is_its_slope(case):
    """Along a random direction of all parameters at once, in float64."""
    model = made(case, dtype="float64")
    tensors = batch_of(case, model, 2)
    named = dict(model.named_parameters())
    measured, slope, absent = slopes(model, lambda: case.loss(model, *tensors), named)
    assert abs(measured - slope) <= 1e-4 * abs(slope), (measured, slope)
    assert not absent


def test_it_learns_eight_samples_by_heart(case):
    model = made(case)
    tensors = batch_of(case, model, case.samples)
    optimizer = Adam(model.parameters(), lr=case.lr)
    losses = []
    for _ in range(case.steps):
        loss = case.loss(model, *tensors)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
        if losses[-1] < case.overfit * losses[0]:
            return
    pytest.fail(f"{case}: the loss fell from {losses[0]:.4g} to {losses[-1]:.4g} only")


def test_a_saved_model_is_the_same(case, tmp_path):
    model, other = made(case, seed=1), made(case, seed=7)
    tensors = batch_of(case, model, 2)
    case.loss(model, *tensors)  # moves running statistics
    before = results(case, model, tensors)
    save_weights(model, tmp_path / "model.safetensors")
    load_weights(other, tmp_path / "model.safetensors")
    for a, b in zip(before, results(case, other, tensors), strict=True):
        assert a.tobytes() == b.tobytes()


@pytest.mark.parametrize("name", ["cpu", "opencl"])
def test_backends_give_the_same(case, name):
    load_backend(name)
    reference, other = made(case, "numpy"), made(case, name)
    wanted = results(case, reference, batch_of(case, reference, 2))
    for a, b in zip(wanted, results(case, other, batch_of(case, other, 2)), strict=True):
        assert_close(b, a, 1e-4, atol=1e-4 * max(abs(a).max(), 1e-30))
