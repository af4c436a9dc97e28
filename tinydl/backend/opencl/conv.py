"""Convolution on OpenCL: direct in registers on a CPU device, im2col and GEMM on a GPU. See
kernels_cl/conv.cl."""

from __future__ import annotations

from ...geometry import Conv2dGeometry
from .array import ClArray, row_tile
from .matmul import ADD_TO_C, LONGEST_PIECE, NO_BATCH, Matmul

#: Patches are built for as many images at a time as fit into this many bytes.
COLUMN_BYTES = 1 << 28
#: Images and gradients that one chunk of a weight gradient reads: about a second-level cache.
CHUNK_BYTES = 1 << 20
MAX_CHUNKS = 32
#: Weights with more output channels than this come in panels, like b in a GEMM.
WIDE_WEIGHT = 64
#: Pixels of a row that a depthwise kernel has in registers at most.
DEPTHWISE_ROW = 7
#: Windows of more values than this go through im2col: the direct kernel has one running sum.
LONGEST_WINDOW = 8192


def _sizes(g: Conv2dGeometry, images: int | None = None) -> tuple[int, ...]:
    """The kernel arguments SIZES of conv.cl."""
    return (
        *(g.N if images is None else images, g.H, g.W, g.C, g.KH, g.KW, g.F, g.OH, g.OW),
        *(*g.stride, g.padding[0], g.padding[2], *g.dilation, g.groups),
    )


def _images(x: ClArray, first: int, count: int) -> ClArray:
    """Images first ... first + count - 1 of a contiguous x."""
    per_image = x.strides[0]
    shape = (count,) + x.shape[1:]
    return ClArray(x.buffer, x.offset + first * per_image, shape, x.strides, x.dtype)


def _is_depthwise(g: Conv2dGeometry) -> bool:
    return g.groups == g.C == g.F


class Conv(Matmul):
    # -- patches --------------------------------------------------------------------------------

    def im2col(self, x: ClArray, g: Conv2dGeometry) -> ClArray:
        return self._im2col(self._contiguous(x), g, g.N)

    def _im2col(self, x: ClArray, g: Conv2dGeometry, images: int) -> ClArray:
        patches = images * g.OH * g.OW
        columns = self.empty((patches, g.KH * g.KW * g.C), x.dtype)
        span, spans = self._spans(g.C)
        kernel = self.runtime.kernel("conv", x.dtype, "im2col")
        sizes = (*_sizes(g, images), span)
        self.runtime.heavy(kernel, spans, g.KH * g.KW, patches, x, columns.buffer, *sizes)
        return columns

    def col2im(self, columns: ClArray, g: Conv2dGeometry) -> ClArray:
        y = self.empty(g.x_shape, columns.dtype)
        arrays = (self._contiguous(columns), None, y.buffer)
        self._pixels("col2im", g.C, g.N * g.H * g.W, *arrays, _sizes(g))
        return y

    def _pixels(self, name: str, channels: int, pixels: int, *arguments) -> None:
        """Launch one work-item per (run of channels, pixel or row); the last argument: sizes."""
        *arrays, sizes = arguments
        span, spans = self._spans(channels)
        dtype = next(x.dtype for x in arrays if isinstance(x, ClArray))
        kernel = self.runtime.kernel("conv", dtype, name)
        self.runtime.heavy(kernel, spans, pixels, 1, *arrays, *sizes, span)

    # -- forward --------------------------------------------------------------------------------

    def conv2d(
        self, x: ClArray, weight: ClArray, bias: ClArray | None, g: Conv2dGeometry
    ) -> ClArray:
        self._require_float("conv2d", x)
        x, weight = self._contiguous(x), self._contiguous(weight)
        bias = None if bias is None else self._contiguous(bias)
        y = self.empty(g.y_shape, x.dtype)
        if y.size == 0:
            return y
        if _is_depthwise(g):
            name = f"depthwise_conv2d_{self._depthwise_tile(g, g.OW)}"
            self._pixels(name, g.F, g.N * g.OH, x, weight, bias, y.buffer, _sizes(g))
        elif g.groups > 1:
            pixels = g.N * g.OH * g.OW
            self._pixels("grouped_conv2d", g.F, pixels, x, weight, bias, y.buffer, _sizes(g))
        elif g.product:
            # [N*H*W x C] @ [C x F], or [N x H*W*C] @ [H*W*C x F]
            rows = self._flat(x, g.product)
            self._gemm(rows, self._flat(weight, (g.product[1], g.F)), y, bias, 0, *NO_BATCH)
        elif self.runtime.is_gpu or g.KH * g.KW * g.C > LONGEST_WINDOW:
            self._conv2d_by_columns(x, weight, bias, y, g)
        else:
            self._conv2d_direct(x, weight, bias, y, g)
        return y

    def _depthwise_tile(self, g: Conv2dGeometry, pixels: int) -> int:
        """Pixels of a row that a depthwise kernel makes at once: of those that see no padding."""
        edges = -(-(g.KW - 1) * g.dilation[1] // g.stride[1])
        return row_tile(max(pixels - edges, 1), DEPTHWISE_ROW)

    def _images_at_once(self, g: Conv2dGeometry, itemsize: int) -> int:
        per_image = g.OH * g.OW * g.KH * g.KW * g.C * itemsize
        limit = min(COLUMN_BYTES, self.runtime.max_bytes // 2)
        return max(1, min(g.N, limit // max(per_image, 1)))

    def _conv2d_by_columns(
        self, x: ClArray, weight: ClArray, bias: ClArray | None, y: ClArray, g: Conv2dGeometry
    ) -> None:
        """[images*OH*OW x KH*KW*C] @ [KH*KW*C x F], as many images at a time as memory allows."""
        w = self._flat(weight, (g.KH * g.KW * g.C, g.F))
        step = self._images_at_once(g, x.dtype.itemsize)
        for n in range(0, g.N, step):
            count = min(step, g.N - n)
            columns = self._im2col(_images(x, n, count), g, count)
            self._gemm(columns, w, _images(y, n, count), bias, 0, *NO_BATCH)

    def _padded(self, x: ClArray, padding: tuple[int, int, int, int]) -> ClArray:
        """x (N, H, W, C) with zeros around every image; x itself if there are none."""
        if not any(padding):
            return x
        N, H, W, C = x.shape
        top, bottom, left, right = padding
        HP, WP = H + top + bottom, W + left + right
        y = self.empty((N, HP, WP, C), x.dtype)
        kernel = self.runtime.kernel("conv", x.dtype, "pad_images")
        self.runtime.light(kernel, N * HP, x, y.buffer, N, H, W, C, HP, WP, top, left)
        return y

    def _steps(self, x: ClArray, g: Conv2dGeometry) -> tuple[int, ...]:
        """runs, length, image_step, row_step, pixel_step, kh_step, run_step of the padded x (see
        conv.cl)."""
        _, HP, WP, C = x.shape
        (sh, sw), (dh, dw) = g.stride, g.dilation
        runs = (1, g.KW * C) if dw == 1 else (g.KW, C)
        return (*runs, HP * WP * C, sh * WP * C, sw * C, dh * WP * C, dw * C)

    def _conv2d_direct(
        self, x: ClArray, weight: ClArray, bias: ClArray | None, y: ClArray, g: Conv2dGeometry
    ) -> None:
        x = self._padded(x, g.padding)
        MR, NV, width = self._tile(g.OW, g.F, x)
        w_row, w_panel = g.F, width
        if g.F > WIDE_WEIGHT:
            rows = g.KH * g.KW * g.C
            weight = self._panels(self._flat(weight, (rows, g.F)), width, (1, 1), (0, 0))
            w_row, w_panel = width, rows * width
        kernel = self.runtime.kernel("conv", x.dtype, f"conv2d_{MR}x{NV}")
        sizes = (g.OH, g.OW, g.F, g.KH, *self._steps(x, g), w_row, w_panel)
        self.runtime.heavy(
            *(kernel, -(-g.OW // MR), -(-g.F // width), g.N * g.OH),
            *(x, weight, bias, y.buffer, *sizes),
        )

    # -- gradient of the input ------------------------------------------------------------------

    def conv2d_input_grad(self, grad: ClArray, weight: ClArray, g: Conv2dGeometry) -> ClArray:
        grad, weight = self._contiguous(grad), self._contiguous(weight)
        y = self.empty(g.x_shape, grad.dtype)
        if y.size == 0:
            return y
        if grad.size == 0:
            self._fill(y, 0)
        elif _is_depthwise(g):
            name = f"depthwise_input_grad_{self._depthwise_tile(g, -(-g.W // g.stride[1]))}"
            self._pixels(name, g.C, g.N * g.H, grad, weight, y.buffer, _sizes(g))
        elif g.groups > 1:
            pixels = g.N * g.H * g.W
            self._pixels("grouped_input_grad", g.C, pixels, grad, weight, y.buffer, _sizes(g))
        elif g.product:
            # [N*H*W x F] @ [F x C], or [N x F] @ [F x H*W*C]
            rows = self._flat(grad, (g.product[0], g.F))
            self._gemm(rows, self._transposed(weight, g), y, None, 0, *NO_BATCH)
        elif (
            not self.runtime.is_gpu
            and g.KH * g.KW * g.F <= LONGEST_WINDOW
            and (turned := _transposed_geometry(g)) is not None
        ):
            self._conv2d_direct(grad, self._turned(weight, g), None, y, turned)
        else:
            self._input_grad_by_columns(grad, weight, y, g)
        return y

    def _transposed(self, weight: ClArray, g: Conv2dGeometry) -> ClArray:
        """weight as a matrix (F, KH*KW*C): a view."""
        rows = g.KH * g.KW * g.C
        return ClArray(weight.buffer, weight.offset, (g.F, rows), (1, g.F), weight.dtype)

    def _turned(self, weight: ClArray, g: Conv2dGeometry) -> ClArray:
        y = self.empty((g.KH, g.KW, g.F, g.C), weight.dtype)
        kernel = self.runtime.kernel("conv", weight.dtype, "turn_weight")
        cells = g.KH * g.KW
        self.runtime.heavy(kernel, g.F, cells, 1, weight, y.buffer, cells, g.C, g.F)
        return y

    def _input_grad_by_columns(
        self, grad: ClArray, weight: ClArray, y: ClArray, g: Conv2dGeometry
    ) -> None:
        """[images*OH*OW x F] @ [F x KH*KW*C], then every patch entry back to its pixel."""
        w = self._transposed(weight, g)
        step = self._images_at_once(g, grad.dtype.itemsize)
        span, spans = self._spans(g.C)
        kernel = self.runtime.kernel("conv", grad.dtype, "col2im")
        outside = self.empty((w.shape[1],), grad.dtype)
        zeros = self.runtime.kernel("conv", grad.dtype, "times_zero")
        self.runtime.light(zeros, outside.size, weight, outside.buffer, outside.size, g.F)
        for n in range(0, g.N, step):
            count = min(step, g.N - n)
            rows = self._flat(_images(grad, n, count), (count * g.OH * g.OW, g.F))
            columns = self.empty((rows.shape[0], w.shape[1]), grad.dtype)
            self._gemm(rows, w, columns, None, 0, *NO_BATCH)
            part = y if count == g.N else self.empty((count, g.H, g.W, g.C), y.dtype)
            sizes = (*_sizes(g, count), span)
            self.runtime.heavy(
                kernel, spans, count * g.H * g.W, 1, columns, outside, part.buffer, *sizes
            )
            if part is not y:
                self.copy_into(_images(y, n, count), part)

    # -- gradient of the weight -----------------------------------------------------------------

    def conv2d_weight_grad(self, x: ClArray, grad: ClArray, g: Conv2dGeometry) -> ClArray:
        x, grad = self._contiguous(x), self._contiguous(grad)
        y = self.empty(g.weight_shape, x.dtype)
        if y.size == 0:
            return y
        if grad.size == 0:
            self._fill(y, 0)
        elif _is_depthwise(g):
            return self._depthwise_weight_grad(x, grad, g)
        elif g.groups > 1:
            rows = g.KH * g.KW * g.C // g.groups
            self._pixels("grouped_weight_grad", g.F, rows, x, grad, y.buffer, _sizes(g))
        elif self.runtime.is_gpu:
            self._weight_grad_by_columns(x, grad, y, g)
        else:
            return self._weight_grad_direct(x, grad, g)
        return y

    def _weight_grad_by_columns(
        self, x: ClArray, grad: ClArray, y: ClArray, g: Conv2dGeometry
    ) -> None:
        """patches^T [KH*KW*C x N*OH*OW] @ grad [N*OH*OW x F], summed over runs of images."""
        step = self._images_at_once(g, x.dtype.itemsize)
        for n in range(0, g.N, step):
            count = min(step, g.N - n)
            columns = self._im2col(_images(x, n, count), g, count)
            rows, K = columns.shape
            patches = ClArray(columns.buffer, 0, (K, rows), (1, K), x.dtype)
            part = self._flat(_images(grad, n, count), (rows, g.F))
            self._gemm(patches, part, y, None, ADD_TO_C if n else 0, *NO_BATCH)

    def _images_per_chunk(self, g: Conv2dGeometry, itemsize: int) -> int:
        per_image = (g.H * g.W * g.C + g.OH * g.OW * g.F) * itemsize
        return max(1, CHUNK_BYTES // per_image, -(-g.N // MAX_CHUNKS))

    def _weight_grad_direct(self, x: ClArray, grad: ClArray, g: Conv2dGeometry) -> ClArray:
        x = self._padded(x, g.padding)
        runs, length, *steps = self._steps(x, g)
        MR, NV, width = self._tile(length, g.F, x)
        images = self._images_per_chunk(g, x.dtype.itemsize)
        chunks = -(-g.N // images)
        y = self.empty((chunks,) + g.weight_shape, x.dtype)
        kernel = self.runtime.kernel("conv", x.dtype, f"conv2d_weight_grad_{MR}x{NV}")
        sizes = (g.N, g.OH, g.OW, g.F, g.KH, runs, length, *steps, images)
        self.runtime.heavy(
            *(kernel, -(-length // MR), -(-g.F // width), chunks * g.KH * runs),
            *(x, grad, y.buffer, *sizes),
        )
        return self._sum_chunks(y)

    def _depthwise_weight_grad(self, x: ClArray, grad: ClArray, g: Conv2dGeometry) -> ClArray:
        images = self._images_per_chunk(g, x.dtype.itemsize)
        images = max(1, min(images, LONGEST_PIECE // g.OH))  # a running sum per row of outputs
        chunks = -(-g.N // images)
        y = self.empty((chunks,) + g.weight_shape, x.dtype)
        kernel = self.runtime.kernel("conv", x.dtype, "depthwise_weight_grad")
        span, spans = self._spans(g.C)
        cells = g.KH * g.KW
        each = 1 if self.runtime.is_gpu else cells
        sizes = (*_sizes(g), images, each, span)
        self.runtime.heavy(kernel, spans, -(-cells // each), chunks, x, grad, y.buffer, *sizes)
        return self._sum_chunks(y)

    def _sum_chunks(self, y: ClArray) -> ClArray:
        """Sum over axis 0, in index order."""
        if y.shape[0] == 1:
            return self._flat(y, y.shape[1:])
        return self.sum(y, (0,), False)  # type: ignore[attr-defined]


def _transposed_geometry(g: Conv2dGeometry) -> Conv2dGeometry | None:
    """The convolution of dL/dy with the turned weight that gives dL/dx; None if a stride or a wide
    padding forbids it."""
    reach = (g.dilation[0] * (g.KH - 1), g.dilation[1] * (g.KW - 1))
    top, bottom, left, right = g.padding
    pads = (reach[0] - top, reach[0] - bottom, reach[1] - left, reach[1] - right)
    # With stride 1 every input cell is read, so the sizes fit exactly.
    if g.stride != (1, 1) or min(pads) < 0:
        return None
    return Conv2dGeometry(
        *(g.N, g.OH, g.OW, g.F, g.KH, g.KW, g.C, g.H, g.W),
        *(g.stride, pads, g.dilation, 1),
    )
