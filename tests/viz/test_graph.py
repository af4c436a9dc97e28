"""Graphs: what is a vertex, what flows where, and files with and without Graphviz."""

import re
import shutil

import pytest

import tinydl as td
from tinydl.command.main import main
from tinydl.errors import ConfigError, GraphError
from tinydl.nn import LSTM, BatchNorm, Conv2d, Dropout, Linear, Module, ReLU, Sequential, Tanh
from tinydl.viz.graph import autodiff_graph, model_graph, write_graph


def parsed(dot):
    """({first line of a vertex}, {(first line of the source, of the target)}), and all labels."""
    labels = dict(re.findall(r'n(\d+) \[label="(.*?)",', dot))
    heads = {number: label.split("\\n")[0] for number, label in labels.items()}
    edges = [(heads[a], heads[b]) for a, b in re.findall(r"n(\d+) -> n(\d+)", dot)]
    return sorted(heads.values()), sorted(edges), list(labels.values())


class Residual(Module):
    def __init__(self):
        self.conv, self.norm = Conv2d(3, 3, 3, padding="same"), BatchNorm(3)
        self.drop, self.act = Dropout(0.2), ReLU()

    def forward(self, x):
        return self.act(self.drop(self.norm(self.conv(x))) + x)


def test_a_residual_block_has_two_ways():
    model = Residual()
    heads, edges, labels = parsed(model_graph(model, (8, 8, 3)))
    conv = "Conv2d(3, 3, (3, 3), padding='same')"
    assert heads == sorted(
        ["input", conv, "BatchNorm(3)", "Dropout(0.2)", "add", "ReLU()", "output"]
    )
    assert edges == sorted(
        [
            ("input", conv), (conv, "BatchNorm(3)"), ("BatchNorm(3)", "Dropout(0.2)"),
            ("Dropout(0.2)", "add"), ("input", "add"), ("add", "ReLU()"), ("ReLU()", "output"),
        ]
    )  # fmt: skip
    assert f"{conv}\\nconv\\n(8, 8, 3)\\n84 parameters" in labels
    assert model.training and "forward" not in vars(model.conv)


def test_a_skip_around_dropout_starts_before_it():
    class Skip(Module):
        def __init__(self):
            self.drop = Dropout(0.5)

        def forward(self, x):
            return self.drop(x) * x

    _, edges, _ = parsed(model_graph(Skip(), 4))
    assert ("input", "multiply") in edges and ("Dropout(0.5)", "multiply") in edges


def test_shared_frozen_and_several_results():
    class Twice(Module):
        def __init__(self):
            self.layer = Linear(2, 2).freeze()

        def forward(self, x):
            return self.layer(self.layer(x))

    heads, edges, labels = parsed(model_graph(Twice(), 2))
    assert heads.count("Linear(2, 2)") == 2 and ("Linear(2, 2)", "Linear(2, 2)") in edges
    assert "Linear(2, 2)\\nlayer\\n(2)\\n6 parameters, frozen" in labels
    heads, _, _ = parsed(model_graph(LSTM(3, 4), (5, 3)))
    assert len([h for h in heads if h.startswith("LSTM")]) == 1
    with pytest.raises(ConfigError, match="model_graph: input_shape must be sizes"):
        model_graph(Twice(), (0,))


def test_the_graph_of_a_loss():
    model = Sequential(Linear(4, 3), Tanh())
    x = td.ones((5, 4))
    loss = (model(x) * model(x)).sum()
    heads, edges, labels = parsed(autodiff_graph(loss, model))
    assert heads == sorted(
        [
            *["linear", "tanh"] * 2, "multiply", "sum", "result", "layers.0.weight",
            "layers.0.bias",
        ]
    )  # fmt: skip
    assert edges.count(("layers.0.weight", "linear")) == 2
    assert ("multiply", "sum") in edges and ("sum", "result") in edges
    assert "tanh\\n(5, 3)\\nkeeps 60 bytes" in labels  # its own result, 15 floats
    assert "linear\\n(5, 3)" in labels  # it saves x and weight, which are there anyway
    assert "multiply\\n(5, 3)\\nkeeps 120 bytes" in labels
    w = td.tensor([1.0, 2.0], requires_grad=True)
    heads, _, _ = parsed(autodiff_graph(td.exp(w), {"w": w}))
    assert heads == ["exp", "result", "w"]
    loss.backward()
    with pytest.raises(GraphError, match="was freed by backward"):
        autodiff_graph(loss)
    with pytest.raises(GraphError, match="was not recorded"):
        autodiff_graph(x)


def test_quotes_and_backslashes_stay_inside_the_label():
    class Odd(Module):
        def arguments(self):
            return 'say="a\\b"'

        def forward(self, x):
            return x + 1.0

    assert r'label="Odd(say=\"a\\b\")\n(2)"' in model_graph(Odd(), 2)


@pytest.mark.skipif(shutil.which("dot") is None, reason="needs Graphviz's program dot")
def test_graphviz_draws(tmp_path):
    dot = model_graph(Residual(), (8, 8, 3))
    write_graph(dot, tmp_path / "g.svg")
    svg = (tmp_path / "g.svg").read_text()
    assert svg.count('class="node"') == 7 and svg.count('class="edge"') == 7
    write_graph(dot, tmp_path / "g.png")
    assert (tmp_path / "g.png").read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    with pytest.raises(ConfigError, match="dot failed"):
        write_graph("digraph {", tmp_path / "bad.svg")
    assert not (tmp_path / "bad.svg").exists()


def test_without_graphviz_text_is_written_and_pictures_are_one_sentence(tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda name: None)
    write_graph("digraph {}\n", tmp_path / "g.dot")
    assert (tmp_path / "g.dot").read_text() == "digraph {}\n"
    with pytest.raises(ConfigError, match=r"apt-get install graphviz"):
        write_graph("digraph {}", tmp_path / "g.svg")
    with pytest.raises(ConfigError, match=r"must end in \.dot, \.svg, \.png, \.pdf"):
        write_graph("digraph {}", tmp_path / "g.jpg")


def test_the_command(tmp_path, capsys):
    assert main(["graph", "mlp-digits"]) == 0
    heads, _, _ = parsed(capsys.readouterr().out)
    assert len([h for h in heads if h.startswith("Linear")]) >= 2
    assert main(["graph", "mlp-digits", "--autodiff", "--out", str(tmp_path / "g.dot")]) == 0
    out, err = capsys.readouterr()
    assert out == "" and "wrote" in err
    heads, _, _ = parsed((tmp_path / "g.dot").read_text())
    assert heads.count("linear") >= 2 and "result" in heads
    assert main(["graph", "mlp-digits", "--out", str(tmp_path / "g.bmp")]) == 2
    assert "must end in" in capsys.readouterr().err
    assert [p.name for p in tmp_path.iterdir()] == ["g.dot"]
