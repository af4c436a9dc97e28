"""Folders with a published language model: a checkpoint of llama2.c and its tokenizer."""

from __future__ import annotations

from pathlib import Path

from ..backend import USUAL, get, use_backend
from ..errors import FormatError
from ..models.transformers.llama import Llama
from ..models.transformers.llama2c import load_llama2c
from ..models.transformers.llama2c_tokens import LlamaTokenizer, read_llama2c_tokenizer
from ..quoting import shown
from ..random import Generator
from .folder import CONFIG, has

BEGIN = 1  # the token that begins a text, and so ends the one before


def llama_files(folder: str | Path) -> tuple[Path, Path] | None:
    """(checkpoint, tokenizer) of a folder that holds tok*.bin and one other .bin file, and no run;
    None for every other."""
    path = Path(folder)
    if not path.is_dir() or has(path, CONFIG):
        return None
    files = sorted(path.glob("*.bin"))
    tokens = [file for file in files if file.name.startswith("tok")]
    models = [file for file in files if not file.name.startswith("tok")]
    return (models[0], tokens[0]) if len(models) == len(tokens) == 1 else None


def load_llama(files: tuple[Path, Path], backend: str | None) -> tuple[Llama, LlamaTokenizer]:
    """The model and its tokenizer. FormatError for damaged files, or that are not of each other."""
    with use_backend(get(backend or USUAL).name):
        model = load_llama2c(files[0])
    tokenizer = read_llama2c_tokenizer(files[1])
    V = model.embedding.num_embeddings
    if len(tokenizer) != V:
        raise FormatError(
            f"llama2c: {shown(files[1])} has {len(tokenizer)} tokens, {shown(files[0])} is for {V}"
        )
    return model, tokenizer


def continued(
    model: Llama, tokenizer: LlamaTokenizer, prompt: str, count: int, rng: Generator,
    temperature: float = 1.0, top_k: int | None = None, top_p: float | None = None,
) -> tuple[str, int]:  # fmt: skip
    """(the prompt and what follows it, tokens that were written): `count` of them, fewer where the
    model ends its text."""
    tokens = tokenizer.encode(prompt)
    given = len(tokens)
    for token in model.write(tokens, count, temperature, rng, top_k, top_p):
        if token == BEGIN:
            break
        tokens.append(token)
    return tokenizer.decode(tokens), len(tokens) - given
