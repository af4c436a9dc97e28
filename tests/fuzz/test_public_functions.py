"""Odd arguments at every public door: results, or exceptions of tinydl (see public_calls.py)."""

import inspect

import numpy as np
import pytest

import tinydl as td
from fuzz.odd_values import NAMES
from fuzz.public_calls import HEAVY, _Place, calls, case, places, run
from fuzz.public_rows import LAYERS, ROWS
from tinydl import attribution, data, environments, metrics, nn, optim
from tinydl.errors import TinydlError

CALLS = 2000
#: Doors whose right call needs a package of an extra; tests/interop calls them in the oracle pass.
PICTURES = ("data.image_folder", "data.look", "data.PictureForm")
NEEDS = {"td.save_onnx": "onnx", **dict.fromkeys(PICTURES, "PIL")}


def test_odd_arguments_give_results_or_errors_of_tinydl():
    faults = []
    found = calls(0, CALLS, faults.append)
    print(f"\n{CALLS} odd calls: {dict(found)}")
    assert not faults, "\n".join(faults)


@pytest.mark.parametrize("name", ROWS)
def test_the_rows_are_right_calls(name):
    """Else the odd argument would be refused for another reason than its oddness."""
    if name in NEEDS:
        pytest.importorskip(NEEDS[name], reason=f"{name} needs the package {NEEDS[name]}")
    call = ROWS[name](1)
    result = call.function(*call.args, **call.options)
    for method, args, options in call.then:
        getattr(result, method)(*args, **options)


#: Public names that are no doors of their own: bases, what a loader or another function returns,
#: what reads files (fuzzed with damaged ones), and contexts without arguments.
OTHERS = {
    *("td.Function", "td.TinydlError", "td.__version__", "td.default_backend", "td.detect_anomaly"),
    *("td.enable_grad", "td.is_recording", "td.no_grad", "td.nn", "td.optim", "td.profile"),
    *("td.load", "td.load_keras", "td.load_llama", "td.load_onnx", "td.load_torch"),
    "data.read_trees",
    *("optim.Optimizer", "nn.Summary", "nn.init", "metrics.COCO_THRESHOLDS", "metrics.Scores"),
    *("metrics.MeanAveragePrecision", "metrics.PrecisionRecallCurve", "metrics.RocCurve"),
    *("metrics.CalibrationCurve", "metrics.RejectionCurve"),
    *("environments.Played", "attribution.IntegratedGradients", "attribution.Randomized"),
}
#: Rooms of `tinydl.data` whose functions read files.
READ = ("sets.", "formats.", "download", "record", "catalog", "inventory")


def _is_door(module, name):
    value = getattr(module, name)
    if module is data:
        room = getattr(value, "__module__", "").removeprefix("tinydl.data.")
        alone = inspect.isfunction(value) and not inspect.signature(value).parameters
        record = inspect.isclass(value) and f"data.{name}" not in ROWS
        reads = name == "half_size_rows" or room.startswith(READ)
        return callable(value) and not (alone or record or reads)
    return True


@pytest.mark.parametrize(
    "module",
    [td, nn, optim, metrics, data, environments, attribution],
    ids=lambda m: m.__name__,
)
def test_every_public_name_has_a_row(module):
    short = {td: "td"}.get(module, module.__name__.rpartition(".")[2])
    names = {f"{short}.{n}" for n in module.__all__ if _is_door(module, n)} - OTHERS
    have = set(ROWS) | {row.replace("ops.", "td.") for row in ROWS}
    assert sorted(names - have) == []


def test_what_is_left_out_exists():
    assert set(HEAVY) <= set(ROWS) and {v for row in HEAVY.values() for v in row} <= set(NAMES)


def test_a_case_is_the_same_at_every_time():
    import fuzz.public_calls as fuzz

    fuzz._WEIGHTED or fuzz._weigh()
    assert [case(5, n)[0] for n in range(20)] == [case(5, n)[0] for n in range(20)]


def test_a_foreign_error_is_seen():
    """The test of the test: what a function without checks would do."""
    call = LAYERS["Linear"](0)
    call.function = lambda *args: args[0] + ""
    assert isinstance(run(call), TypeError)
    call = LAYERS["Linear"](0)
    assert run(call) is None
    _Place(None, 0).put(call, 1.5)
    assert run(call) is None and len(places(call)) > 5
    with pytest.raises(TinydlError, match="Linear: in_features must be an integer"):
        nn.Linear(*call.args)


def test_a_call_that_does_not_end_is_seen(monkeypatch):
    """A child that hangs or dies is counted, and the next begins behind it."""
    import fuzz.public_calls as fuzz

    outcomes = iter([(1, "Timeout (0:00:10)!"), (-11, "Segmentation fault"), (0, "")])
    begun = []

    def process(command, **options):
        begun.append(int(command[command.index("--first") + 1]))
        with open(command[command.index("--child") + 1], "w") as note:
            note.write(str(begun[-1] + 3))
        code, words = next(outcomes)
        return fuzz.subprocess.CompletedProcess(command, code, "", words)

    monkeypatch.setattr(fuzz.subprocess, "run", process)
    found = fuzz.calls(0, 20, lambda line: None)
    assert begun == [0, 4, 8] and found["hang"] == 1 and found["crash"] == 1


def test_numbers_of_numpy_are_numbers():
    i, f = np.int64, np.float32
    assert nn.Linear(i(3), np.uint8(2)).weight.shape == (3, 2)
    assert td.ones((2, 3)).sum(axis=i(1)).shape == (2,)
    assert td.topk(td.ones((3,)), np.int8(2))[0].shape == (2,)
    assert len(td.split(td.ones((4,)), sections=i(2))) == 2
    assert td.one_hot(td.tensor([0]), i(3)).shape == (1, 3)
    assert td.max_pool1d(td.ones((1, 4, 1)), i(2)).shape == (1, 2, 1)
    assert len(data.Batches((np.ones(4),), i(2), shuffle=False)) == 2
    assert td.Generator(i(5)).key == 5 and type(td.Generator(i(5)).key) is int
    assert nn.Dropout(f(0.5)).rate == 0.5 and optim.StepDecay(f(0.5), i(2))(i(2)) == pytest.approx(
        0.05
    )
