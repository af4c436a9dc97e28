"""Tokens per second of a GPT that writes, beside a loop in PyTorch with the same weights.

python benchmarks/generation.py: one thread, one text, the sizes of `gpt-shakespeare`, greedily from
8 characters to the end of the window, both with a cache of keys and values. The two write the same;
turns alternate, and the median of processor time counts.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from statistics import median
from time import process_time
from typing import Any

import numpy as np

from tinydl import Generator
from tinydl.backend.cpu import _runtime
from tinydl.console import command
from tinydl.models import GPT
from tinydl.models.recurrent.writing import write

PROMPT, TURNS = np.arange(8), 9


class TorchLoop:
    """The same GPT by torch.nn.functional, keys and values joined to those before."""

    def __init__(self, model: GPT) -> None:
        import torch

        torch.set_num_threads(1)
        self.torch, self.F = torch, torch.nn.functional
        self.w = {n: torch.tensor(p.numpy()) for n, p in model.named_parameters()}
        self.blocks, self.heads = len(model.blocks), model.blocks[0].attention.heads
        self.w |= {n: p.T.contiguous().T for n, p in self.w.items() if p.ndim == 2}

    def linear(self, x: Any, name: str) -> Any:
        return self.F.linear(x, self.w[f"{name}.weight"].T, self.w[f"{name}.bias"])

    def normed(self, x: Any, name: str) -> Any:
        scale = self.w[f"{name}.scale"]
        return self.F.layer_norm(x, scale.shape, scale, self.w[f"{name}.shift"], 1e-5)

    def logits(self, ids: Any, cache: list[Any]) -> Any:
        past, (N, T) = cache[0][0].shape[2] if cache else 0, ids.shape
        x = self.F.embedding(ids, self.w["embedding.weight"])
        x = x + self.w["positions.weight"][past : past + T]
        for k in range(self.blocks):
            part, h = f"blocks.{k}.attention", self.normed(x, f"blocks.{k}.attention_norm")
            query, key, value = (
                self.linear(h, f"{part}.{n}").view(N, T, self.heads, -1).transpose(1, 2)
                for n in ("query", "key", "value")
            )
            if past:
                key = self.torch.cat([cache[k][0], key], 2)
                value = self.torch.cat([cache[k][1], value], 2)
            cache[k : k + 1] = [(key, value)]
            y = self.F.scaled_dot_product_attention(query, key, value, is_causal=not past)
            x = x + self.linear(y.transpose(1, 2).reshape(N, T, -1), f"{part}.output")
            h = self.F.gelu(
                self.linear(self.normed(x, f"blocks.{k}.feed_norm"), f"blocks.{k}.feed.first")
            )
            x = x + self.linear(h, f"blocks.{k}.feed.second")
        return self.normed(x, "norm") @ self.w["embedding.weight"].T

    def write(self, count: int) -> list[int]:
        ids, cache, found = self.torch.tensor(PROMPT[None]), [], []
        with self.torch.inference_mode():
            for _ in range(count):
                found.append(int(self.logits(ids, cache)[0, -1].argmax()))
                ids = self.torch.tensor([[found[-1]]])
        return found


def seconds(function: Callable[[], Any]) -> float:
    began = process_time()
    function()
    return process_time() - began


def main() -> None:
    _runtime.set_threads(1)
    model = GPT(rng=Generator(0)).eval()
    count, loop = model.steps - len(PROMPT), TorchLoop(model)

    def ours() -> list[int]:
        return write(model, PROMPT, count, Generator(0), temperature=0.0).tolist()

    if ours() != loop.write(count):
        raise SystemExit("generation: the two do not write the same")
    times = [(seconds(ours), seconds(lambda: loop.write(count))) for _ in range(TURNS)]
    own, other = (count / median(column) for column in zip(*times, strict=True))
    print(f"tinydl {own:,.0f} tokens per second, PyTorch {other:,.0f}: {own / other:.2f} times")


if __name__ == "__main__":
    sys.exit(command(main, "generation"))
