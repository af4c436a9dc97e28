"""Matrix product on OpenCL: register tiles on a CPU device, local-memory tiles on a GPU. See
kernels_cl/matmul.cl."""

from __future__ import annotations

from math import prod

from ...geometry import broadcast_shape
from .array import ClArray, merge_axes, row_tile
from .arrays import Arrays

ADD_TO_C, RELU = 1, 2
#: Arguments `batch, steps` of _gemm for plain matrices.
NO_BATCH = ((1, 1), ((0, 0), (0, 0)))
#: Columns of c per work-group side of gemm_tiled.
SIDE, ITEMS = 64, 16
#: b is rearranged into panels when its rows no longer stay in the second-level cache ...
PANEL_BYTES = 1 << 20
#: ... and K is then walked in pieces of this length.
K_PIECE = 512
#: The longest piece otherwise: one running sum takes in no more numbers (LONGEST in prelude.cl).
LONGEST_PIECE = 2048


class Matmul(Arrays):
    def matmul(
        self, a: ClArray, b: ClArray, bias: ClArray | None = None, relu: bool = False
    ) -> ClArray:
        self._require_float("matmul", a)
        if bias is not None:
            bias = self._contiguous(bias)
        if a.ndim == b.ndim == 2:
            y = self.empty((a.shape[0], b.shape[1]), a.dtype)
            self._gemm(a, b, y, bias, RELU if relu else 0, *NO_BATCH)
            return y
        return self._batched_matmul(a, b, bias, RELU if relu else 0)

    def _batched_matmul(self, a: ClArray, b: ClArray, bias: ClArray | None, flags: int) -> ClArray:
        batch = broadcast_shape("matmul", a.shape[:-2], b.shape[:-2])
        M, N = a.shape[-2], b.shape[-1]
        y = self.empty(batch + (M, N), a.dtype)
        if y.size == 0:
            return y
        folded = self._fold_batch(a, b)
        if folded is not None:
            self._gemm(folded, _last_two(b), y, bias, flags, *NO_BATCH)
            return y
        a_steps, b_steps = _batch_steps(a, batch), _batch_steps(b, batch)
        sizes, steps = merge_axes(batch, a_steps, b_steps)
        if len(sizes) > 2:  # the kernels count two batch axes: copy both to one
            a, b = self._spread_batch(a, batch), self._spread_batch(b, batch)
            sizes, steps = merge_axes(batch, a.strides[:-2], b.strides[:-2])
        missing = 2 - len(sizes)
        outer_inner = (1,) * missing + sizes
        pairs = tuple((0,) * missing + s for s in steps)
        self._gemm(_last_two(a), _last_two(b), y, bias, flags, outer_inner, pairs)
        return y

    def _fold_batch(self, a: ClArray, b: ClArray) -> ClArray | None:
        """a's batch axes as further rows, [batch*M x K], when b is one matrix and a's rows are
        evenly spaced."""
        if prod(b.shape[:-2]) != 1 or b.ndim > a.ndim:
            return None
        sizes, (steps,) = merge_axes(a.shape[:-1], a.strides[:-1])
        if len(sizes) > 1:
            return None
        rows = prod(a.shape[:-1])
        strides = (steps[0] if steps else 0, a.strides[-1])
        return ClArray(a.buffer, a.offset, (rows, a.shape[-1]), strides, a.dtype)

    def _spread_batch(self, x: ClArray, batch: tuple[int, ...]) -> ClArray:
        shape = batch + x.shape[-2:]
        strides = _batch_steps(x, batch) + x.strides[-2:]
        return self._contiguous(ClArray(x.buffer, x.offset, shape, strides, x.dtype))

    def _gemm(
        self,
        a: ClArray,
        b: ClArray,
        c: ClArray,
        bias: ClArray | None,
        flags: int,
        batch: tuple[int, ...],
        steps: tuple[tuple[int, ...], ...],
    ) -> None:
        """c (contiguous) = relu?(a @ b + bias) for every batch index; [M x K] @ [K x N]."""
        (M, K), N = a.shape, b.shape[1]
        if M == 0 or N == 0:
            return
        if self.runtime.is_gpu:
            self._gemm_tiled(a, b, c, bias, flags, batch, steps)
        elif N == 1 and batch == (1, 1) and _is_run(a, 1) and _is_run(b, 0) and flags in (0, RELU):
            kernel = self.runtime.kernel("matmul", a.dtype, "multiply_vector")
            self.runtime.light(kernel, M, a, b, bias, c.buffer, M, K, a.strides[0], flags)
        else:
            self._gemm_registers(a, b, c, bias, flags, batch, steps)

    def _gemm_tiled(
        self,
        a: ClArray,
        b: ClArray,
        c: ClArray,
        bias: ClArray | None,
        flags: int,
        batch: tuple[int, ...],
        steps: tuple[tuple[int, ...], ...],
    ) -> None:
        (M, K), N = a.shape, b.shape[1]
        kernel = self.runtime.kernel("matmul", a.dtype, "gemm_tiled")
        layout = (*a.strides, *b.strides, batch[1], *steps[0], *steps[1])
        groups = (-(-N // SIDE), -(-M // SIDE), prod(batch))
        self.runtime.groups(
            kernel, groups, (ITEMS, ITEMS, 1), a, b, bias, c, M, N, K, *layout, flags
        )

    def _gemm_registers(
        self,
        a: ClArray,
        b: ClArray,
        c: ClArray,
        bias: ClArray | None,
        flags: int,
        batch: tuple[int, ...],
        steps: tuple[tuple[int, ...], ...],
    ) -> None:
        (M, K), N = a.shape, b.shape[1]
        MR, NV, width = self._tile(M, N, a)
        tiles, panels = -(-M // MR), -(-N // width)
        (a_row, a_step), a_panel, a_steps = a.strides, 0, steps[0]
        if self._rows_evict_each_other(a, N):
            columns = ClArray(a.buffer, a.offset, (K, M), a.strides[::-1], a.dtype)
            a = self._panels(columns, MR, batch, a_steps)
            a_row, a_step, a_panel = 1, MR, K * MR
            a_steps = (tiles * a_panel * batch[1], tiles * a_panel)
        b_row, b_panel, b_steps = b.strides[0], width, steps[1]
        if not _is_run(b, 1) or (K * N * b.dtype.itemsize > PANEL_BYTES and M >= 4 * MR):
            b = self._panels(b, width, batch, b_steps)
            b_row, b_panel = width, K * width
            b_steps = (panels * b_panel * batch[1], panels * b_panel)
        layout = (a_row, a_step, a_panel, b_row, b_panel, batch[1], *a_steps, *b_steps)
        kernel = self.runtime.kernel("matmul", a.dtype, f"gemm_{MR}x{NV}")
        piece = K_PIECE if M >= 4 * MR else LONGEST_PIECE
        piece = piece if 1.5 * piece < K else max(K, 1)
        for k in range(0, max(K, 1), piece):
            last = k + piece >= K
            now = (flags if last else 0) | (ADD_TO_C if k else flags & ADD_TO_C)
            a_piece, b_piece = (_at(a, k * a_step), _at(b, k * b_row)) if k else (a, b)
            arrays = (a_piece, b_piece, bias if last else None, c)
            sizes = (M, N, min(piece, K - k))
            size = (tiles, panels, prod(batch))
            self.runtime.heavy(kernel, *size, *arrays, *sizes, *layout, now)

    def _rows_evict_each_other(self, a: ClArray, columns: int) -> bool:
        """True if packing a pays: transposed or with long rows, large, and used by many columns."""
        M, K = a.shape
        size = M * K * a.dtype.itemsize
        if a.strides[1] != 1:
            return columns >= 128 and size >= PANEL_BYTES // 4
        return columns >= K_PIECE and K >= K_PIECE and size > PANEL_BYTES

    def _tile(self, rows: int, columns: int, x: ClArray) -> tuple[int, int, int]:
        """(rows, vectors, columns) of a register tile: 16 or 32 vector registers hold it and its
        operands."""
        width = self.runtime.vector_width(x.dtype)
        NV = 1 if columns <= width else 2
        limit = 10 if self.runtime.vector_bytes == 64 else 12 // NV - 2 * (2 - NV)
        return row_tile(rows, min(limit, 10)), NV, NV * width

    def _panels(
        self, b: ClArray, width: int, batch: tuple[int, ...], steps: tuple[int, ...]
    ) -> ClArray:
        """b (K, N) cut into panels of `width` columns: (batch, panel, K, width), zeros beyond N."""
        K, N = b.shape
        y = self.empty((prod(batch), -(-N // width), K, width), b.dtype)
        self.runtime.counters.packs += 1
        kernel = self.runtime.kernel("matmul", b.dtype, "pack_panels")
        self.runtime.heavy(
            *(kernel, K, y.shape[1], y.shape[0]),
            *(b, y.buffer, K, N, width, *b.strides, batch[1], *steps),
        )
        return y


def _at(x: ClArray, start: int) -> ClArray:
    """x from element `start` on; the kernel knows the shape."""
    return ClArray(x.buffer, x.offset + start, x.shape, x.strides, x.dtype)


def _last_two(x: ClArray) -> ClArray:
    """The matrix of the first batch index."""
    return ClArray(x.buffer, x.offset, x.shape[-2:], x.strides[-2:], x.dtype)


def _is_run(x: ClArray, axis: int) -> bool:
    """True if x's elements are neighbours along `axis`."""
    return x.shape[axis] <= 1 or x.strides[axis] == 1


def _batch_steps(x: ClArray, batch: tuple[int, ...]) -> tuple[int, ...]:
    """Strides of x's batch axes as seen from the broadcast batch shape."""
    lead = len(batch) - (x.ndim - 2)
    steps = (
        0 if n == 1 and m != 1 else s
        for n, m, s in zip(x.shape[:-2], batch[lead:], x.strides[:-2], strict=True)
    )
    return (0,) * lead + tuple(steps)
