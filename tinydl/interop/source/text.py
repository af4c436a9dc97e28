"""Calls as the text of a module: one line for a layer, expressions within each other where they
are short."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import wrap
from typing import Any

from .blocks import LIST, LOOP
from .calls import ATOM, Body, Call, Class, literal, named_layers
from .names import comment

WIDTH = 100
JOINING = ("{0} + {1}", "{0} * {1}", "{0} - {1}", "{0} @ {1}")  # of two branches, on one line
POOL = ("x", "y", "z", "u", "v", "w", "a", "b", "c", "d", "e", "f", "g", "h")


def class_text(made: Class, origins: bool = False) -> str:
    """One class. origins: with the file's names behind the layers."""
    names = named_layers(made.body.calls)
    lines = [f"class {made.name}(nn.Module):"]
    if made.doc:
        lines += [*_docstring(made.doc), ""]
    lines += _init(made, names, origins)
    lines += _forward(made.body, names)
    return "\n".join(lines)


def _docstring(text: str) -> list[str]:
    if len(text) <= WIDTH - 10:
        return [f'    """{text}"""']
    inner = wrap(text, WIDTH - 8)
    return [f'    """{inner[0]}', *[f"    {line}" for line in inner[1:]], '    """']


def _init(made: Class, names: dict[int, str], origins: bool) -> list[str]:
    if not names:
        return []
    args = [n if default is None else f"{n}={literal(default)}" for n, default in made.args.items()]
    head = f"    def __init__({', '.join(['self', *args])}):"
    if len(head) > WIDTH:
        inner = textwrapped(", ".join(["self", *args]), 8)
        head = "    def __init__(\n" + "\n".join(inner) + ",\n    ):"
    lines, known = [head], set()
    for k, name in names.items():
        layer = made.body.calls[k].layer
        if layer is None or name in known:
            continue
        known.add(name)
        if layer.cls == LIST and len(set(items := str(layer.args["items"]).split("\n"))) == 1:
            lines.append(f"        self.{name} = [{items[0]} for _ in range({len(items)})]")
            continue
        if layer.cls == LIST:
            lines += [f"        self.{name} = ["]
            lines += [f"            {t}," for t in str(layer.args["items"]).split("\n")] + [
                "        ]"
            ]
            continue
        line = f"        self.{name} = {layer.construction()}"
        if len(line) > WIDTH:
            head, _, rest = line.partition("(")
            line = f"{head}(\n" + "\n".join(textwrapped(rest[:-1], 12)) + ",\n        )"
        elif origins and layer.origin and len(line) + len(comment(layer.origin)) + 4 <= WIDTH:
            line += f"  # {comment(layer.origin)}"
        lines.append(line)
    return [*lines, ""]


def textwrapped(text: str, indent: int) -> list[str]:
    """Arguments in lines, cut behind commas that stand in no bracket."""
    parts, depth, start = [], 0, 0
    for i, c in enumerate(text):
        depth += (c in "([{") - (c in ")]}")
        if c == "," and depth == 0:
            parts.append(text[start : i + 1].strip())
            start = i + 1
    parts.append(text[start:].strip())
    lines = [" " * indent]
    for part in parts:
        if len(lines[-1]) + 1 + len(part) > WIDTH and lines[-1].strip():
            lines.append(" " * indent)
        lines[-1] += part if not lines[-1].strip() else f" {part}"
    return lines


# -- forward ---------------------------------------------------------------------------------------


class _Statement:
    """An expression whose leaves are values in variables; `targets` are what it gives."""

    def __init__(self, call: Call, place: int) -> None:
        self.call, self.place = call, place
        self.leaves: list[int] = []


def _forward(body: Body, names: dict[int, str]) -> list[str]:
    writer = _Writer(body, names)
    given = ", ".join(["self", *[body.names[n] for n in body.inputs]])
    return [f"    def forward({given}):", *[_shortened(f"        {t}") for t in writer.lines()]]


def _shortened(line: str) -> str:
    """A line that is too long has the arguments of its last call below it."""
    if len(line) <= WIDTH or not line.endswith(")"):
        return line
    depth, at = 0, len(line)
    while at and (depth or at == len(line)):
        at -= 1
        depth += (line[at] in ")]}") - (line[at] in "([{")
    inner = "\n".join(textwrapped(line[at + 1 : -1], 12))
    return f"{line[: at + 1]}\n{inner}\n        )"


class _Writer:
    def __init__(self, body: Body, names: dict[int, str]) -> None:
        self.body, self.names, self.uses = body, names, body.uses()
        self.makers = {n: (k, call) for k, call in enumerate(body.calls) for n in call.outputs}
        self.inlined = self._inlined()

    def _inlined(self) -> set[int]:
        """Values whose expression stands within that of their only reader."""
        found: set[int] = set()
        for call in self.body.calls:
            heavy = 0
            for i, number in enumerate(call.inputs):
                if number not in self.makers or self.uses[number] != 1:
                    continue
                _, maker = self.makers[number]
                once = call.template.count(f"{{{i}}}") == 1
                if not once or len(maker.outputs) > 1 or maker.template == LOOP:
                    continue
                if call.template == LOOP or number in self.body.outputs:
                    continue
                weight = self._weight(maker, found)
                most = 2 if call.template in JOINING else 1
                if weight + (not call.light) > 1 or heavy + weight > most:
                    continue
                found.add(number)
                room = WIDTH - 16 if heavy + weight < 2 else WIDTH - 40
                if self._length(call, found) > room:
                    found.discard(number)
                else:
                    heavy += weight
        return found

    def _weight(self, call: Call, inlined: set[int]) -> int:
        """How many heavy calls an expression holds."""
        inner = [self.makers[n][1] for n in call.inputs if n in inlined]
        stored = call.template == "{layer}"
        return int(not call.light and not stored) + sum(self._weight(c, inlined) for c in inner)

    def _length(self, call: Call, inlined: set[int]) -> int:
        return len(self.text(call, dict.fromkeys(range(10**5), "x"), inlined)[0])

    def text(self, call: Call, variables: Any, inlined: set[int]) -> tuple[str, int]:
        """(expression, how tightly it binds)."""
        parts = []
        for number in call.inputs:
            if number in inlined:
                inner, binds = self.text(self.makers[number][1], variables, inlined)
            else:
                inner, binds = variables[number], ATOM
            parts.append((inner, binds))
        place = self._place(call)
        texts = [_operand(call, i, inner, binds) for i, (inner, binds) in enumerate(parts)]
        layer = f"self.{self.names[place]}" if place in self.names else ""
        return _filled(call.template, texts, layer), call.binds

    def _place(self, call: Call) -> int:
        return self.makers[call.outputs[0]][0]

    # -- statements --------------------------------------------------------------------------------

    def lines(self) -> list[str]:
        statements = [c for c in self.body.calls if c.outputs[0] not in self.inlined]
        ends = self._ends(statements)
        variables = {n: self.body.names[n] for n in self.body.inputs}
        lines: list[str] = []
        for k, call in enumerate(statements):
            leaves = self._leaves(call)
            dying = [n for n in leaves if ends.get(n, -1) <= k and n in variables]
            last = k == len(statements) - 1 and call.outputs == self.body.outputs
            if call.template == LOOP:
                lines += self._loop(call, variables, dying)
                continue
            text, _ = self.text(call, variables, self.inlined)
            if last:
                whole = text if len(call.outputs) == 1 else f"tuple({text})"
                return [*lines, f"return {whole}"]
            names = self._targets(call, variables, dying, ends, k)
            lines.append(f"{', '.join(names)} = {text}")
        given = ", ".join(variables[n] for n in self.body.outputs)
        return [*lines, f"return {given}"]

    def _loop(self, call: Call, variables: dict[int, str], dying: list[int]) -> list[str]:
        source = variables[call.inputs[0]]
        name = source if dying else next(p for p in POOL if p not in variables.values())
        for n in dying:
            variables.pop(n)
        variables[call.outputs[0]] = name
        many = self.names[self._place(call)]
        one = many.rstrip("0123456789_").removesuffix("s")
        first = [] if name == source else [f"{name} = {source}"]
        return [*first, f"for {one} in self.{many}:", f"    {name} = {one}({name})"]

    def _leaves(self, call: Call) -> list[int]:
        found = []
        for number in call.inputs:
            if number in self.inlined:
                found += self._leaves(self.makers[number][1])
            else:
                found.append(number)
        return found

    def _ends(self, statements: Sequence[Call]) -> dict[int, int]:
        """{value: the last statement that reads it}."""
        found = {n: k for k, call in enumerate(statements) for n in self._leaves(call)}
        return found | dict.fromkeys(self.body.outputs, len(statements))

    def _targets(self, call: Call, variables: dict[int, str], dying: list[int],
                 ends: dict[int, int], k: int) -> list[str]:  # fmt: skip
        """Names for what a statement gives: that of a value that ends here, else a free one."""
        free = [variables[n] for n in dying]
        for n in dying:
            variables.pop(n, None)
        names = []
        for number in call.outputs:
            if ends.get(number, -1) <= k:
                names.append("_")
                continue
            taken = set(variables.values()) | set(names)
            options = [n for n in free if n in POOL and n not in taken] or [
                p for p in POOL if p not in taken
            ] or [f"x{i}" for i in range(2, 10**4) if f"x{i}" not in taken]  # fmt: skip
            names.append(options[0])
            variables[number] = options[0]
        return names


def _operand(call: Call, i: int, inner: str, binds: int) -> str:
    """In brackets where it binds less than what stands around it."""
    hole = f"{{{i}}}"
    at = call.template.find(hole)
    before, after = call.template[:at], call.template[at + len(hole) :]
    dotted = after.startswith((".", "[", " **")) or before.endswith(("-", "~", "** "))
    need = ATOM if dotted else call.binds if call.binds < ATOM else 0
    right = bool(before) and call.binds < ATOM and not before.endswith("(")
    loose = binds < need or (right and binds == need and (" - " in before or " / " in before))
    return f"({inner})" if loose else inner


def _filled(template: str, texts: list[str], layer: str) -> str:
    found = template.replace("{layer}", layer)
    parts = [f"{{{i}}}" for i in range(len(texts))]
    pieces, rest = [], found
    while rest:
        at = min(((rest.find(p), i) for i, p in enumerate(parts) if p in rest), default=None)
        if at is None:
            break
        pieces += [rest[: at[0]], texts[at[1]]]
        rest = rest[at[0] + len(parts[at[1]]) :]
    return "".join(pieces) + rest
