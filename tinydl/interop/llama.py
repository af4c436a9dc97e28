"""Folders in which a Llama lies as Hugging Face's libraries write it.

config.json says the sizes; the weights are model.safetensors, or several files that
model.safetensors.index.json tells the tensors of. Weights are (out, in). Queries and keys are
stored for a rotation of the pairs (i, i + E / 2) of a head of E numbers, and `Llama`, as the paper
and llama2.c, turns neighbours (2 i, 2 i + 1): row i or i + E / 2 of a head comes to 2 i or 2 i + 1.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import ConfigError, FormatError
from ..foreign import read_json, reader
from ..models.transformers.llama import Llama, LlamaBlock
from ..quoting import quoted, shown
from ..train.schema import check, integer, keyed, mapped, number, text
from ..train.tensor_files import read_tensors

OP = "load_llama"
CONFIG, WEIGHTS, INDEX = "config.json", "model.safetensors", "model.safetensors.index.json"
MOST_BYTES = 1 << 36  # of one file
#: What a configuration has to say, and the greatest of each number.
SIZES = {
    "vocab_size": 1 << 20,
    "hidden_size": 1 << 16,
    "intermediate_size": 1 << 18,
    "num_hidden_layers": 1 << 10,
    "num_attention_heads": 1 << 10,
}
#: What it may say, with the only values that are a plain Llama's.
PLAIN = {
    "hidden_act": ("silu",),
    "attention_bias": (False,),
    "mlp_bias": (False,),
    "rope_scaling": (None,),
}
PARTS = {
    "input_layernorm": "attention_norm",
    "self_attn.q_proj": "attention.query",
    "self_attn.k_proj": "attention.key",
    "self_attn.v_proj": "attention.value",
    "self_attn.o_proj": "attention.output",
    "post_attention_layernorm": "feed_norm",
    "mlp.gate_proj": "feed.gate",
    "mlp.up_proj": "feed.up",
    "mlp.down_proj": "feed.down",
}
OLD_TABLES = "rotary_emb.inv_freq"  # of the rotation: in old files


def is_llama(folder: Path) -> bool:
    """Whether a folder's config.json speaks of a Llama."""
    if not (folder / CONFIG).is_file():
        return False
    try:
        found = read_json(folder / CONFIG, op=OP)
    except FormatError:
        return False
    return isinstance(found, dict) and found.get("model_type") == "llama"


@reader(OP, "folder")
def load_llama(folder: str | Path) -> Llama:
    """See `tinydl.load_llama`."""
    where = Path(folder)
    config = _config(where / CONFIG)
    found = _arrays(where)
    heads, kv_heads = config["num_attention_heads"], config["num_key_value_heads"]
    model = Llama(
        config["vocab_size"], config["hidden_size"], config["intermediate_size"],
        config["num_hidden_layers"], heads, kv_heads, tied=config["tie_word_embeddings"],
        eps=config["rms_norm_eps"], base=config["rope_theta"],
    )  # fmt: skip
    wanted = _wanted(model)
    _compare(where, {name: a.shape for name, a in found.items()}, wanted)
    for name, (parameter, shape) in wanted.items():
        array = found.pop(name).astype(np.float32, copy=False)
        if name.endswith(("q_proj.weight", "k_proj.weight")):
            array = neighbours(array, heads if "q_proj" in name else kv_heads)
        parameter.assign(array.T if len(shape) == 2 and "embed_tokens" not in name else array)
    return model


def neighbours(weight: np.ndarray, heads: int) -> np.ndarray:
    """The rows (out, in) of queries or keys in the order of a rotation of neighbours."""
    rows, columns = weight.shape
    halves = weight.reshape(heads, 2, rows // heads // 2, columns)
    return halves.swapaxes(1, 2).reshape(rows, columns)


# -- the configuration -----------------------------------------------------------------------------


def _config(path: Path) -> dict[str, Any]:
    """The sizes and what else is asked for; FormatError, and ConfigError for another net."""
    said = read_json(path, op=OP)
    if not isinstance(said, dict) or said.get("model_type") != "llama":
        raise ConfigError(
            f"{OP}: {shown(path)} is of no Llama: its model_type is "
            f"{quoted(said.get('model_type') if isinstance(said, dict) else said, 60)}"
        )
    for name, allowed in PLAIN.items():
        if said.get(name, allowed[0]) not in allowed:
            raise ConfigError(
                f"{OP}: {shown(path)}: {name} {quoted(said[name], 60)} is not read, only "
                f"{quoted(allowed[0])}"
            )
    config = {name: said[name] for name in SIZES if name in said}
    config["num_key_value_heads"] = said.get("num_key_value_heads", said.get("num_attention_heads"))
    config["rms_norm_eps"] = said.get("rms_norm_eps", 1e-6)
    config["rope_theta"] = said.get("rope_theta", 10_000.0)
    config["tie_word_embeddings"] = said.get("tie_word_embeddings", False)
    rules: dict[str, Any] = {name: integer(1, most) for name, most in SIZES.items()}
    rules["num_key_value_heads"] = integer(1, SIZES["num_attention_heads"])
    rules |= {"rms_norm_eps": _positive, "rope_theta": _positive, "tie_word_embeddings": _flag}
    check(config, keyed(rules), f"{OP}: {shown(path)}")
    D, heads = config["hidden_size"], config["num_attention_heads"]
    if D % heads or D // heads % 2 or heads % config["num_key_value_heads"]:
        raise FormatError(
            f"{OP}: {shown(path)}: {D} numbers do not make {heads} heads of an even size, or those "
            f"no groups for {config['num_key_value_heads']} of keys and values"
        )
    if said.get("head_dim", D // heads) not in (D // heads, None):
        raise ConfigError(
            f"{OP}: {shown(path)}: head_dim {quoted(said['head_dim'], 60)} is not read, only "
            f"hidden_size / num_attention_heads = {D // heads}"
        )
    return config


def _positive(value: Any) -> str | None:
    fits = number(value) is None and 0 < value < 1e12
    return None if fits else f"must be a number > 0, not {quoted(value, 60)}"


def _flag(value: Any) -> str | None:
    return None if isinstance(value, bool) else f"must be true or false, not {quoted(value, 60)}"


# -- the weights -----------------------------------------------------------------------------------


def _arrays(folder: Path) -> dict[str, np.ndarray]:
    """Every tensor of the folder, of one file or of those that the index names."""
    if not (folder / INDEX).exists():
        return _of_file(folder / WEIGHTS)
    index = read_json(folder / INDEX, op=OP)
    places: Any = index.get("weight_map") if isinstance(index, dict) else None
    check(places, mapped(text(200, r"[A-Za-z0-9_][A-Za-z0-9_.-]*"), 100_000),
          f"{OP}: {shown(folder / INDEX)}: its weight_map")  # fmt: skip
    found: dict[str, np.ndarray] = {}
    for file in sorted(set(places.values())):
        part = _of_file(folder / file)
        lacking = [name for name, place in places.items() if place == file and name not in part]
        if lacking:
            raise FormatError(
                f"{OP}: {shown(folder / file)} lacks {quoted(lacking[0], 120)}, which "
                f"{INDEX} says is there"
            )
        found |= {name: array for name, array in part.items() if places.get(name) == file}
    return found


def _of_file(path: Path) -> dict[str, np.ndarray]:
    found = read_tensors(path, MOST_BYTES)[0]
    return {name: array for name, array in found.items() if not name.endswith(OLD_TABLES)}


def _wanted(model: Llama) -> dict[str, tuple[Any, tuple[int, ...]]]:
    """{name in the file: (parameter, shape in the file)}."""
    table = model.embedding.weight
    wanted = {"model.embed_tokens.weight": (table, table.shape)}
    for n, block in enumerate(model.blocks):
        for theirs, ours in PARTS.items():
            wanted[f"model.layers.{n}.{theirs}.weight"] = _parameter(block, ours)
    wanted["model.norm.weight"] = model.norm.scale, model.norm.scale.shape
    if model.head is not None:
        wanted["lm_head.weight"] = model.head.weight, model.head.weight.shape[::-1]
    return wanted


def _parameter(block: LlamaBlock, path: str) -> tuple[Any, tuple[int, ...]]:
    layer: Any = block
    for name in path.split("."):
        layer = getattr(layer, name)
    parameter = layer.scale if path.endswith("norm") else layer.weight
    return parameter, parameter.shape[::-1]


def _compare(
    folder: Path, found: Mapping[str, tuple[int, ...]], wanted: Mapping[str, tuple[Any, Any]]
) -> None:
    """FormatError for what is missing, left over or of another shape: the first of each."""
    tied = "lm_head.weight" not in wanted  # files of tied nets may hold the table twice
    wrong = [f"lacks {quoted(name, 120)}" for name in wanted if name not in found][:1]
    over = [n for n in found if n not in wanted and not (tied and n == "lm_head.weight")]
    wrong += [f"has {quoted(name, 120)}, which no plain Llama has" for name in over][:1]
    wrong += [
        f"has {quoted(name, 120)} {found[name]} where config.json asks for {shape}"
        for name, (_, shape) in wanted.items()
        if name in found and found[name] != tuple(shape)
    ][:1]
    if wrong:
        raise FormatError(f"{OP}: {shown(folder)} {'; it '.join(wrong)}")
