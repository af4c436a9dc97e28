"""Inference: a model's forward pass recorded once, improved by passes, and run as a flat program.

    recorded (record.py) -> passes/ -> planned (plan.py) -> run: step by step in Python (eager.py)
    on any backend, by one call of compiled code (native.py) on the processor.

Read `program.py` first: what a program is. `compiled.py` is what a call goes through.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..nn.module import Module
    from .compiled import Compiled


def compile(model: Module, example: Any = None, passes: Any = None) -> Compiled:
    """The model for inference: a module that runs its forward pass as a flat program.

    example: what the model is called with (a tensor, an array, or a tuple of them; None: the first
    call is it). The pass is recorded on it in evaluation mode, in which the model is put; then the
    passes rewrite the program (None: all of `inference.passes.ALL`, else the names of those
    wanted): constants computed once, batch norms folded into weights, ReLUs and sums done as
    results are stored, dead steps left out. Results equal the model's to rounding.
    `compiled.program.print()` shows every step with its shape, kernel, bytes and time.

    Inputs of other shapes get a program of their own (at most 8 are kept), and a changed weight is
    noticed. In training mode, for an input that requires a gradient, and while operations or
    modules are watched (a profile, a summary), the model itself runs; results of a program have no
    history.

    Raises ConfigError for a model whose Python code decides by the numbers that it computes, draws
    random numbers, keeps a state from call to call or changes what it stores.
    """
    from .compiled import compile as made

    return made(model, example, passes)


__all__ = ["compile"]
