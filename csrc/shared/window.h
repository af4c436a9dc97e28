/* What the convolution kernels share: which taps of a window meet which pixels, and reading a
   rectangle of an image with zeros around it. */

#ifndef TINYDL_WINDOW_H
#define TINYDL_WINDOW_H

#include "conv.h"
#include "vector.h"

#include <string.h>

/* The taps of a window along one axis: tap i < count has weight index index + i*index_step and
   reads position out*stride + first + i*step. */
typedef struct {
    ptrdiff_t count, index, index_step, first, step;
} Taps;

static inline Taps forward_taps(ptrdiff_t K, ptrdiff_t dilation, ptrdiff_t before) {
    return (Taps){K, 0, 1, -before, dilation};
}

/* The gradient of input positions residue, residue + stride, ...: y position o meets input position
   i = o*stride + k*dilation - before, so only every period-th k takes part, and position number t
   reads o = t + (residue + before - k*dilation) / stride: a convolution of stride 1, taps in
   reverse. */
static inline Taps transposed_taps(ptrdiff_t K, ptrdiff_t dilation, ptrdiff_t before,
                                   ptrdiff_t stride, ptrdiff_t residue) {
    ptrdiff_t k = 0, period = 1;
    while (period * dilation % stride != 0) period++;
    while (k < period && (residue + before - k * dilation) % stride != 0) k++;
    if (k >= period || k >= K) return (Taps){0, 0, 0, 0, 0};
    const ptrdiff_t count = (K - 1 - k) / period + 1, last = k + (count - 1) * period;
    return (Taps){count, last, -period, (residue + before - last * dilation) / stride,
                  period * dilation / stride};
}

/* Outputs [*from, *to) of `outputs` for which tap i of t lies inside 0 .. size-1. */
static inline void outputs_inside(const Taps *t, ptrdiff_t i, ptrdiff_t stride, ptrdiff_t size,
                                  ptrdiff_t outputs, ptrdiff_t *from, ptrdiff_t *to) {
    const ptrdiff_t offset = t->first + i * t->step;
    *from = offset >= 0 ? 0 : MIN(outputs, CEIL_DIV(-offset, stride));
    *to = size <= offset ? 0 : MIN(outputs, (size - 1 - offset) / stride + 1);
    if (*to < *from) *to = *from;
}

/* Outputs [*from, *to) of `outputs` for which all taps lie inside. */
static inline void all_inside(const Taps *t, ptrdiff_t stride, ptrdiff_t size, ptrdiff_t outputs,
                              ptrdiff_t *from, ptrdiff_t *to) {
    *from = 0, *to = outputs;
    for (ptrdiff_t i = 0; i < t->count; i++) {
        ptrdiff_t first, last;
        outputs_inside(t, i, stride, size, outputs, &first, &last);
        *from = MAX(*from, first), *to = MIN(*to, last);
    }
    if (*to < *from) *to = *from;
}

/* Taps [*from, *to) of output o whose position lies inside 0 .. size-1. */
static inline void taps_inside(const Taps *t, ptrdiff_t o, ptrdiff_t stride, ptrdiff_t size,
                               ptrdiff_t *from, ptrdiff_t *to) {
    const ptrdiff_t first = o * stride + t->first;
    ptrdiff_t i = 0;
    while (i < t->count && first + i * t->step < 0) i++;
    *from = i;
    while (i < t->count && first + i * t->step < size) i++;
    *to = i;
}

/* Whether all numbers are finite: what padding, which kernels skip, is multiplied with would else
   make 0 * NaN = NaN of it. */
static inline int all_finite(const real *x, ptrdiff_t n) {
    real sum = 0;
#pragma omp simd reduction(+ : sum)
    for (ptrdiff_t i = 0; i < n; i++) sum += 0 * x[i];
    return sum == 0;
}

/* Pixels of an image: pixel (y, x) starts at data + y*row + x*pixel. */
typedef struct {
    const real *data;
    ptrdiff_t row, pixel;
} Pixels;

/* Rows [y0, y1) and columns [x0, x1) of image (H, W, C): in place if all of it exists and `copy` is
   0, else copied into buffer ((y1-y0) * (x1-x0) * pixel elements) with zeros outside the image. */
static inline Pixels rectangle(const real *image, ptrdiff_t H, ptrdiff_t W, ptrdiff_t C,
                               ptrdiff_t y0, ptrdiff_t y1, ptrdiff_t x0, ptrdiff_t x1,
                               ptrdiff_t pixel, int copy, real *buffer) {
    if (!copy && y0 >= 0 && y1 <= H && x0 >= 0 && x1 <= W)
        return (Pixels){image + (y0 * W + x0) * C, W * C, C};
    const ptrdiff_t row = (x1 - x0) * pixel;
    const ptrdiff_t from = MIN(MAX(x0, 0), MIN(x1, W)), to = MAX(from, MIN(x1, W));
    for (ptrdiff_t y = y0; y < y1; y++) {
        real *out = buffer + (y - y0) * row;
        if (y < 0 || y >= H || from == to) {
            memset(out, 0, row * sizeof(real));
            continue;
        }
        const real *in = image + (y * W + from) * C;
        memset(out, 0, (from - x0) * pixel * sizeof(real));
        memset(out + (to - x0) * pixel, 0, (x1 - to) * pixel * sizeof(real));
        out += (from - x0) * pixel;
        if (pixel == C)
            memcpy(out, in, (to - from) * C * sizeof(real));
        else
            for (ptrdiff_t x = 0; x < to - from; x++)
                memcpy(out + x * pixel, in + x * C, C * sizeof(real));
    }
    return (Pixels){buffer, row, pixel};
}

/* Elements between two pixels of a copied rectangle: a power of two would put the pixels of one
   tile into the same few sets of the L1 cache. */
static inline ptrdiff_t copied_pixel(ptrdiff_t C) {
    return C * sizeof(real) % 2048 == 0 ? C + 64 / (ptrdiff_t)sizeof(real) : C;
}

#endif
