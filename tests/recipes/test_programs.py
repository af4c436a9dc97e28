"""Programs that are no classifiers: they train, are stored, go on exactly and do what they can do.

A kind of program is proved here once; each recipe's own figure is `tinydl reproduce NAME`.
"""

import json
import shutil
from itertools import pairwise

import numpy as np
import pytest
from cases.generators import PICTURES, TEXTS
from cases.sentences import few_dates, few_scenes
from closeness import assert_close

from tinydl import Generator, Tensor
from tinydl.baselines import beside
from tinydl.command.main import main
from tinydl.data import chain_world
from tinydl.errors import ConfigError, FormatError
from tinydl.experiment.datasets import DATASETS
from tinydl.experiment.program import Group, Streams
from tinydl.models.energy.partition import exact_log_partition
from tinydl.models.energy.rbm import books_gradients, gradients
from tinydl.models.reinforcement.q_table import QTable, value_iteration
from tinydl.optim import SGD, Adam
from tinydl.programs.agent_replay import FromReplay
from tinydl.programs.agent_rollouts import FromRollouts
from tinydl.programs.attacked import Attack, UnderAttack
from tinydl.programs.episode_lessons import ByPairs, ByStreams, Sights, Ways
from tinydl.recipes import RECIPES, find
from tinydl.runs.run import OpenRun, begin, claim, resumed, train, train_into
from tinydl.train import History

SMALL = {
    "ring-gan": {"updates": 3, "batch_size": 16},
    "ring-wgan": {"updates": 2, "critic_steps": 2, "batch_size": 16},
    "chain-q": {"steps": 20},
    "grid-dqn": {"steps": 40, "learning": FromReplay(300, 60, 2, 7, falls=100), "batch_size": 8},
    "cartpole-ppo": {"steps": 60, "learning": FromRollouts(3, 2, 16), "batch_size": 30},
    "rbm-digits": {
        "dataset": "synthetic_digits",  # drawn, where scikit-learn's real ones may be missing
        "scale": 1.0,
        "architecture": {"visible": 64, "hidden": 8},
        "persistent": True,
        "momentum": 0.5,
        "batch_size": 50,
        "chains": 100,
        "temperatures": 100,
    },
    "dbn-digits": {
        "dataset": "synthetic_digits",
        "scale": 1.0,
        "architecture": {"sizes": (64, 12, 8)},
        "split": RECIPES["synthetic-digits"].program.split,
        "batch_size": 50,
        "pretraining": 1,
    },
    "rbm-films": {
        "dataset": "drawn_ratings",
        "architecture": {"items": 80, "hidden": 6},
        "batch_size": 50,
    },
    "autoencoder-films": {
        "dataset": "drawn_ratings",
        "architecture": {"users": 120, "hidden": 6},
    },
    "bayes-mlp": {
        "dataset": "synthetic_digits",
        "scale": 1.0,
        "architecture": {"sizes": (64, 12, 10)},
        "input_shape": (64,),
        "split": RECIPES["synthetic-digits"].program.split,
        "outside": ("synthetic_digits",),
        "score": "accuracy",
        "samples_drawn": 3,
    },
    "dates": {
        "dataset": "few_dates",
        "architecture": {**RECIPES["dates"].program.architecture, "hidden": 12},
        "batch_size": 25,
        "width": 2,
    },
    "captions": {
        "dataset": "few_scenes",
        "architecture": {"target_vocabulary": 16, "widths": (4, 4), "embedding": 4, "hidden": 6},
        "batch_size": 20,
    },
    "maml-sines": {"updates": 2, "batch_size": 3, "inner": 2},
    "learned-optimizer": {"updates": 2, "batch_size": 3, "inner": 2},
    "mine-line": {"updates": 3, "looks": 2, "looked": 40, "batch_size": 16},
    "iic-mnist": {
        "dataset": "synthetic_digits",
        "scale": 1.0,
        "samples": (60, 40),
        "input_shape": (8, 8, 1),
        "split": RECIPES["synthetic-digits"].program.split,
        "architecture": {"picture": (8, 8, 1), "widths": (4, 8), "more": 12, "heads": 2},
        "batch_size": 30,
    },
    "fraud-denoising": {"dataset": "drawn_payments"},
    "adversarial-mnist": {
        "dataset": "synthetic_digits",
        "scale": 1.0,
        "input_shape": (8, 8, 1),
        "samples": (60, 30),
        "split": RECIPES["synthetic-digits"].program.split,
        "architecture": {"picture": (8, 8, 1), "filters": (4, 8), "kernels": (3, 3), "hidden": 8},
        "attack": Attack(0.1, 2),
        "asked": (UnderAttack(0.1, 2, 1, 20),),
    },
    "capsnet-mnist": {
        "dataset": "synthetic_digits",
        "scale": 1.0,
        "input_shape": (8, 8, 1),
        "samples": (60, 30),
        "split": RECIPES["synthetic-digits"].program.split,
        "architecture": {
            "picture": (8, 8, 1),
            "filters": (4, 8),
            "kernels": (3, 3),
            "primary": 4,
            "pose": 4,
            "hidden": (8,),
        },
    },
    "opinions": {"samples": (100, 50)},
    "imdb-bilstm": {
        "dataset": "drawn_reviews",
        "architecture": {"words": 60, "embedding_dim": 4, "hidden_size": 4},
        "input_shape": (20,),
        "words": 60,
        "samples": (),
    },
    "bert-tiny": {
        "dataset": "drawn_reviews",
        "architecture": {"vocabulary": 300, "length": 20, "features": 8, "blocks": 1, "hidden": 8},
        "input_shape": (20,),
        "words": 300,
        "samples": (),
        "pretraining": 1,
    },
    "gru-djia": {"dataset": "drawn_prices", "architecture": {"hidden_size": 8}, "batch_size": 50},
    "siamese-orl": {
        "dataset": "drawn_by_class",
        "architecture": {"picture": (8, 8, 1), "filters": 3, "kernel": 3, "width": 6},
        "lesson": ByPairs(60, 20),
        "exam": Ways({"10-way": (3, 1)}, queries=1, tested=10),
        "halve": 1,
    },
    "memory-omniglot": {
        "dataset": "drawn_by_class",
        "architecture": {"picture": (8, 8, 1), "classes": 3, "filters": 3, "blocks": 2},
        "lesson": ByStreams(3, 2, 2, 2),
        "exam": Sights(3, 2, 10),
    },
    "rntn-logic": {"updates": 3, "batch_size": 5, "tested": 10},
    "synthetic-digits": {},
}
DATASETS["few_dates"] = few_dates
DATASETS["few_scenes"] = few_scenes
KINDS = {RECIPES[name].program.kind: name for name in SMALL}
MADE = PICTURES | TEXTS
KINDS |= {make().program.kind: name for name, make in MADE.items()}


def small(name, epochs=3):
    if name in MADE:
        return MADE[name]().replaced(epochs=epochs)
    return RECIPES[name].replaced(**SMALL[name], epochs=epochs)


def without_seconds(history):
    return [{k: v for k, v in row.items() if k != "seconds"} for row in history.rows]


def test_every_kind_of_program_is_among_them():
    missing = {r.program.kind for r in RECIPES.values()} - set(KINDS)
    assert not missing, f"SMALL has no recipe with a program of the kind {missing}"


@pytest.mark.parametrize("stopped", [0, 1, 2])
@pytest.mark.parametrize("name", [*SMALL, *MADE])
def test_a_training_that_was_stopped_goes_on_bitwise(name, stopped, tmp_path, monkeypatch):
    """Whole, and stopped after so many epochs and resumed from its folder: the same weights, rows
    and measures."""
    recipe = small(name)
    monkeypatch.setattr("tinydl.runs.outside.find", lambda _: recipe)

    class Stop:
        def on_epoch_done(self, state):
            if state.epoch == stopped:
                raise KeyboardInterrupt

    whole = begin(recipe)
    history = whole.fit()
    with claim(tmp_path / "run", name) as lock:
        broken = begin(recipe)
        watchers = type(broken).watchers
        monkeypatch.setattr(type(broken), "watchers", lambda *_: (Stop(),))
        if stopped == 0:
            monkeypatch.setattr(type(broken), "fit", interrupted)
        with pytest.raises(KeyboardInterrupt):
            train_into(lock, broken, False)
        monkeypatch.undo()
        monkeypatch.setattr("tinydl.runs.outside.find", lambda _: recipe)
    again = resumed(tmp_path / "run")
    assert again.state.epoch == stopped
    outcome = train_into(tmp_path / "run", again, False)
    assert type(again).watchers is watchers
    assert without_seconds(outcome.history) == without_seconds(history)
    for key, value in whole.model.state_dict().items():
        assert np.array_equal(again.model.state_dict()[key], value), key
    assert outcome.test == whole.measure("test")
    rows = History.from_csv(tmp_path / "run" / "history.csv")
    assert without_seconds(rows) == without_seconds(history)


def interrupted(*_):
    raise KeyboardInterrupt


def test_the_gan_on_the_ring_is_beside_its_baseline():
    recipe = small("ring-wgan")
    assert set(train(recipe).test) == {"modes", "good"}
    found = beside(begin(recipe))
    assert found["one gaussian"]["modes"] <= 2 and found["one gaussian"]["good"] < 0.05
    assert found["one mode"]["modes"] == 1 and found["one mode"]["good"] > 0.98


def test_the_machines_likelihood_is_the_exact_one_and_its_baseline_what_is_said():
    """Eight hidden units: log Z is a sum of 256 numbers."""
    training = begin(small("rbm-digits", 4))
    rows = training.fit().rows
    assert rows[-1]["reconstruction"] < rows[0]["reconstruction"]
    x, train_x = (training.parts[part].astype(np.float64) for part in ("test", "train"))
    assert set(np.unique(x)) == {0.0, 1.0} and len(x) == training.samples("test")
    found = training.measure("test")
    free = training.model.free_energy(Tensor(training.parts["test"])).numpy().mean()
    exact = exact_log_partition(training.model).item()
    assert abs(found["log_z"] - exact) < 3 * found["log_z_error"] < 0.3
    assert_close(found["log_likelihood"], np.array(-free - found["log_z"]), 1e-6)
    (alone,) = beside(training).values()
    mean = (train_x.sum(axis=0) + 1) / (len(train_x) + 2)
    independent = np.log(np.where(x > 0, mean, 1 - mean)).sum(axis=1).mean()
    assert_close(alone["log_likelihood"], np.array(independent), 1e-6)
    assert_close(alone["reconstruction"], np.array(((x - mean) ** 2).mean()), 1e-6)


def test_the_books_gradient_learns_little_more_than_independent_pixels():
    found = {}
    for slopes in (gradients, books_gradients):
        recipe = small("rbm-digits", 6).replaced(
            architecture={"visible": 64, "hidden": 64}, persistent=False, momentum=0.0,
            batch_size=10, slopes=slopes,
        )  # fmt: skip
        found[slopes] = train(recipe).test
    right, book, alone = found[gradients], found[books_gradients], beside(begin(recipe))
    pixels = alone["independent pixels"]
    assert right["log_likelihood"] > pixels["log_likelihood"] + 4
    assert abs(book["log_likelihood"] - pixels["log_likelihood"]) < 1.5
    assert right["reconstruction"] < 0.6 * pixels["reconstruction"]
    assert book["reconstruction"] > 0.8 * pixels["reconstruction"]


@pytest.mark.parametrize("persistent", [False, True])
def test_the_chains_of_a_machine_start_where_they_ended_or_at_the_data(persistent, monkeypatch):
    training, seen = begin(small("rbm-digits").replaced(persistent=persistent)), []
    gibbs = type(training.model).gibbs

    def watched(model, v, steps, rng):
        end = gibbs(model, v, steps, rng)
        seen.append((v.numpy().copy(), end.numpy().copy()))
        return end

    monkeypatch.setattr(type(training.model), "gibbs", watched)
    training.epoch()
    assert len(seen) == 32
    if persistent:
        assert all(np.array_equal(a[1], b[0]) for a, b in pairwise(seen))
    else:
        starts = np.concatenate([start for start, _ in seen])
        assert sorted(map(bytes, starts)) == sorted(map(bytes, training.parts["train"]))


def test_a_machine_draws_pictures():
    training = begin(small("rbm-digits", 1))
    sample = training.recipe.program.sample
    pictures = sample(training.model, 5, Generator(3))
    assert pictures.shape == (5, 8, 8, 1) and pictures.min() >= 0 and pictures.max() <= 1
    assert np.array_equal(pictures, sample(training.model, 5, Generator(3)))
    assert not np.array_equal(pictures, sample(training.model, 5, Generator(4)))


@pytest.mark.parametrize(
    "change, words",
    [
        ({"slopes": "books_gradients"}, "not those of the recipe: slopes"),
        ({"picture": 3, "scale": 0}, "not those of the recipe: picture, scale"),
        ({"more": 1}, "not those of the recipe: more"),
        ({"batch_size": 0}, "batch_size must be an integer >= 1"),
        ({"batch_size": None}, "batch_size must be an integer >= 1"),
        ({"lr": "x"}, "lr must be a number"),
    ],
)
def test_only_batches_and_rate_of_a_machine_may_differ(change, words):
    program = RECIPES["rbm-digits"].program
    with pytest.raises(ConfigError, match=words):
        program.restored({**program.stored(), **change})
    other = program.changed("rbm-digits", 7, 0.5)
    assert (other.batch_size, other.lr) == (7, 0.5)
    assert program.restored(json.loads(json.dumps(other.stored()))) == other


def test_q_learning_finds_the_values_of_the_chain():
    recipe = RECIPES["chain-q"].replaced(epochs=130)
    outcome = train(recipe)
    assert outcome.test["error"] < 1e-6 and recipe.targets["error"].met(outcome.test["error"])
    assert outcome.test["reward"] == 10.0 * (recipe.program.steps - 4)  # four steps to the far end
    alone = beside(begin(recipe))
    assert outcome.test["reward"] > 1.5 * alone["even chance"]["reward"]
    assert alone["table of zeros"]["error"] == pytest.approx(100)  # 10 / (1 - 0.9)


def test_sarsa_goes_round_the_cliff_and_q_learning_along_its_edge():
    """Short forms: the greedy ways, and the error against the exact values of either."""
    for name, row in (("cliff-sarsa", 0), ("cliff-sarsa/q", 1)):
        recipe = find(name).replaced(epochs=300)
        training = begin(recipe)
        before = training.measure()["error"]
        training.fit()
        assert training.measure()["error"] < before
        state, way = training.world.start, []
        while not training.world.terminal[state] and len(way) < 20:
            state, _, _ = training.world.step(state, training.model.greedy(state), Generator(0))
            way.append(state)
        assert {s // 6 for s in way[1:-2]} <= {0, 1} and way[3] // 6 == row, (name, way)
    with pytest.raises(ConfigError, match="not those of an agent with a table"):
        recipe.program.restored({**recipe.program.stored(), "model": "SARSA"})


def test_the_greedy_policy_and_the_update_are_watkins(on_numpy):
    """One step by hand, and value iteration against the equation itself."""
    world, q = chain_world(3, slip=0.0), QTable(3, 2)
    q.table.replace(np.array([[0.0, 0.0], [0.0, 0.0], [4.0, 1.0]]))
    q.episode(world, 1, Generator(0), rate=0.5, discount=0.9, epsilon=0.0)
    assert_close(q.values()[0], np.array([0.0, 0.0]), 1e-12)  # on to state 1: 0 + 0.9 * 0
    q.table.replace(np.array([[0.0, 0.0], [4.0, 1.0], [0.0, 0.0]]))
    q.episode(world, 1, Generator(0), rate=0.5, discount=0.9, epsilon=0.0)
    assert_close(q.values()[0], np.array([0.5 * 0.9 * 4.0, 0.0]), 1e-12)
    exact = value_iteration(world, 0.9)
    assert_close(exact, world.rewards + 0.9 * world.transitions @ exact.max(axis=1), 1e-10)
    assert_close(exact[2, 0], np.array(10 / (1 - 0.9)), 1e-10)


@pytest.mark.parametrize("wrong", [{"rate": 0.0}, {"discount": 1.5}, {"epsilon": -0.1}])
def test_settings_of_an_agent_are_checked(wrong):
    with pytest.raises(ConfigError, match=r"QTable\.episode"):
        QTable(5, 2).episode(chain_world(), 3, Generator(0), **wrong)


# -- groups of optimisers and streams --------------------------------------------------------------


def test_a_group_keeps_all_its_optimisers_or_changes_none(on_numpy):
    model = RECIPES["ring-gan"].program.build()
    group = Group(a=Adam(model.generator.parameters()), b=SGD(model.critic.parameters(), lr=0.5))
    state = group.state_dict()
    assert group.lr == 0.5 and set(state["scalars"]) == {"a", "b"}
    wrong = {"scalars": {**state["scalars"], "b": {"lr": "x"}}, "arrays": state["arrays"]}
    with pytest.raises((FormatError, ConfigError)):
        group.load_state_dict(wrong)
    assert json.dumps(group.state_dict()["scalars"]) == json.dumps(state["scalars"])
    with pytest.raises(ConfigError, match="holds"):
        group.load_state_dict({"scalars": {"a": {}}, "arrays": {}})


def test_streams_come_back_by_name():
    streams = Streams(a=Generator(1), b=Generator(2))
    state = streams.state_dict()
    first = streams["a"].uniform(3)
    streams.load_state_dict(state)
    assert np.array_equal(streams["a"].uniform(3), first)
    with pytest.raises(ConfigError, match="holds"):
        streams.load_state_dict({"a": state["a"]})


# -- the commands ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """{name: run folder} of short trainings by the command."""
    home = tmp_path_factory.mktemp("programs")
    for name, epochs in (("ring-gan", 1), ("chain-q", 60), ("synthetic-digits", 1)):
        out = str(home / name)
        assert main(["train", name, "--epochs", str(epochs), "--quiet", "--out", out]) == 0
    return home


def test_samples_are_drawn_printed_and_written(runs, tmp_path, capsys):
    run = str(runs / "ring-gan")
    assert main(["sample", run, "--count", "5", "--json"]) == 0
    samples = np.array(json.loads(capsys.readouterr().out)["samples"])
    assert samples.shape == (5, 2)
    for file in ("a.npy", "b.png"):
        assert main(["sample", run, "--count", "5", "--out", str(tmp_path / file)]) == 0
    assert np.array_equal(np.load(tmp_path / "a.npy"), samples.astype(np.float32))
    assert (tmp_path / "b.png").read_bytes().startswith(b"\x89PNG")
    assert (runs / "ring-gan" / "samples" / "epoch-001.png").exists()


def test_an_episode_is_played_and_drawn(runs, tmp_path, capsys):
    from PIL import Image

    path = tmp_path / "episode.gif"
    assert main(["play", str(runs / "chain-q"), "--out", str(path), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert len(told["states"]) == len(told["actions"]) + 1 == len(told["rewards"]) + 1
    with Image.open(path) as image:
        assert image.n_frames > 1 and image.size == (5 * 64, 64)


@pytest.mark.parametrize(
    "command, name, words",
    [
        ("sample", "synthetic-digits", "which cannot sample; runs of "),
        ("sample", "chain-q", "which cannot sample"),
        ("play", "ring-gan", "which cannot play; runs of "),
        ("predict", "ring-gan", "needs a classifier"),
        ("classify", "ring-gan", "needs a classifier"),
        ("detect", "chain-q", "needs a detector"),
        ("nearest", "chain-q", "which cannot find words; runs of skipgram-films"),
    ],
)
def test_a_run_that_cannot_says_so(runs, tmp_path, command, name, words, capsys):
    from PIL import Image

    picture = tmp_path / "x.png"
    Image.new("L", (8, 8)).save(picture)
    more = {"sample": [], "play": [], "nearest": ["a"]}.get(command, [str(picture)])
    assert main([command, str(runs / name), *more]) == 2
    error = capsys.readouterr().err
    assert words in error and error.count("\n") == 1


@pytest.mark.parametrize("command", ["summary", "graph"])
def test_a_table_has_no_layers(command, capsys):
    assert main([command, "chain-q"]) == 2
    assert f"{command}: chain-q is an agent with a table: there are no" in capsys.readouterr().err


def test_a_part_that_a_program_does_not_have(runs, capsys):
    assert main(["evaluate", str(runs / "ring-gan"), "--part", "train"]) == 2
    assert "a generator with a critic, it has no train part" in capsys.readouterr().err


def test_evaluate_gives_every_measure(runs, capsys):
    assert main(["evaluate", str(runs / "chain-q"), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert {"error", "reward"} <= set(told) and told["recipe"] == "chain-q"
    assert told["baselines"]["even chance"]["reward"] < told["reward"]
    assert told["beaten"] == {"table of zeros": True}


@pytest.mark.parametrize("change", [{"settings": {}}, {"program": "tabular"}, {"settings": 3}])
def test_a_changed_configuration_is_one_sentence(runs, tmp_path, change, capsys):
    folder = tmp_path / "run"
    shutil.copytree(runs / "ring-gan", folder)
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(
        json.dumps({k: v for k, v in {**config, **change}.items() if k != "sha256"})
    )
    for command in (["evaluate"], ["sample"], ["train", "--epochs", "3", "--resume"]):
        assert main([*command, str(folder)]) == 2
        assert capsys.readouterr().err.count("\n") == 1


# -- recipes of one's own --------------------------------------------------------------------------

OWN = '''
"""A recipe of my own: a smaller network on drawn digits."""

from tinydl.experiment.card import Recipe, Target
from tinydl.models import MLP
from tinydl.optim import Adam
from tinydl.programs.parts import Split
from tinydl.programs.supervised import Supervised

MINE = Recipe(
    name="my-digits",
    title="drawn digits, a smaller network",
    book="my notes",
    chapter="1",
    dataset="synthetic_digits",
    parameters=1_210,
    program=Supervised(
        model=MLP,
        architecture={"sizes": (64, 16, 10)},
        input_shape=(64,),
        optimizer=Adam,
        batch_size=50,
        scale=1.0,
        split=Split("stratified", 0.2),
    ),
    epochs=2,
    time_budget=10,
    targets={"accuracy": Target(at_least=0.5)},
)
'''


@pytest.fixture
def own(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(OWN)
    return path


def test_a_recipe_of_a_file_is_trained_evaluated_and_resumed(own, tmp_path, capsys):
    run = tmp_path / "run"
    assert main(["train", str(own), "--quiet", "--out", str(run)]) == 0
    config = json.loads((run / "config.json").read_text())
    assert config["recipe"] == "my-digits" and config["recipe_file"]["name"] == "mine.py"
    assert main(["evaluate", str(run)]) == 2
    assert "give it with --recipe FILE" in capsys.readouterr().err
    assert main(["evaluate", str(run), "--recipe", str(own)]) == 0
    resume = ["train", "--resume", str(run), "--epochs", "3", "--quiet", "--recipe", str(own)]
    assert main(resume) == 0
    assert OpenRun(run, own).model().count_parameters() == 1_210


def test_a_folder_never_runs_a_file_and_another_text_is_refused(own, tmp_path, capsys):
    run = tmp_path / "run"
    assert main(["train", str(own), "--quiet", "--out", str(run)]) == 0
    own.write_text(OWN + "\nraise SystemExit('it ran')\n")
    assert main(["evaluate", str(run)]) == 2
    assert "it ran" not in capsys.readouterr().err
    own.write_text(OWN + "\n# changed\n")
    assert main(["evaluate", str(run), "--recipe", str(own)]) == 2
    assert "another SHA-256" in capsys.readouterr().err


@pytest.mark.parametrize(
    "text, words",
    [
        ("x = 1", "has the recipes none"),
        ("1 / 0", "stopped with ZeroDivisionError"),
        ("def", "stopped with SyntaxError"),
        (OWN + "\nOTHER = MINE.replaced(name='other')", "has the recipes my-digits, other"),
    ],
)
def test_what_is_no_recipe_file_is_one_sentence(tmp_path, text, words, capsys):
    path = tmp_path / "wrong.py"
    path.write_text(text)
    assert main(["train", str(path), "--quiet", "--out", str(tmp_path / "run")]) == 2
    assert words in capsys.readouterr().err
    assert main(["train", str(tmp_path / "absent.py")]) == 2
    assert "there is no file" in capsys.readouterr().err


def test_one_of_several_is_chosen_by_name(own, tmp_path):
    own.write_text(OWN + "\nOTHER = MINE.replaced(name='other', epochs=1)\n")
    run = tmp_path / "run"
    assert main(["train", f"{own}:other", "--quiet", "--out", str(run)]) == 0
    assert OpenRun(run, own).recipe.name == "other"
