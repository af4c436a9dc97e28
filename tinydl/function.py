"""One graph node, one backward walk: the whole of reverse-mode differentiation (its switch is
recording.py).

`Function.apply` and `Function._record` exist twice, with the same steps and errors: here to be
read, in csrc/_function.pyx to be fast. Once that module is built, its two take the place of these
while `tinydl` is imported (the last lines of tensor.py; engine.py chooses), so they are what
normally runs; TINYDL_ENGINE=python leaves these here in force. A change is made in both
(tests/test_engines_agree.py). The walk below exists once.

An operation is a subclass of Function with `forward` on arrays (backend kernels) and `backward` on
tensors (other operations). Its instance is the graph node. Because `backward` is made of
operations, it can itself be recorded and differentiated again, and a new device needs no calculus.

A node refers to its parents (older nodes, or leaf tensors) and to what its backward named; nothing
refers to younger things, so a graph has no reference cycles and disappears with the last tensor
that needs it.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from heapq import heappop, heappush
from itertools import count, islice
from math import prod
from typing import Any

from . import instruments
from .arguments import flag, is_tensor, out_of_memory
from .arguments import tensor as checked_tensor
from .errors import DeviceError, DTypeError, GraphError, ShapeError
from .geometry import touched_bytes
from .ownership import give_own_arrays
from .quoting import quoted
from .recording import _recording, enable_grad, is_recording, no_grad  # noqa: F401  taken from here

#: The last operation without a derivative that a recorded tensor went into, for the error message.
_stopped_at: ContextVar[str] = ContextVar("tinydl_stopped_at", default="")
_next_age = count(1).__next__


class Function:
    """A recorded operation with one output.

    Subclasses state what their backward needs: `saves` (positions of inputs) and `saves_output`;
    arrays that nobody else holds may be kept as attributes by `forward`. What backward reads and
    somebody else can write to, an option that is no input or an array handed out as a second
    result, is named by `watch`, and backward asks for `saved`. `shares_storage` marks views.
    """

    __slots__ = (
        "_output",
        "_saved",
        "age",
        "backend",
        "dtype",
        "freed",
        "hooks",
        "needed",
        "parents",
        "shape",
        "tracked",
    )
    saves: tuple[int, ...] = ()
    saves_output = False
    shares_storage = False
    watched: tuple[tuple[Any, int], ...] = ()
    differentiable = True
    flops_per_output = 1  # see `flops`; 0 for an operation that only moves elements

    backend: Any
    # Those below are set as the operation is recorded.
    age: int
    parents: Sequence[Any]  # one per input: a node, a leaf tensor, or None
    tracked: Sequence[bool]  # whether an input required a gradient
    needed: Sequence[bool]  # set for each backward: whether somebody waits for an input's gradient
    shape: tuple[int, ...]
    dtype: Any
    hooks: dict | None
    freed: bool
    _saved: Sequence[tuple[Any, int]]
    _output: Any

    def __init_subclass__(cls) -> None:
        hidden = sorted(set(Function.__slots__) & set(vars(cls)))
        if hidden:
            raise GraphError(f"{cls.__name__}: {hidden[0]!r} belongs to the graph; another name")

    def forward(self, *arrays: Any) -> Any:
        """Array from arrays, by kernels of `self.backend`."""
        raise NotImplementedError(f"{self.name} has no forward")

    def backward(self, grad: Any) -> Any:
        """Gradients of the inputs (tensors or None, one per input) from the output's gradient
        `grad`."""
        raise NotImplementedError(f"{self.name} has no backward")

    def flops(self, arrays: Sequence[Any], y: Any) -> int:
        """Arithmetic operations of one forward, a multiply-add counting two and any function of a
        number (exp, tanh, comparison) one: `flops_per_output` of them per element of the result,
        unless the operation knows better (then by `geometry.py`)."""
        return 0 if self.shares_storage else self.flops_per_output * prod(y.shape)

    def traffic(self, arrays: Sequence[Any], y: Any) -> int:
        """Bytes that one forward must read and write: each array once, views none."""
        return 0 if self.shares_storage else sum(map(touched_bytes, (*arrays, y)))

    def backward_flops(self) -> int | None:
        """Operations of a backward which calls a kernel of its own; None where it is made of
        operations, which count themselves."""
        return None

    @property
    def name(self) -> str:
        return type(self).__name__

    def apply(self, *inputs: Any) -> Any:
        """Run the operation on tensors and, if anything needs a gradient, record it.

        Normally replaced by its compiled twin, `apply` in csrc/_function.pyx.
        """
        arrays = []
        needs_grad = False
        try:
            backend = self.backend = inputs[0].backend
            for t in inputs:
                if t.backend is not backend:
                    raise DeviceError(
                        f"{self.name}: tensors live on {backend.name!r} and {t.backend.name!r}; "
                        "move one with .to(backend)"
                    )
                arrays.append(t.data)
                needs_grad = needs_grad or t._requires_grad
        except AttributeError:
            kinds = ", ".join(type(t).__name__ for t in inputs)
            raise DTypeError(f"{self.name}: expects tensors, got {kinds}") from None
        try:
            if instruments.active:
                array = instruments.forward(self, inputs, arrays)
            else:
                array = self.forward(*arrays)
        except MemoryError as error:
            raise out_of_memory(self.name, error) from None
        output = inputs[0]._new(array, backend)
        if self.shares_storage:
            output._version = inputs[0]._version
        if needs_grad and _recording.get()[0]:
            if self.differentiable:
                self._record(inputs, output)
            else:
                _stopped_at.set(self.name)
        return output

    def _record(self, inputs: tuple[Any, ...], output: Any) -> None:
        """Become the node of `output`. Its compiled twin is `record` in csrc/_function.pyx."""
        if hasattr(self, "age"):
            raise GraphError(
                f"{self.name}: this instance is a node of a graph already; make a new one for each "
                f"call, as in {self.name}().apply(x)"
            )
        self.parents = parents = []
        self.tracked = tracked = []
        for t in inputs:
            tracked.append(t._requires_grad)
            parents.append(None if not t._requires_grad else t if t.node is None else t.node)
        self.age = _next_age()
        self.shape, self.dtype = output.data.shape, output.data.dtype
        self._saved = [(inputs[i], inputs[i]._version[0]) for i in self.saves]
        self._output = None
        if self.saves_output:
            self._output = (output.data, output._version, output._version[0])
        self.hooks, self.freed = None, False
        output.node = self
        output._requires_grad = True

    def watch(self, *tensors: Any) -> None:
        """Let `saved` raise once one of these tensors was changed in place."""
        pairs = [(t, t._version[0]) for t in tensors]
        vars(self)["watched"] = (*self.watched, *pairs)  # no slot: few operations have any

    @property
    def saved(self) -> tuple[Any, ...]:
        """The inputs named by `saves`; GraphError if one, or what is watched, was changed in place
        since."""
        pairs = [*self._saved, *self.watched] if self.watched else self._saved
        for tensor, version in pairs:
            if tensor._version[0] != version:
                kind = "a tensor" if self.watched else "an input"
                raise GraphError(
                    f"{self.name}: {kind} of shape {tensor.shape} was changed in place after "
                    "the operation "
                    f"used it (version {tensor._version[0]}, recorded {version}); its gradient "
                    "would be wrong"
                )
        return tuple([pair[0] for pair in self._saved])

    def output(self, like: Any) -> Any:
        """The operation's own result as a tensor of this node (`like`: any tensor, gives the
        type)."""
        array, version, recorded = self._output
        if version[0] != recorded:
            raise GraphError(
                f"{self.name}: its result of shape {array.shape} was changed in place after the "
                "operation "
                f"(version {version[0]}, recorded {recorded}); its gradient would be wrong"
            )
        tensor = like._new(array, self.backend)
        tensor.node, tensor._requires_grad, tensor._version = self, True, version
        return tensor

    def release(self) -> None:
        """Forget parents and saved tensors: the memory of the graph goes as the walk passes."""
        self.freed = True
        self.parents = self._saved = ()
        if self.watched:
            vars(self)["watched"] = ()
        self._output = None

    def __repr__(self) -> str:
        return f"<{self.name} node>"


class Identity(Function):
    """y = x, a new place in the graph."""

    shares_storage = True

    def forward(self, x):
        return x

    def backward(self, grad):
        return grad


def backpropagate(
    seeds: Sequence[tuple[Any, Any]],
    targets: Sequence[Any] | None = None,
    create_graph: bool = False,
    retain_graph: bool = False,
) -> dict[Any, Any]:
    """Walk from (tensor, gradient) seeds to the leaves: gradients by leaf tensor or target node.

    A node is always younger than its parents, so youngest-first is a topological order: when a
    node is taken, every gradient that reaches it has arrived. (Following links depth first would
    be wrong: with b = a + a; c = b + b the node of b would be passed twice, each time with half of
    its gradient.)
    """
    wanted = {t if t.node is None else t.node for t in targets or ()}
    useful = None if targets is None else _leading_to(wanted, seeds)
    grads: dict[Any, Any] = {}
    found: dict[Any, Any] = {}
    queue: list[tuple[int, Function]] = []

    token = _recording.set((create_graph, _recording.get()))
    instruments.walks += 1
    try:
        for tensor, grad in seeds:
            _receive(tensor if tensor.node is None else tensor.node, grad, grads, queue)
        while queue:
            node = heappop(queue)[1]
            grad = grads.pop(node)
            if node.hooks:
                grad = _call_hooks(node.hooks, grad)
            if node in wanted:
                found[node] = grad
            parents = node.parents
            if useful is None:
                node.needed = node.tracked
            elif node in useful:
                node.needed = [p in useful or p in wanted for p in parents]
            else:
                continue
            results = _run_backward(node, grad)
            for parent, needed, result in zip(parents, node.needed, results, strict=True):
                if needed and result is not None:
                    array = result.data
                    if array.shape != parent.shape or array.dtype != parent.dtype:
                        raise _mismatch(node, parent, result)
                    _receive(parent, result, grads, queue)
            if not retain_graph:
                node.release()
        for leaf, grad in grads.items():
            found[leaf] = _call_hooks(leaf._hooks, grad)
    finally:
        instruments.walks -= 1
        _recording.reset(token)
    return found


def _receive(place: Any, grad: Any, grads: dict[Any, Any], queue: list) -> None:
    """Add a gradient to what has arrived at a node or leaf; the first one puts a node in line."""
    if place in grads:
        earlier = grads[place]
        if _recording.get()[0] or instruments.active:
            grads[place] = earlier + grad
        else:  # the same sum by the kernel itself: nobody watches, nothing is recorded
            backend = earlier.backend
            grads[place] = earlier._new(backend.add(earlier.data, grad.data), backend)
        return
    grads[place] = grad
    if isinstance(place, Function):
        heappush(queue, (-place.age, place))


def _run_backward(node: Function, grad: Any) -> tuple[Any, ...]:
    """One backward; as many results as the node has inputs."""
    if node.freed:
        raise _freed_error(node)
    if instruments.active:
        results = instruments.backward(node, grad)
    else:
        results = node.backward(grad)
    if type(results) is not tuple:
        results = (results,)
    if len(results) != len(node.parents):
        raise GraphError(
            f"{node.name}.backward returned {len(results)} gradients for {len(node.parents)} inputs"
        )
    if instruments.active:
        for result in results:
            if result is not None:
                instruments.check_gradient(node, result)
    return results


def _mismatch(node: Function, parent: Any, result: Any) -> Exception:
    if result.data.shape != parent.shape:
        return ShapeError(
            f"{node.name}.backward: gradient {result.data.shape} for an input of shape "
            f"{parent.shape}"
        )
    return DTypeError(
        f"{node.name}.backward: {result.data.dtype} gradient for a {parent.dtype} input"
    )


def _freed_error(node: Function) -> GraphError:
    return GraphError(
        f"backward through {node.name}, whose graph was freed by an earlier backward; "
        "pass retain_graph=True there to walk it twice"
    )


def _leading_to(wanted: set, seeds: Sequence[tuple[Any, Any]]) -> set:
    """The nodes below `seeds` from which a wanted place can be reached."""
    nodes: set[Function] = set()
    stack = [tensor.node for tensor, _ in seeds if tensor.node is not None]
    while stack:
        node = stack.pop()
        if node.freed:
            raise _freed_error(node)
        if node not in nodes:
            nodes.add(node)
            stack.extend([p for p in node.parents if isinstance(p, Function)])
    useful: set[Function] = set()
    for node in sorted(nodes, key=lambda n: n.age):
        if any(p in wanted or p in useful for p in node.parents if p is not None):
            useful.add(node)
    return useful


def _call_hooks(hooks: dict | None, grad: Any) -> Any:
    for hook in list(hooks.values()) if hooks else ():  # a hook may remove itself, or add others
        replaced = hook(grad)
        if replaced is not None:
            if replaced.shape != grad.shape or replaced.dtype != grad.dtype:
                raise ShapeError(
                    f"hook: returned {replaced.dtype} {replaced.shape} for a gradient "
                    f"{grad.dtype} {grad.shape}"
                )
            grad = replaced
    return grad


def _seeds(op: str, outputs: Sequence[Any], grads: Sequence[Any] | None) -> list[tuple[Any, Any]]:
    """Pair each output with its incoming gradient: given, or 1 for a single number."""
    given = [None] * len(outputs) if grads is None else list(grads)
    if len(given) != len(outputs):
        raise ShapeError(f"{op}: {len(given)} gradients for {len(outputs)} outputs")
    seeds = []
    for output, grad in zip(outputs, given, strict=True):
        if not output.requires_grad:
            raise _unrecorded(op, output)
        if grad is None:
            if output.data.size != 1:
                raise ShapeError(
                    f"{op}: a result of shape {output.shape} needs an incoming gradient; only a "
                    "single number has "
                    "the implied gradient 1"
                )
            ones = output.backend.full(output.shape, 1, output.dtype)
            grad = output._new(ones, output.backend)
        if grad.shape != output.shape or grad.dtype != output.dtype:
            raise ShapeError(
                f"{op}: gradient {grad.dtype} {grad.shape} for an output {output.dtype} "
                f"{output.shape}"
            )
        seeds.append((output, grad))
    return seeds


def _unrecorded(op: str, output: Any) -> GraphError:
    """Unrecorded tensors remember no past, so the operation that may be to blame is the last one
    without a derivative."""
    text = (
        f"{op}: the tensor of shape {output.shape} was not recorded (no input requires a gradient"
    )
    if not (stopped_at := _stopped_at.get()):
        return GraphError(f"{text}, or it was made inside no_grad)")
    return GraphError(
        f"{text}, it was made inside no_grad, or an operation without a derivative lies between: "
        f"the last that met a recorded tensor was {stopped_at}, whose result is piecewise constant)"
    )


def backward(
    tensor: Any, grad: Any = None, retain_graph: bool = False, create_graph: bool = False
) -> None:
    """Add d tensor / d leaf (times `grad`) to `.grad` of every leaf that requires it."""
    seeds = _seeds("backward", [tensor], [grad])
    found = backpropagate(seeds, None, create_graph, retain_graph or create_graph)
    give_own_arrays(found, create_graph)
    for leaf, g in found.items():
        if leaf.grad is not None:
            with enable_grad() if create_graph else no_grad():
                g = leaf.grad + g
        leaf.grad = g
    if create_graph and any(g.node is not None for g in found.values()):
        warnings.warn(
            "backward(create_graph=True): .grad of a leaf now holds its graph, and the graph holds "
            "the leaf; such a cycle stays until Python's garbage collector comes. Use "
            "tinydl.grad(..., create_graph=True), or set .grad = None when done",
            stacklevel=3,
        )


def _tensors(name: str, given: Any, optional: bool = False) -> list[Any]:
    """A tensor or some of them as a list; DTypeError for anything else."""
    if is_tensor(given):
        return [given]
    if hasattr(given, "dtype"):  # an array: its numbers are no tensors
        raise DTypeError(f"grad: {name} must be tensors, got {quoted(given)}")
    try:
        found = list(islice(given, 1 << 20))
    except TypeError:
        raise DTypeError(f"grad: {name} must be tensors, got {quoted(given)}") from None
    return [t if optional and t is None else checked_tensor("grad", name, t) for t in found]


def grad(
    outputs: Any,
    inputs: Any,
    grad_outputs: Any = None,
    create_graph: bool = False,
    retain_graph: bool | None = None,
    allow_unused: bool = False,
) -> tuple[Any, ...]:
    """Gradients of sum_i <outputs_i, grad_outputs_i> with respect to `inputs`; no `.grad` is
    touched.

    `outputs`, `inputs`, `grad_outputs`: a tensor or a sequence of tensors. With `create_graph` the
    result can be differentiated again. An input that no output depends on raises GraphError, or
    gives None with `allow_unused`.
    """
    outputs, inputs = _tensors("outputs", outputs), _tensors("inputs", inputs)
    if grad_outputs is not None:
        grad_outputs = _tensors("grad_outputs", grad_outputs, optional=True)
    allow_unused = flag("grad", "allow_unused", allow_unused)
    retain_graph = None if retain_graph is None else flag("grad", "retain_graph", retain_graph)
    create_graph = flag("grad", "create_graph", create_graph)
    seeds = _seeds("grad", outputs, grad_outputs)
    keep = create_graph if retain_graph is None else retain_graph
    found = backpropagate(seeds, inputs, create_graph, keep)
    give_own_arrays(found, create_graph)
    results = tuple([found.get(t if t.node is None else t.node) for t in inputs])
    for position, (tensor, result) in enumerate(zip(inputs, results, strict=True)):
        if result is None and not allow_unused:
            raise GraphError(
                f"grad: no output depends on input {position} of shape {tensor.shape}; pass "
                "allow_unused=True to get None for it"
            )
    return results


def composed_gradients(
    composition: Callable[..., Any], inputs: Sequence[Any], incoming: Any
) -> tuple[Any, ...]:
    """Gradients of a fused operation as recorded operations, for second derivatives.

    Runs `composition` (the plain operations that the fused kernel replaces) on aliases of `inputs`
    with recording on and differentiates it, keeping the graph: the result depends on `inputs` and
    on `incoming`.
    """
    aliases = [Identity().apply(t) for t in inputs]
    with enable_grad():
        output = composition(*aliases)
    wanted = [alias for alias in aliases if alias.requires_grad]
    found = iter(grad(output, wanted, incoming, create_graph=True, allow_unused=True))
    return tuple([next(found) if alias.requires_grad else None for alias in aliases])
