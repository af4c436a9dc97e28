/* Gradient of a convolution with respect to an image of few channels: the first layer of a network.

   conv.c would use 1 or 3 of the lanes of a vector. Here the lanes are all entries of a window,

       [OH*OW x F] @ [F x KH*KW*C]   what each output gives to its window, for each image

   and every entry is added to its pixel: a product and col2im, by blocks of output rows which do
   not leave the L2 cache in between.

   Split of work: images, each in the order of its output rows, so the number of threads never
   changes a result. Extra memory: the packed weights, and per thread one block of windows, about
   128 KiB or one row of outputs. */

#include "conv_narrow.h"

#include "packed.h"
#include "window.h"

#include <math.h>

#define BLOCK_BYTES (128 * 1024)
#define PARALLEL_WORK (64 * 64 * 64)

/* Vector operations of either way for one output; adding an entry to its pixel counts two. */
int NAME(is_narrow)(const ConvSizes *g) {
    const ptrdiff_t entries = g->KH * g->KW * g->C;
    const ptrdiff_t here = g->F * CEIL_DIV(entries, LANES) + 2 * entries;
    const ptrdiff_t direct = g->F * g->KH * g->KW * CEIL_DIV(g->C, LANES);
    return g->groups == 1 && 4 * here <= 3 * direct;
}

/* pixel[i*step + c] += entry[i*entries + c] for `count` windows; they meet different pixels, so
   that no addition waits for the one before. */
static inline __attribute__((always_inline)) void add_entries(real *pixel, ptrdiff_t step,
                                                              const real *entry, ptrdiff_t entries,
                                                              ptrdiff_t count, const ptrdiff_t C) {
    for (ptrdiff_t i = 0; i < count; i++)
        for (ptrdiff_t c = 0; c < C; c++) pixel[i * step + c] += entry[i * entries + c];
}

/* Adds the windows (OW, KH, KW, C) of output row oh to their image. */
static void add_windows(const real *windows, const ConvSizes *g, ptrdiff_t oh, real *image) {
    const ptrdiff_t C = g->C, step = g->stride_x * C, entries = g->KH * g->KW * C;
    const Taps rows = forward_taps(g->KH, g->dilation_y, g->top);
    const Taps cols = forward_taps(g->KW, g->dilation_x, g->left);
    ptrdiff_t i0, i1;
    taps_inside(&rows, oh, g->stride_y, g->H, &i0, &i1);
    for (ptrdiff_t kh = i0; kh < i1; kh++)
        for (ptrdiff_t kw = 0; kw < g->KW; kw++) {
            ptrdiff_t from, to;
            outputs_inside(&cols, kw, g->stride_x, g->W, g->OW, &from, &to);
            if (from >= to) continue;
            const ptrdiff_t y = oh * g->stride_y + rows.first + kh * rows.step;
            const ptrdiff_t x = from * g->stride_x + cols.first + kw * cols.step;
            const real *entry = windows + from * entries + (kh * g->KW + kw) * C;
            real *pixel = image + (y * g->W + x) * C;
            if (C == 1)
                add_entries(pixel, step, entry, entries, to - from, 1);
            else if (C == 3)
                add_entries(pixel, step, entry, entries, to - from, 3);
            else
                add_entries(pixel, step, entry, entries, to - from, C);
        }
}

/* image += 0 * weight for each output beyond the last ones that an entry would come from: conv.c
   reads zeros there, and 0 * NaN is NaN. */
static void add_outside(const real *weight, const ConvSizes *g, real *image) {
    for (ptrdiff_t entry = 0; entry < g->KH * g->KW * g->C; entry++) {
        if (all_finite(weight + entry * g->F, g->F)) continue;
        const ptrdiff_t c = entry % g->C, kw = entry / g->C % g->KW, kh = entry / g->C / g->KW;
        for (ptrdiff_t pixel = 0; pixel < g->H * g->W; pixel++) {
            const ptrdiff_t y = pixel / g->W + g->top - kh * g->dilation_y;
            const ptrdiff_t x = pixel % g->W + g->left - kw * g->dilation_x;
            if (y % g->stride_y != 0 || x % g->stride_x != 0) continue;
            if (y < 0 || y >= g->OH * g->stride_y || x < 0 || x >= g->OW * g->stride_x)
                image[pixel * g->C + c] = (real)NAN;
        }
    }
}

static void image_task(const Packed *weight, const real *grad, real *grad_x, const ConvSizes *g,
                       ptrdiff_t n, ptrdiff_t block_rows, real *windows) {
    real *image = grad_x + n * g->H * g->W * g->C;
    memset(image, 0, g->H * g->W * g->C * sizeof(real));
    for (ptrdiff_t oh = 0; oh < g->OH; oh += block_rows) {
        const ptrdiff_t rows = MIN(block_rows, g->OH - oh);
        multiply_packed(weight, grad + (n * g->OH + oh) * g->OW * g->F, g->F, NULL, windows,
                        weight->N, rows * g->OW, 0);
        for (ptrdiff_t row = 0; row < rows; row++)
            add_windows(windows + row * g->OW * weight->N, g, oh + row, image);
    }
}

int NAME(narrow_input_grad)(const real *grad, const real *weight, real *grad_x, const ConvSizes *g,
                            int threads) {
    const ptrdiff_t entries = g->KH * g->KW * g->C, row = g->OW * entries;
    const ptrdiff_t fitting = BLOCK_BYTES / (MAX(1, row) * (ptrdiff_t)sizeof(real));
    const ptrdiff_t block_rows = MAX(1, MIN(fitting, g->OH));
    if (g->N * g->OH * row * g->F <= PARALLEL_WORK) threads = 1;
    real *packed = aligned_block(g->F * packed_width(entries));
    const ptrdiff_t size = CEIL_DIV(block_rows * row, 16) * 16;
    real *scratch = aligned_block(threads * size);
    const int failed = !packed || !scratch;
    if (!failed) {
        const Packed p = pack_matrix(weight, 1, g->F, g->F, entries, packed);
#pragma omp parallel for num_threads(threads)
        for (ptrdiff_t n = 0; n < g->N; n++)
            image_task(&p, grad, grad_x, g, n, block_rows, scratch + TEAM_MEMBER * size);
        for (ptrdiff_t n = 0; !all_finite(weight, g->F * entries) && n < g->N; n++)
            add_outside(weight, g, grad_x + n * g->H * g->W * g->C);
    }
    free(packed);
    free(scratch);
    return failed ? -1 : 0;
}
