/* Max and average pooling, images (N, H, W, C): the channels of one pixel are adjacent, so all
   loops run over C as vectors, and a window is KH*KW such rows. The maximum is written in vector
   types (vector.h): gcc 12 leaves a plain loop over a chain of choices scalar.

   Split of work: forward over the N*OH output rows, each written by one thread; the gradients over
   the images N only, since windows may overlap and additions stay in the order of the output
   pixels. */

#include "pool.h"
#include "vector.h"
#include <string.h>

#define PARALLEL_MIN 65536
#define INLINE static inline __attribute__((always_inline))
#define LONGEST 1024   /* cells in one running sum */
enum { TOGETHER = 4 }; /* vectors or cells that are held in registers at a time */

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

/* Rows `from` ... `to` - 1 of an image become 0; returns where the cleared rows end. A gradient
   calls it when a window first reaches a row, so that what is added to lies in the L1 cache. */
static ptrdiff_t clear_rows(real *image, const Window *g, ptrdiff_t from, ptrdiff_t to) {
    const ptrdiff_t row = g->W * g->C;
    if (to > from) memset(image + from * row, 0, (to - from) * row * sizeof(real));
    return MAX(from, to);
}

static int worth_threads(const Window *g, int threads) {
    return threads > 1 && g->N * g->OH * g->OW * g->C * g->KH * g->KW >= PARALLEL_MIN;
}

/* ---- maximum -------------------------------------------------------------------------------- */

/* Places are kept as wide as the numbers while comparisons choose between them. */
typedef int32_t places __attribute__((vector_size(4 * LANES), aligned(4), may_alias));

/* A later value wins if it is larger, or NaN where none was yet: the first of equal values and the
   first NaN stay. */
static inline vec_mask wins(vec new, vec old) { return ~(new <= old) & (old == old); }

/* One output pixel, `count` vectors of channels: values and places stay in registers over all cells
   of the window. place may be NULL. */
INLINE void max_vectors(const real *image, real *y, int32_t *place, const Window *g, Cells in,
                        const int count) {
    vec best[TOGETHER];
    vec_mask at[TOGETHER];
    const ptrdiff_t start = in.top * g->W + in.left;
#pragma GCC unroll 4
    for (int v = 0; v < count; v++) {
        best[v] = load(image + start * g->C + v * LANES);
        at[v] = (vec_mask){0} + (mask_lane)start;
    }
    for (ptrdiff_t h = in.top; h < in.bottom; h++) {
        for (ptrdiff_t w = in.left + (h == in.top); w < in.right; w++) { /* not the first again */
            const ptrdiff_t here = h * g->W + w;
#pragma GCC unroll 4
            for (int v = 0; v < count; v++) {
                const vec new = load(image + here * g->C + v * LANES);
                const vec_mask better = wins(new, best[v]);
                best[v] = choose(better, new, best[v]);
                at[v] = (better & (mask_lane)here) | (~better & at[v]);
            }
        }
    }
#pragma GCC unroll 4
    for (int v = 0; v < count; v++) {
        store(y + v * LANES, best[v]);
        if (place) *(places *)(place + v * LANES) = __builtin_convertvector(at[v], places);
    }
}

/* Fewer channels than lanes: the others hold what follows in memory, which must exist. */
INLINE void max_part(const real *image, real *y, int32_t *place, const Window *g, Cells in) {
    real value[LANES];
    int32_t at[LANES];
    max_vectors(image, value, place ? at : NULL, g, in, 1);
    for (ptrdiff_t c = 0; c < g->C; c++) y[c] = value[c];
    for (ptrdiff_t c = 0; place && c < g->C; c++) place[c] = at[c];
}

/* One channel of one output pixel: for the last pixels of few channels. */
INLINE void max_one(const real *image, real *y, int32_t *place, const Window *g, Cells in) {
    ptrdiff_t at = in.top * g->W + in.left;
    for (ptrdiff_t h = in.top; h < in.bottom; h++) {
        for (ptrdiff_t here = h * g->W + in.left; here < h * g->W + in.right; here++) {
            const real new = image[here * g->C], old = image[at * g->C];
            at = (!(new <= old) & (old == old)) ? here : at;
        }
    }
    *y = image[at * g->C];
    if (place) *place = (int32_t)at;
}

/* One output pixel; x ends `reach` elements behind the start of the image. */
INLINE void max_pixel(const real *image, ptrdiff_t reach, real *y, int32_t *place, const Window *g,
                      Cells in) {
    const ptrdiff_t C = g->C, last = ((in.bottom - 1) * g->W + in.right - 1) * C;
    ptrdiff_t c = 0;
    if (C < LANES && last + LANES <= reach) {
        max_part(image, y, place, g, in);
    } else if (C < LANES) {
        for (; c < C; c++) max_one(image + c, y + c, place ? place + c : NULL, g, in);
    } else {
        for (; c + TOGETHER * LANES <= C; c += TOGETHER * LANES)
            max_vectors(image + c, y + c, place ? place + c : NULL, g, in, TOGETHER);
        for (; c < C; c += LANES) { /* the last vector may repeat channels of the one before */
            const ptrdiff_t from = MIN(c, C - LANES);
            max_vectors(image + from, y + from, place ? place + from : NULL, g, in, 1);
        }
    }
}

/* Output row `row` of all images. The geometry is a copy: the compiler knows that no store changes
   it, and keeps it in registers. */
INLINE void max_row(const real *x, real *y, int32_t *place, const Window g, ptrdiff_t row) {
    const ptrdiff_t n = row / g.OH, size = g.H * g.W * g.C;
    for (ptrdiff_t ow = 0; ow < g.OW; ow++) {
        const ptrdiff_t out = (row * g.OW + ow) * g.C;
        max_pixel(x + n * size, (g.N - n) * size, y + out, place ? place + out : NULL, &g,
                  cells_of(&g, row % g.OH, ow));
    }
}

void NAME(max_pool2d)(const real *x, real *y, int32_t *place, const Window *g, int threads) {
#pragma omp parallel for num_threads(threads) schedule(static) if (worth_threads(g, threads))
    for (ptrdiff_t row = 0; row < g->N * g->OH; row++) {
        if (place)
            max_row(x, y, place, *g, row);
        else
            max_row(x, y, NULL, *g, row);
    }
}

/* One output pixel, `count` vectors: each cell of the window takes the gradients that chose it. */
INLINE void scatter_vectors(const real *grad, const int32_t *place, real *image, const Window *g,
                            Cells in, const int count) {
    vec from[TOGETHER];
    vec_mask at[TOGETHER];
#pragma GCC unroll 4
    for (int v = 0; v < count; v++) {
        from[v] = load(grad + v * LANES);
        at[v] = __builtin_convertvector(*(const places *)(place + v * LANES), vec_mask);
    }
    for (ptrdiff_t h = in.top; h < in.bottom; h++) {
        for (ptrdiff_t w = in.left; w < in.right; w++) {
            const ptrdiff_t here = h * g->W + w;
            real *const y = image + here * g->C;
#pragma GCC unroll 4
            for (int v = 0; v < count; v++) {
                const vec_mask chosen = at[v] == (mask_lane)here;
                store(y + v * LANES, load(y + v * LANES) + (vec)((vec_mask)from[v] & chosen));
            }
        }
    }
}

INLINE void scatter_pixel(const real *grad, const int32_t *place, real *image, const Window *g,
                          Cells in) {
    const ptrdiff_t C = g->C;
    ptrdiff_t c = 0;
    for (; c + TOGETHER * LANES <= C; c += TOGETHER * LANES)
        scatter_vectors(grad + c, place + c, image + c, g, in, TOGETHER);
    for (; c + LANES <= C; c += LANES) scatter_vectors(grad + c, place + c, image + c, g, in, 1);
    for (; c < C; c++) image[place[c] * C + c] += grad[c];
}

INLINE void scatter_image(const real *grad, const int32_t *place, real *y, const Window g) {
    ptrdiff_t cleared = 0;
    for (ptrdiff_t oh = 0; oh < g.OH; oh++) {
        cleared = clear_rows(y, &g, cleared, cells_of(&g, oh, 0).bottom);
        for (ptrdiff_t ow = 0; ow < g.OW; ow++) {
            const ptrdiff_t out = (oh * g.OW + ow) * g.C;
            scatter_pixel(grad + out, place + out, y, &g, cells_of(&g, oh, ow));
        }
    }
    clear_rows(y, &g, cleared, g.H);
}

void NAME(max_pool2d_scatter)(const real *grad, const int32_t *place, real *y, const Window *g,
                              int threads) {
    const ptrdiff_t out = g->OH * g->OW * g->C, image = g->H * g->W * g->C;
#pragma omp parallel for num_threads(threads) schedule(static) if (worth_threads(g, threads))
    for (ptrdiff_t n = 0; n < g->N; n++)
        scatter_image(grad + n * out, place + n * out, y + n * image, *g);
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

/* ---- average -------------------------------------------------------------------------------- */

/* y (+)= TOGETHER cells of a window or one, one after the other. */
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

/* y = the sum of the cells, one after the other. */
INLINE void sum_cells(const real *image, real *restrict y, const Window *g, Cells in) {
    const ptrdiff_t C = g->C;
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
}

/* More than LONGEST cells: their sums by pieces of rows, added to those of the rows before, so that
   no running sum has many terms. sums: 2 * C numbers. */
static void sum_long(const real *image, real *restrict y, const Window *g, Cells in, real *sums) {
    const ptrdiff_t C = g->C;
    real *const band = sums, *const piece = sums + C; /* of some rows, of a piece of one */
    const ptrdiff_t rows = MAX(1, LONGEST / (in.right - in.left));
    for (ptrdiff_t c = 0; c < C; c++) y[c] = band[c] = 0;
    for (ptrdiff_t h = in.top; h < in.bottom; h += rows) {
        const ptrdiff_t below = MIN(h + rows, in.bottom);
        for (ptrdiff_t w = in.left; w < in.right; w += LONGEST) {
            sum_cells(image, piece, g, (Cells){h, below, w, MIN(w + LONGEST, in.right)});
            for (ptrdiff_t c = 0; c < C; c++) band[c] += piece[c];
        }
        if ((h - in.top) / rows % LONGEST < LONGEST - 1 && below < in.bottom) continue;
        for (ptrdiff_t c = 0; c < C; c++) y[c] += band[c], band[c] = 0;
    }
}

INLINE void divide_by_cells(real *restrict y, ptrdiff_t C, Cells in) {
    const real inside = (real)((in.bottom - in.top) * (in.right - in.left));
#pragma omp simd
    for (ptrdiff_t c = 0; c < C; c++) y[c] /= inside;
}

static void avg_pixel(const real *image, real *restrict y, const Window *g, Cells in) {
    sum_cells(image, y, g, in);
    divide_by_cells(y, g->C, in);
}

static void avg_long_pixel(const real *image, real *restrict y, const Window *g, Cells in,
                           real *sums) {
    sum_long(image, y, g, in, sums);
    divide_by_cells(y, g->C, in);
}

int NAME(avg_pool2d)(const real *x, real *y, const Window *g, int threads) {
    const ptrdiff_t OW = g->OW, C = g->C, space = g->KH * g->KW > LONGEST ? 2 * C : 0;
    real *const sums = space ? aligned_block(threads * space) : NULL;
    if (space && !sums) return -1;
#pragma omp parallel for num_threads(threads) schedule(static) if (worth_threads(g, threads))
    for (ptrdiff_t row = 0; row < g->N * g->OH; row++) {
        const real *const image = x + row / g->OH * g->H * g->W * C;
        real *const pixels = y + row * OW * C;
        if (!space)
            for (ptrdiff_t ow = 0; ow < OW; ow++)
                avg_pixel(image, pixels + ow * C, g, cells_of(g, row % g->OH, ow));
        else
            for (ptrdiff_t ow = 0; ow < OW; ow++)
                avg_long_pixel(image, pixels + ow * C, g, cells_of(g, row % g->OH, ow),
                               sums + TEAM_MEMBER * space);
    }
    free(sums);
    return 0;
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

static void avg_grad_image(const real *grad, real *y, const Window *g) {
    ptrdiff_t cleared = 0;
    for (ptrdiff_t oh = 0; oh < g->OH; oh++) {
        cleared = clear_rows(y, g, cleared, cells_of(g, oh, 0).bottom);
        for (ptrdiff_t ow = 0; ow < g->OW; ow++)
            avg_grad_pixel(grad + (oh * g->OW + ow) * g->C, y, g, cells_of(g, oh, ow));
    }
    clear_rows(y, g, cleared, g->H);
}

void NAME(avg_pool2d_grad)(const real *grad, real *y, const Window *g, int threads) {
    const ptrdiff_t out = g->OH * g->OW * g->C, image = g->H * g->W * g->C;
#pragma omp parallel for num_threads(threads) schedule(static) if (worth_threads(g, threads))
    for (ptrdiff_t n = 0; n < g->N; n++) avg_grad_image(grad + n * out, y + n * image, g);
}
