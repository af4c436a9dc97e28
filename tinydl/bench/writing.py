"""Generation: language models that write, each token read once, from a cache of keys and values.

Both peers write greedily from the same prompt with the same weights, drawn from seed 0; the loops
of PyTorch are what its users type: torch.nn.functional, keys and values joined to those before.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..random import Generator


def writer(kind: str) -> Any:
    """The model of a cell, "gpt" or "llama" (the sizes of `gpt-shakespeare` and of stories260K)."""
    from ..models import GPT, Llama

    return (GPT(rng=Generator(0)) if kind == "gpt" else Llama(rng=Generator(0))).eval()


def writing(model: Any, prompt: np.ndarray, count: int) -> Callable[[], np.ndarray]:
    """What writes `count` tokens after the prompt in tinydl."""
    from ..models import GPT
    from ..models.recurrent.writing import write

    if isinstance(model, GPT):
        return lambda: write(model, prompt, count, Generator(0), temperature=0.0)
    given = prompt.tolist()
    return lambda: np.array(list(model.write(given, count)))


class TorchLoop:
    """The same by torch.nn.functional: `logits` (1, T, V) of ids (1, T), and the loop around it."""

    def __init__(self, torch: Any, model: Any) -> None:
        self.torch, self.F = torch, torch.nn.functional
        self.w = {n: torch.tensor(p.numpy()) for n, p in model.named_parameters()}
        self.w |= {n: p.T.contiguous().T for n, p in self.w.items() if p.ndim == 2}  # (out, in)
        self.blocks, part = len(model.blocks), model.blocks[0].attention
        self.heads, self.kv_heads = part.heads, part.kv_heads

    def linear(self, x: Any, name: str) -> Any:
        return self.F.linear(x, self.w[f"{name}.weight"].T, self.w.get(f"{name}.bias"))

    def attended(self, h: Any, part: str, k: int, cache: list[Any], turn: Any = None) -> Any:
        """Attention of h (1, T, D) to the places before, which cache[k] keeps."""
        (N, T, _), sizes = h.shape, (self.heads, self.kv_heads, self.kv_heads)
        query, key, value = (
            self.linear(h, f"{part}.{name}").view(N, T, heads, -1).transpose(1, 2)
            for name, heads in zip(("query", "key", "value"), sizes, strict=True)
        )
        if turn is not None:
            query, key = turn(query), turn(key)
        if len(cache) > k:
            key = self.torch.cat([cache[k][0], key], 2)
            value = self.torch.cat([cache[k][1], value], 2)
        cache[k : k + 1] = [(key, value)]
        y = self.F.scaled_dot_product_attention(
            query, key, value, is_causal=T > 1, enable_gqa=self.heads != self.kv_heads
        )
        return self.linear(y.transpose(1, 2).reshape(N, T, -1), f"{part}.output")

    def logits(self, ids: Any, cache: list[Any]) -> Any:
        raise NotImplementedError

    def write(self, prompt: np.ndarray, count: int) -> np.ndarray:
        """`count` tokens after the prompt."""
        cache: list[Any] = []
        found: list[int] = []
        ids = self.torch.tensor(prompt[None])
        with self.torch.inference_mode():
            for _ in range(count):
                found.append(int(self.logits(ids, cache)[0, -1].argmax()))
                ids = self.torch.tensor([[found[-1]]])
        return np.array(found)


class TorchGpt(TorchLoop):
    def normed(self, x: Any, name: str) -> Any:
        scale = self.w[f"{name}.scale"]
        return self.F.layer_norm(x, scale.shape, scale, self.w[f"{name}.shift"], 1e-5)

    def logits(self, ids: Any, cache: list[Any]) -> Any:
        past, T = cache[0][0].shape[2] if cache else 0, ids.shape[1]
        x = self.F.embedding(ids, self.w["embedding.weight"])
        x = x + self.w["positions.weight"][past : past + T]
        for k in range(self.blocks):
            block = f"blocks.{k}"
            h = self.normed(x, f"{block}.attention_norm")
            x = x + self.attended(h, f"{block}.attention", k, cache)
            h = self.linear(self.normed(x, f"{block}.feed_norm"), f"{block}.feed.first")
            x = x + self.linear(self.F.gelu(h), f"{block}.feed.second")
        return self.normed(x, "norm") @ self.w["embedding.weight"].T


class TorchLlama(TorchLoop):
    def __init__(self, torch: Any, model: Any) -> None:
        super().__init__(torch, model)
        size = model.blocks[0].attention.features // self.heads
        rates = 10000.0 ** (-torch.arange(0, size, 2, dtype=torch.float64) / size)
        angles = torch.arange(256)[:, None] * rates
        self.cos, self.sin = angles.cos().float(), angles.sin().float()
        self.eps = model.norm.eps

    def normed(self, x: Any, name: str) -> Any:
        scale = self.w[f"{name}.scale"]
        return self.F.rms_norm(x, scale.shape, scale, self.eps)

    def logits(self, ids: Any, cache: list[Any]) -> Any:
        past, T = cache[0][0].shape[2] if cache else 0, ids.shape[1]
        cos, sin = self.cos[past : past + T], self.sin[past : past + T]

        def turn(x: Any) -> Any:
            a, b = x[..., 0::2], x[..., 1::2]
            return self.torch.stack([a * cos - b * sin, a * sin + b * cos], -1).flatten(-2)

        x = self.F.embedding(ids, self.w["embedding.weight"])
        for k in range(self.blocks):
            block = f"blocks.{k}"
            h = self.normed(x, f"{block}.attention_norm")
            x = x + self.attended(h, f"{block}.attention", k, cache, turn)
            h = self.normed(x, f"{block}.feed_norm")
            gate = self.F.silu(self.linear(h, f"{block}.feed.gate"))
            wide = gate * self.linear(h, f"{block}.feed.up")
            x = x + self.linear(wide, f"{block}.feed.down")
        return self.normed(x, "norm") @ self.w["embedding.weight"].T


def torch_loop(torch: Any, kind: str) -> TorchLoop:
    """The loop of a cell."""
    return (TorchGpt if kind == "gpt" else TorchLlama)(torch, writer(kind))
