"""A Llama in Hugging Face's naming: what it says, files in pieces, what is no plain Llama."""

import json

import numpy as np
import pytest
from closeness import assert_close
from support import oracle_module

from tinydl import Generator, Tensor, load_llama
from tinydl.errors import ConfigError, FormatError, MissingFileError
from tinydl.models import Llama, load_llama2c, read_llama2c_tokens, text_of
from tinydl.train.tensor_files import write_tensors

CONFIG = {
    "model_type": "llama", "architectures": ["LlamaForCausalLM"], "hidden_act": "silu",
    "torch_dtype": "float32", "rms_norm_eps": 1e-5, "rope_theta": 10_000.0,
}  # fmt: skip
TOKENS = Tensor(np.array([[1, 4, 2, 6, 3]]))


def small(tied=True, **options):
    return Llama(7, 8, 12, 2, 2, 1, tied=tied, rng=Generator(3), **options)


def in_halves(weight, heads):
    """Rows of each head in the order of a rotation of halves: first those of even places."""
    parts = np.split(weight, heads)
    return np.concatenate([part[start::2] for part in parts for start in (0, 1)])


def stored(model):
    """{name: array} as LlamaForCausalLM keeps them."""
    found = {"model.embed_tokens.weight": model.embedding.weight.numpy()}
    for n, block in enumerate(model.blocks):
        a, f = block.attention, block.feed
        layer = {
            "input_layernorm": block.attention_norm.scale.numpy(),
            "self_attn.q_proj": in_halves(a.query.weight.numpy().T, a.heads),
            "self_attn.k_proj": in_halves(a.key.weight.numpy().T, a.kv_heads),
            "self_attn.v_proj": a.value.weight.numpy().T,
            "self_attn.o_proj": a.output.weight.numpy().T,
            "post_attention_layernorm": block.feed_norm.scale.numpy(),
            "mlp.gate_proj": f.gate.weight.numpy().T,
            "mlp.up_proj": f.up.weight.numpy().T,
            "mlp.down_proj": f.down.weight.numpy().T,
        }
        found |= {f"model.layers.{n}.{name}.weight": array for name, array in layer.items()}
    found["model.norm.weight"] = model.norm.scale.numpy()
    if model.head is not None:
        found["lm_head.weight"] = model.head.weight.numpy().T
    return found


def sizes(model):
    attention, table = model.blocks[0].attention, model.embedding
    return CONFIG | {
        "vocab_size": table.num_embeddings,
        "hidden_size": table.embedding_dim,
        "intermediate_size": model.blocks[0].feed.hidden,
        "num_hidden_layers": len(model.blocks),
        "num_attention_heads": attention.heads,
        "num_key_value_heads": attention.kv_heads,
        "tie_word_embeddings": model.head is None,
    }


def write(folder, model, pieces=1, changed=None, arrays=None):
    """The folder of this model, its tensors in one file or in several behind an index."""
    (folder / "config.json").write_text(json.dumps(sizes(model) | (changed or {})))
    arrays = stored(model) if arrays is None else arrays
    if pieces == 1:
        write_tensors(folder / "model.safetensors", arrays, {"format": "pt"})
        return folder
    places = {}
    for k in range(pieces):
        file = f"model-{k + 1:05d}-of-{pieces:05d}.safetensors"
        part = dict(list(arrays.items())[k::pieces])
        write_tensors(folder / file, part, {"format": "pt"})
        places |= dict.fromkeys(part, file)
    index = {"metadata": {"total_size": 1}, "weight_map": places}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    return folder


@pytest.mark.parametrize("tied", [True, False])
@pytest.mark.parametrize("pieces", [1, 3])
def test_a_folder_is_the_model_it_holds(tmp_path, tied, pieces):
    model = small(tied)
    found = load_llama(write(tmp_path, model, pieces))
    np.testing.assert_array_equal(found(TOKENS).numpy(), model(TOKENS).numpy())


def test_what_the_configuration_says_is_done(tmp_path):
    """Another base and eps are other logits; both are read."""
    model = small(base=500.0, eps=1e-2)
    found = load_llama(write(tmp_path, model, changed={"rope_theta": 500.0, "rms_norm_eps": 1e-2}))
    np.testing.assert_array_equal(found(TOKENS).numpy(), model(TOKENS).numpy())
    assert not np.array_equal(found(TOKENS).numpy(), small()(TOKENS).numpy())


def test_a_tied_table_may_stand_there_twice_and_half_types_are_read(tmp_path):
    model = small()
    arrays = {name: array.astype(np.float16) for name, array in stored(model).items()}
    twice = {**arrays, "lm_head.weight": arrays["model.embed_tokens.weight"]}
    found = load_llama(write(tmp_path, model, arrays=twice))
    table = found.embedding.weight.numpy()
    assert table.dtype == np.float32
    np.testing.assert_array_equal(table, arrays["model.embed_tokens.weight"].astype(np.float32))


@pytest.mark.parametrize(
    ("changed", "error", "words"),
    [
        ({"model_type": "gpt2"}, ConfigError, "is of no Llama: its model_type is 'gpt2'"),
        ({"attention_bias": True}, ConfigError, "attention_bias True is not read, only False"),
        ({"rope_scaling": {"type": "linear"}}, ConfigError, "rope_scaling .* only None"),
        ({"head_dim": 16}, ConfigError, "head_dim 16 is not read"),
        ({"hidden_size": 9}, FormatError, "9 numbers do not make 2 heads"),
        ({"vocab_size": 0}, FormatError, "vocab_size must be an integer in"),
        ({"rope_theta": -1}, FormatError, "rope_theta must be a number > 0"),
        ({"tie_word_embeddings": 1}, FormatError, "tie_word_embeddings must be true or false"),
        ({"num_hidden_layers": 3}, FormatError, r"lacks 'model\.layers\.2\.input_layernorm"),
        ({"num_hidden_layers": 1}, FormatError, r"has 'model\.layers\.1\..*no plain Llama has"),
        ({"intermediate_size": 13}, FormatError, r"gate_proj.* \(12, 8\) where .* \(13, 8\)"),
    ],
)
def test_what_is_no_plain_llama_is_one_sentence(tmp_path, changed, error, words):
    write(tmp_path, small(), changed=changed)
    with pytest.raises(error, match=words):
        load_llama(tmp_path)


def test_an_index_that_does_not_fit(tmp_path):
    write(tmp_path, small(), 2)
    index = tmp_path / "model.safetensors.index.json"
    said = json.loads(index.read_text())
    for places, words in (
        ({"x.weight": "../model.safetensors"}, "weight_map"),
        (said["weight_map"] | {"x.weight": "model-00001-of-00002.safetensors"}, "lacks 'x.weight'"),
        ([1], "weight_map must be an object"),
    ):
        index.write_text(json.dumps({"weight_map": places}))
        with pytest.raises(FormatError, match=words):
            load_llama(tmp_path)
    with pytest.raises(MissingFileError, match=r"config\.json"):
        load_llama(tmp_path / "nothing")


def test_stories260k_in_this_naming_writes_the_reference_text(tmp_path, data_folder):
    stories = data_folder / "models" / "stories260k"
    if not stories.is_dir():
        pytest.skip(f"{data_folder} has no models/stories260k")
    model = load_llama(write(tmp_path, load_llama2c(stories / "stories260K.bin"), 2))
    reference = json.loads((stories / "reference.json").read_text())
    tokens = [1, *model.write([1], len(reference["tokens"]) - 1)]
    assert tokens == reference["tokens"]
    assert text_of(tokens, read_llama2c_tokens(stories / "tok512.bin")) == reference["text"]


@pytest.mark.oracle
def test_pytorchs_rotation_of_halves_gives_the_same_logits(tmp_path):
    """The definition of the stored layout, step by step: heads whose halves are turned."""
    torch = oracle_module("torch")
    model, x = small(), torch.tensor(TOKENS.numpy())
    w = {name: torch.tensor(np.ascontiguousarray(a)) for name, a in stored(model).items()}
    found = load_llama(write(tmp_path, model))(TOKENS).numpy()
    functional, h = torch.nn.functional, w["model.embed_tokens.weight"][x[0]]
    rates = 10_000.0 ** (-torch.arange(0, 4, 2) / 4)
    angles = torch.arange(5)[:, None] * rates
    cos, sin = (torch.cat([f(angles), f(angles)], 1)[:, None] for f in (torch.cos, torch.sin))

    def turned(q):
        a, b = q.chunk(2, -1)
        return q * cos + torch.cat([-b, a], -1) * sin

    def norm(h, name):
        return functional.rms_norm(h, (8,), w[name + ".weight"], 1e-5)

    for n in range(2):
        at = f"model.layers.{n}."
        y = norm(h, at + "input_layernorm")
        q, k, v = (
            (y @ w[f"{at}self_attn.{p}_proj.weight"].T).reshape(5, count, 4)
            for p, count in (("q", 2), ("k", 1), ("v", 1))
        )
        q, k, v = turned(q), turned(k).repeat(1, 2, 1), v.repeat(1, 2, 1)
        y = functional.scaled_dot_product_attention(
            q.swapaxes(0, 1), k.swapaxes(0, 1), v.swapaxes(0, 1), is_causal=True
        )
        h = h + y.swapaxes(0, 1).reshape(5, 8) @ w[at + "self_attn.o_proj.weight"].T
        y = norm(h, at + "post_attention_layernorm")
        gate = functional.silu(y @ w[at + "mlp.gate_proj.weight"].T)
        up = y @ w[at + "mlp.up_proj.weight"].T
        h = h + (gate * up) @ w[at + "mlp.down_proj.weight"].T
    want = (norm(h, "model.norm") @ w["model.embed_tokens.weight"].T).numpy()
    assert_close(found[0], want, 1e-5)
