/* Max and average pooling, images (N, H, W, C): the channels of one pixel are adjacent, so all
   loops run over C as vectors, and a window is KH*KW such rows.

   Split of work: forward over the N*OH output rows, each written by one thread; the gradients over
   the images N only, since windows may overlap and additions stay in the order of the output
   pixels. */

#include "pool.h"
#include <math.h>

#define PARALLEL_MIN 65536
#define FEW_CHANNELS 8 /* below, single channels are quicker than rows of them */

/* The part of the window of output pixel (oh, ow) that lies inside the image. */
typedef struct {
    ptrdiff_t top, bottom, left, right; /* rows top ... bottom - 1, columns left ... right - 1 */
} Cells;

static Cells cells_of(const Window *g, ptrdiff_t oh, ptrdiff_t ow) {
    if (g->adaptive)
        return (Cells){oh * g->H / g->OH, CEIL_DIV((oh + 1) * g->H, g->OH), ow * g->W / g->OW,
                       CEIL_DIV((ow + 1) * g->W, g->OW)};
    const ptrdiff_t h = oh * g->stride_h - g->top, w = ow * g->stride_w - g->left;
    return (Cells){MAX(h, 0), MIN(h + g->KH, g->H), MAX(w, 0), MIN(w + g->KW, g->W)};
}

static int worth_threads(const Window *g, int threads) {
    return threads > 1 && g->N * g->OH * g->OW * g->C * g->KH * g->KW >= PARALLEL_MIN;
}

/* A later value wins if it is larger, or NaN where none was yet: the first of equal values and the
   first NaN stay. */
static inline int wins(real new, real old) { return !(new <= old) & (old == old); }

/* One output pixel of few channels, one at a time. Only the place is chosen, by a mask, and the
   value read again: a choice of floats would be a branch, mispredicted every other time. */
static void max_pixel_narrow(const real *image, real *restrict y, int32_t *restrict place,
                             const Window *g, Cells in) {
    for (ptrdiff_t c = 0; c < g->C; c++) {
        ptrdiff_t at = in.top * g->W + in.left;
        for (ptrdiff_t h = in.top; h < in.bottom; h++) {
            for (ptrdiff_t here = h * g->W + in.left; here < h * g->W + in.right; here++) {
                const int better = wins(image[here * g->C + c], image[at * g->C + c]);
                at += (here - at) & -(ptrdiff_t)better;
            }
        }
        y[c] = image[at * g->C + c];
        place[c] = (int32_t)at;
    }
}

/* One output pixel, all channels at a time. */
static void max_pixel(const real *image, real *restrict y, int32_t *restrict place, const Window *g,
                      Cells in) {
    const ptrdiff_t C = g->C;
    const int32_t start = (int32_t)(in.top * g->W + in.left);
    for (ptrdiff_t c = 0; c < C; c++) {
        y[c] = image[start * C + c];
        place[c] = start;
    }
    for (ptrdiff_t h = in.top; h < in.bottom; h++) {
        for (ptrdiff_t w = in.left + (h == in.top); /* not the first again */
             w < in.right; w++) {
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

void NAME(max_pool2d)(const real *x, real *y, int32_t *place, const Window *g, int threads) {
    const ptrdiff_t OW = g->OW, C = g->C;
#pragma omp parallel for num_threads(threads) schedule(static) if (worth_threads(g, threads))
    for (ptrdiff_t row = 0; row < g->N * g->OH; row++) {
        const real *const image = x + row / g->OH * g->H * g->W * C;
        for (ptrdiff_t ow = 0; ow < OW; ow++) {
            const ptrdiff_t out = (row * OW + ow) * C;
            const Cells in = cells_of(g, row % g->OH, ow);
            (C < FEW_CHANNELS ? max_pixel_narrow : max_pixel)(image, y + out, place + out, g, in);
        }
    }
}

/* y[place] += grad for one output pixel: each cell of the window takes what chose it. */
static void scatter_pixel(const real *grad, const int32_t *place, real *restrict image,
                          const Window *g, Cells in) {
    const ptrdiff_t C = g->C;
    if (C < FEW_CHANNELS) {
        for (ptrdiff_t c = 0; c < C; c++) image[place[c] * C + c] += grad[c];
        return;
    }
    for (ptrdiff_t h = in.top; h < in.bottom; h++) {
        for (ptrdiff_t w = in.left; w < in.right; w++) {
            const int32_t here = (int32_t)(h * g->W + w);
            real *const y = image + here * C;
#pragma omp simd
            for (ptrdiff_t c = 0; c < C; c++) y[c] += place[c] == here ? grad[c] : 0;
        }
    }
}

void NAME(max_pool2d_scatter)(const real *grad, const int32_t *place, real *y, const Window *g,
                              int threads) {
    const ptrdiff_t pixels = g->OH * g->OW, C = g->C;
#pragma omp parallel for num_threads(threads) schedule(static) if (worth_threads(g, threads))
    for (ptrdiff_t n = 0; n < g->N; n++)
        for (ptrdiff_t p = 0; p < pixels; p++)
            scatter_pixel(grad + (n * pixels + p) * C, place + (n * pixels + p) * C,
                          y + n * g->H * g->W * C, g, cells_of(g, p / g->OW, p % g->OW));
}

void NAME(max_pool2d_gather)(const real *x, const int32_t *place, real *y, const Window *g,
                             int threads) {
    const ptrdiff_t pixels = g->OH * g->OW, C = g->C;
#pragma omp parallel for num_threads(threads) schedule(static) if (worth_threads(g, threads))
    for (ptrdiff_t p = 0; p < g->N * pixels; p++) {
        const real *const image = x + p / pixels * g->H * g->W * C;
        for (ptrdiff_t c = 0; c < C; c++) y[p * C + c] = image[place[p * C + c] * C + c];
    }
}

/* Cells of a window are taken TOGETHER at a time, so that their sum stays in registers. (The same
   for the maximum, a chain of choices, is no vector code any more with gcc 12.) */
enum { TOGETHER = 4 };
#define INLINE static inline __attribute__((always_inline))

/* y (+)= the cells, one after the other. */
INLINE void add_cells(const real *image, const ptrdiff_t *cells, const int count, const int first,
                      real *restrict y, ptrdiff_t C) {
#pragma omp simd
    for (ptrdiff_t c = 0; c < C; c++) {
        real sum = first ? 0 : y[c];
#pragma GCC unroll 4
        for (int k = 0; k < count; k++) sum += image[cells[k] * C + c];
        y[c] = sum;
    }
}

static void avg_pixel(const real *image, real *restrict y, const Window *g, Cells in) {
    const ptrdiff_t C = g->C;
    const real inside = (real)((in.bottom - in.top) * (in.right - in.left));
    ptrdiff_t cells[TOGETHER];
    int count = 0, first = 1;
    for (ptrdiff_t h = in.top; h < in.bottom; h++) {
        for (ptrdiff_t w = in.left; w < in.right; w++) {
            cells[count++] = h * g->W + w;
            if (count < TOGETHER) continue;
            add_cells(image, cells, TOGETHER, first, y, C);
            count = first = 0;
        }
    }
    for (int k = 0; k < count; k++) add_cells(image, cells + k, 1, first && k == 0, y, C);
#pragma omp simd
    for (ptrdiff_t c = 0; c < C; c++) y[c] /= inside;
}

void NAME(avg_pool2d)(const real *x, real *y, const Window *g, int threads) {
    const ptrdiff_t OW = g->OW, C = g->C;
#pragma omp parallel for num_threads(threads) schedule(static) if (worth_threads(g, threads))
    for (ptrdiff_t row = 0; row < g->N * g->OH; row++) {
        const real *const image = x + row / g->OH * g->H * g->W * C;
        for (ptrdiff_t ow = 0; ow < OW; ow++)
            avg_pixel(image, y + (row * OW + ow) * C, g, cells_of(g, row % g->OH, ow));
    }
}

static void avg_grad_pixel(const real *grad, real *restrict image, const Window *g, Cells in) {
    const ptrdiff_t C = g->C;
    const real count = (real)((in.bottom - in.top) * (in.right - in.left));
    for (ptrdiff_t h = in.top; h < in.bottom; h++) {
        for (ptrdiff_t w = in.left; w < in.right; w++) {
            real *const y = image + (h * g->W + w) * C;
#pragma omp simd
            for (ptrdiff_t c = 0; c < C; c++) y[c] += grad[c] / count;
        }
    }
}

void NAME(avg_pool2d_grad)(const real *grad, real *y, const Window *g, int threads) {
    const ptrdiff_t pixels = g->OH * g->OW, C = g->C;
#pragma omp parallel for num_threads(threads) schedule(static) if (worth_threads(g, threads))
    for (ptrdiff_t n = 0; n < g->N; n++)
        for (ptrdiff_t p = 0; p < pixels; p++)
            avg_grad_pixel(grad + (n * pixels + p) * C, y + n * g->H * g->W * C, g,
                           cells_of(g, p / g->OW, p % g->OW));
}
