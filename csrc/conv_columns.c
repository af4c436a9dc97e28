/* im2col and its adjoint: x (N, H, W, C) <-> columns (N*OH*OW, KH*KW*C), a column ordered (kh, kw,
   c).

   No other kernel needs them; they are the readable form of a convolution, and ops of their own.
   Channels are contiguous on both sides, so all inner loops run over C. col2im gathers: each pixel
   adds up the entries that came from it, in the order of kh, kw. Split of work: rows of patches,
   rows of pixels. */

#include "conv.h"

#include "window.h"

#define PARALLEL_ELEMENTS 65536

static void patch_row(const real *x, real *columns, const ConvSizes *g, ptrdiff_t row) {
    const ptrdiff_t n = row / g->OH, oh = row % g->OH, C = g->C;
    real *to = columns + row * g->OW * g->KH * g->KW * C;
    for (ptrdiff_t ow = 0; ow < g->OW; ow++)
        for (ptrdiff_t kh = 0; kh < g->KH; kh++) {
            const ptrdiff_t y = oh * g->stride_y + kh * g->dilation_y - g->top;
            for (ptrdiff_t kw = 0; kw < g->KW; kw++, to += C) {
                const ptrdiff_t px = ow * g->stride_x + kw * g->dilation_x - g->left;
                if (y < 0 || y >= g->H || px < 0 || px >= g->W) {
                    memset(to, 0, C * sizeof(real));
                } else {
                    const real *from = x + ((n * g->H + y) * g->W + px) * C;
                    for (ptrdiff_t c = 0; c < C; c++) to[c] = from[c];
                }
            }
        }
}

static void pixel_row(const real *columns, real *x, const ConvSizes *g, ptrdiff_t row) {
    const ptrdiff_t n = row / g->H, y = row % g->H, C = g->C;
    real *out = x + row * g->W * C;
    memset(out, 0, g->W * C * sizeof(real));
    for (ptrdiff_t kh = 0; kh < g->KH; kh++) {
        const ptrdiff_t up = y + g->top - kh * g->dilation_y;
        if (up < 0 || up % g->stride_y || up / g->stride_y >= g->OH) continue;
        const real *patches = columns + (n * g->OH + up / g->stride_y) * g->OW * g->KH * g->KW * C;
        for (ptrdiff_t kw = 0; kw < g->KW; kw++) {
            const Taps taps = {g->KW, 0, 1, -g->left, g->dilation_x};
            ptrdiff_t from, to;
            outputs_inside(&taps, kw, g->stride_x, g->W, g->OW, &from, &to);
            for (ptrdiff_t ow = from; ow < to; ow++) {
                const real *entry = patches + ((ow * g->KH + kh) * g->KW + kw) * C;
                real *pixel = out + (ow * g->stride_x + kw * g->dilation_x - g->left) * C;
#pragma omp simd
                for (ptrdiff_t c = 0; c < C; c++) pixel[c] += entry[c];
            }
        }
    }
}

void NAME(im2col)(const real *x, real *columns, const ConvSizes *g, int threads) {
    const ptrdiff_t rows = g->N * g->OH, size = rows * g->OW * g->KH * g->KW * g->C;
    if (size < PARALLEL_ELEMENTS) threads = 1;
#pragma omp parallel for num_threads(threads)
    for (ptrdiff_t row = 0; row < rows; row++) patch_row(x, columns, g, row);
}

void NAME(col2im)(const real *columns, real *x, const ConvSizes *g, int threads) {
    const ptrdiff_t rows = g->N * g->H;
    if (rows * g->W * g->KH * g->KW * g->C < PARALLEL_ELEMENTS) threads = 1;
#pragma omp parallel for num_threads(threads)
    for (ptrdiff_t row = 0; row < rows; row++) pixel_row(columns, x, g, row);
}
