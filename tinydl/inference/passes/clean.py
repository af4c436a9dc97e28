"""What any compiler does first and last: constants computed once, nothing done twice, nothing done
for nobody."""

from __future__ import annotations

from typing import Any

from ..program import Program, Step, Value
from ..record import same_settings


def fold_constants(program: Program) -> str:
    """A step that reads constants only is run now, and its result becomes a constant.

    Example: the transposed weight of an attention, the table of a positional encoding.
    """
    folded = []
    for step in program.steps:
        if all(value.array is not None for value in step.inputs):
            step.output.array = run_step(step, {}, program.backend)
            step.output.name = next((v.name for v in step.inputs if v.name), "")
            folded.append(step)
    program.remove(folded)
    return f"{len(folded)} steps computed once"


def run_step(step: Step, arrays: dict[int, Any], backend: Any) -> Any:
    """The step's result, by the recorded functions; constants are read from their values."""
    y = None
    for part in step.parts:
        given = [y if v is None else arrays[id(v)] if v.array is None else v.array
                 for v in part.inputs]  # fmt: skip
        part.function.backend = backend
        y = part.run(*given)
    return y


def share_common(program: Program) -> str:
    """A step that does what an earlier one did, to the same inputs, is replaced by its result.

    Example: two heads that begin with the same activation of the same features.
    """
    seen: dict[tuple, list[Step]] = {}
    twice = []
    for step in program.steps:
        key = (step.function.name, *(id(value) for value in step.inputs))
        for earlier in seen.setdefault(key, []):
            if _alike(step, earlier):
                program.replace(step.output, earlier.output)
                twice.append(step)
                break
        else:
            seen[key].append(step)
    program.remove(twice)
    return f"{len(twice)} steps done before"


def _alike(a: Step, b: Step) -> bool:
    if len(a.parts) != len(b.parts) or a.output.shape != b.output.shape:
        return False
    pairs = zip(a.parts, b.parts, strict=True)
    return all(
        same_settings(p.function, q.function)
        and all(v is w for v, w in zip(p.inputs, q.inputs, strict=True))
        for p, q in pairs
    )


def remove_dead(program: Program) -> str:
    """Steps whose result nobody reads are left out, from the last to the first."""
    wanted: set[int] = {id(value) for value in program.outputs}
    dead = []
    for step in reversed(program.steps):
        if id(step.output) in wanted:
            wanted.update(id(value) for value in step.inputs)
        else:
            dead.append(step)
    program.remove(dead)
    return f"{len(dead)} steps that nobody reads"


def readable(value: Value) -> str:
    """float32 (1, 8, 8, 4), with the weight's name if it has one."""
    name = f"{value.name} " if value.name else ""
    return f"{name}{value.shape}"
