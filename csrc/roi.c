/* Pooling of regions of interest, images (N, H, W, C): the channels of one cell are adjacent, so
   all inner loops run over C as vectors. The tables of a bin's cells are made by ops/roi.py.

   Split of work: forward over the R*OH rows of bins, each written by one thread. The gradients add
   to images, where regions overlap: each thread takes a block of channels of one image and adds all
   regions in order. */

#include "roi.h"

#define PARALLEL_MIN 65536
#define BLOCK 32 /* channels of one gradient unit: a cache line of floats at least */

static int worth_threads(const Regions *g, ptrdiff_t cells, int threads) {
    return threads > 1 && g->R * g->OH * g->OW * g->C * cells >= PARALLEL_MIN;
}

/* A later value wins if it is larger, or NaN where none was yet: the first of equal values and the
   first NaN stay. */
static inline int wins(real new, real old) { return !(new <= old) & (old == old); }

/* One bin, rows[0] ... rows[1] - 1 and columns[0] ... columns[1] - 1, all channels at a time. */
static void max_bin(const real *image, const int32_t *rows, const int32_t *columns,
                    real *restrict y, int32_t *restrict place, const Regions *g) {
    const ptrdiff_t C = g->C;
    const int empty = rows[0] >= rows[1] || columns[0] >= columns[1];
    const int32_t start = empty ? -1 : (int32_t)(rows[0] * g->W + columns[0]);
    for (ptrdiff_t c = 0; c < C; c++) {
        y[c] = empty ? 0 : image[start * C + c];
        place[c] = start;
    }
    for (ptrdiff_t h = rows[0]; h < rows[1]; h++) {
        for (ptrdiff_t w = columns[0]; w < columns[1]; w++) {
            const int32_t here = (int32_t)(h * g->W + w);
            const real *const x = image + here * C;
#pragma omp simd
            for (ptrdiff_t c = 0; c < C; c++) {
                const real old = y[c], new = x[c];
                const int better = wins(new, old);
                y[c] = better ? new : old;
                place[c] = better ? here : place[c];
            }
        }
    }
}

void NAME(roi_pool)(const real *x, const int32_t *image, const int32_t *rows,
                    const int32_t *columns, real *y, int32_t *place, const Regions *g,
                    int threads) {
    const ptrdiff_t OW = g->OW, C = g->C;
#pragma omp parallel for num_threads(threads) schedule(static) if (worth_threads(g, 4, threads))
    for (ptrdiff_t row = 0; row < g->R * g->OH; row++) {
        const ptrdiff_t r = row / g->OH;
        for (ptrdiff_t ow = 0; ow < OW; ow++) {
            const ptrdiff_t out = (row * OW + ow) * C;
            max_bin(x + image[r] * g->H * g->W * C, rows + 2 * row, columns + 2 * (r * OW + ow),
                    y + out, place + out, g);
        }
    }
}

void NAME(roi_pool_scatter)(const real *grad, const int32_t *place, const int32_t *image, real *y,
                            const Regions *g, int threads) {
    const ptrdiff_t bins = g->OH * g->OW, C = g->C, blocks = CEIL_DIV(C, BLOCK);
#pragma omp parallel for num_threads(threads) schedule(static) if (worth_threads(g, 1, threads))
    for (ptrdiff_t unit = 0; unit < g->N * blocks; unit++) {
        const ptrdiff_t n = unit / blocks, from = unit % blocks * BLOCK, to = MIN(from + BLOCK, C);
        real *const plane = y + n * g->H * g->W * C;
        for (ptrdiff_t r = 0; r < g->R; r++) {
            if (image[r] != n) continue;
            for (ptrdiff_t b = r * bins; b < (r + 1) * bins; b++)
                for (ptrdiff_t c = from; c < to; c++)
                    if (place[b * C + c] >= 0) plane[place[b * C + c] * C + c] += grad[b * C + c];
        }
    }
}

void NAME(roi_pool_gather)(const real *x, const int32_t *place, const int32_t *image, real *y,
                           const Regions *g, int threads) {
    const ptrdiff_t bins = g->OH * g->OW, C = g->C;
#pragma omp parallel for num_threads(threads) schedule(static) if (worth_threads(g, 1, threads))
    for (ptrdiff_t b = 0; b < g->R * bins; b++) {
        const real *const plane = x + image[b / bins] * g->H * g->W * C;
        for (ptrdiff_t c = 0; c < C; c++) {
            const ptrdiff_t at = place[b * C + c];
            y[b * C + c] = at < 0 ? 0 : plane[at * C + c];
        }
    }
}

void NAME(roi_align)(const real *x, const int32_t *image, const int32_t *top, const real *weight_h,
                     const int32_t *left, const real *weight_w, real *y, const Regions *g,
                     int threads) {
    const ptrdiff_t W = g->W, C = g->C, OW = g->OW, KH = g->KH, KW = g->KW;
#pragma omp parallel for num_threads(threads)                                                      \
    schedule(static) if (worth_threads(g, KH * KW, threads))
    for (ptrdiff_t row = 0; row < g->R * g->OH; row++) {
        const ptrdiff_t r = row / g->OH;
        for (ptrdiff_t ow = 0; ow < OW; ow++) {
            const ptrdiff_t column = r * OW + ow;
            const real *const corner = x + ((image[r] * g->H + top[row]) * W + left[column]) * C;
            real *restrict const out = y + (row * OW + ow) * C;
            for (ptrdiff_t c = 0; c < C; c++) out[c] = 0;
            for (ptrdiff_t k = 0; k < KH * KW; k++) {
                const ptrdiff_t kh = k / KW, kw = k % KW;
                const real weight = weight_h[row * KH + kh] * weight_w[column * KW + kw];
                const real *const in = corner + (kh * W + kw) * C;
                if (weight == 0) continue; /* a cell that pads the table */
#pragma omp simd
                for (ptrdiff_t c = 0; c < C; c++) out[c] += weight * in[c];
            }
        }
    }
}

/* Channels from ... to - 1 of one region's grad, spread over its image. */
static void spread_region(const real *grad, ptrdiff_t r, const int32_t *top, const real *weight_h,
                          const int32_t *left, const real *weight_w, real *plane, const Regions *g,
                          ptrdiff_t from, ptrdiff_t to) {
    const ptrdiff_t W = g->W, C = g->C, OW = g->OW, KH = g->KH, KW = g->KW;
    for (ptrdiff_t row = r * g->OH; row < (r + 1) * g->OH; row++) {
        for (ptrdiff_t column = r * OW; column < (r + 1) * OW; column++) {
            const real *const in = grad + (row * OW + column - r * OW) * C;
            real *const corner = plane + (top[row] * W + left[column]) * C;
            for (ptrdiff_t k = 0; k < KH * KW; k++) {
                const ptrdiff_t kh = k / KW, kw = k % KW;
                const real weight = weight_h[row * KH + kh] * weight_w[column * KW + kw];
                real *restrict const out = corner + (kh * W + kw) * C;
                if (weight == 0) continue;
#pragma omp simd
                for (ptrdiff_t c = from; c < to; c++) out[c] += weight * in[c];
            }
        }
    }
}

void NAME(roi_align_grad)(const real *grad, const int32_t *image, const int32_t *top,
                          const real *weight_h, const int32_t *left, const real *weight_w, real *y,
                          const Regions *g, int threads) {
    const ptrdiff_t C = g->C, blocks = CEIL_DIV(C, BLOCK);
#pragma omp parallel for num_threads(threads)                                                      \
    schedule(static) if (worth_threads(g, g->KH * g->KW, threads))
    for (ptrdiff_t unit = 0; unit < g->N * blocks; unit++) {
        const ptrdiff_t n = unit / blocks, from = unit % blocks * BLOCK, to = MIN(from + BLOCK, C);
        for (ptrdiff_t r = 0; r < g->R; r++)
            if (image[r] == n)
                spread_region(grad, r, top, weight_h, left, weight_w, y + n * g->H * g->W * C, g,
                              from, to);
    }
}
