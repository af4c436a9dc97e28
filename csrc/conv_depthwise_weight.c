/* Depthwise convolution (conv_depthwise.c), gradient of the weight.

   grad_weight[kh, kw, c] sums x * grad over the outputs that meet the tap. For windows three wide,
   one row of outputs is taken at once: the sums of all its taps stay in registers while the
   outputs pass four at a time, and every pixel is loaded once for all of them. Other windows, and
   channels that fill no vector, go tap by tap.

   Long sums are cut: a row of outputs after PIECE of them, the rows after MANY_ROWS, each part
   added up for itself.

   Split of work: at most 8 chunks of images with a copy of the gradient each, added in index order:
   the number of threads never changes a result. */

#include "depthwise.h"

#include "vector.h"
#include "window.h"

#define PARALLEL_WORK 65536
#define MAX_CHUNKS 8
#define LINE (64 / (ptrdiff_t)sizeof(real)) /* elements of a cache line */
#define TOGETHER 4                          /* outputs at once */
#define PIECE 1024                          /* outputs in one running sum */
#define MANY_ROWS 512                       /* rows of outputs in one running sum */

/* sum[c] += sum over count pixels of x[p*step + c] * grad[p*C + c], channels c from `from` on; four
   chains hide the latency. */
static void add_products(const real *x, ptrdiff_t step, const real *grad, ptrdiff_t C,
                         ptrdiff_t from, ptrdiff_t count, real *sum) {
    ptrdiff_t c = from;
    for (; c + 4 * LANES <= C; c += 4 * LANES) { /* four vectors of channels */
        vec s[4] = {{0}};
        for (ptrdiff_t p = 0; p < count; p++)
#pragma GCC unroll 4
            for (int v = 0; v < 4; v++)
                s[v] += load(x + p * step + c + v * LANES) * load(grad + p * C + c + v * LANES);
#pragma GCC unroll 4
        for (int v = 0; v < 4; v++) store(sum + c + v * LANES, load(sum + c + v * LANES) + s[v]);
    }
    for (; c + LANES <= C; c += LANES) { /* one vector, every fourth pixel */
        vec s[4] = {{0}};
        ptrdiff_t p = 0;
        for (; p + 4 <= count; p += 4)
#pragma GCC unroll 4
            for (int v = 0; v < 4; v++)
                s[v] += load(x + (p + v) * step + c) * load(grad + (p + v) * C + c);
        for (; p < count; p++) s[0] += load(x + p * step + c) * load(grad + p * C + c);
        store(sum + c, load(sum + c) + ((s[0] + s[1]) + (s[2] + s[3])));
    }
    for (; c < C; c++) {
        real s = 0;
        for (ptrdiff_t p = 0; p < count; p++) s += x[p * step + c] * grad[p * C + c];
        sum[c] += s;
    }
}

/* One row of outputs and the rows of its windows, three wide, which meet the image. */
typedef struct {
    const real *x;     /* where the first window begins, perhaps left of the image */
    const real *grad;  /* the first output */
    const real *ahead; /* as x, in the row of the image below the window */
    real *sums;        /* (window rows inside, 3, C) */
    ptrdiff_t C, outputs, row, image_row, new_rows;
    ptrdiff_t lo, hi;      /* outputs whose windows lie inside from left to right */
    const ptrdiff_t *edge; /* taps [edge[0], edge[1]) of output 0, [edge[2], edge[3]) of 1, ... */
} Row;

/* Into the L2 cache, as in conv_depthwise.c: what the next row of outputs will read. */
static inline __attribute__((always_inline)) void ask_ahead(const Row *r, const int stride,
                                                            ptrdiff_t o, ptrdiff_t c) {
    for (ptrdiff_t i = 0; i < r->new_rows; i++)
        for (int q = 0; q < TOGETHER * stride; q++)
            __builtin_prefetch(r->ahead + i * r->image_row + (o * stride + q) * r->C + c, 0, 2);
#pragma GCC unroll 4
    for (int p = 0; p < TOGETHER; p++)
        __builtin_prefetch(r->grad + (r->outputs + o + p) * r->C + c, 0, 2);
}

/* sum[i][j] += x at tap (i, j) * grad for `count` adjacent outputs. */
static inline __attribute__((always_inline)) void add_outputs(vec sum[3][3], const int rows,
                                                              const int count, const int stride,
                                                              const real *x, ptrdiff_t row,
                                                              const real *grad, ptrdiff_t C) {
    vec g[TOGETHER];
#pragma GCC unroll 4
    for (int p = 0; p < count; p++) g[p] = load(grad + p * C);
#pragma GCC unroll 3
    for (int i = 0; i < rows; i++)
#pragma GCC unroll 16
        for (int q = 0; q < (count - 1) * stride + 3; q++) {
            vec v = load(x + i * row + q * C);
            KEEP(v);
#pragma GCC unroll 4
            for (int p = 0; p < count; p++)
                if (q >= p * stride && q < p * stride + 3) sum[i][q - p * stride] += v * g[p];
        }
}

/* The same for one output at the border. */
static inline __attribute__((always_inline)) void add_edge(vec sum[3][3], const int rows,
                                                           const ptrdiff_t *taps, const real *x,
                                                           ptrdiff_t row, const real *grad,
                                                           ptrdiff_t C) {
    const vec g = load(grad);
#pragma GCC unroll 3
    for (int j = 0; j < 3; j++)
        if (j >= taps[0] && j < taps[1])
#pragma GCC unroll 3
            for (int i = 0; i < rows; i++) sum[i][j] += load(x + i * row + j * C) * g;
}

static inline __attribute__((always_inline)) void add_row(const Row *r, const int rows,
                                                          const int stride) {
    const ptrdiff_t C = r->C, step = stride * C;
    for (ptrdiff_t c = 0; c + LANES <= C; c += LANES) {
        const real *x = r->x + c, *grad = r->grad + c;
        ptrdiff_t o = 0;
        do { /* once, but for rows of more than PIECE outputs */
            vec sum[3][3] = {{{0}}};
            for (; o < r->lo; o++)
                add_edge(sum, rows, r->edge + 2 * o, x + o * step, r->row, grad + o * C, C);
            const ptrdiff_t stop = MIN(r->hi, o + PIECE), end = stop < r->hi ? stop : r->outputs;
            for (; o + 4 <= stop; o += 4) {
                if (c % LINE == 0) ask_ahead(r, stride, o, c);
                add_outputs(sum, rows, 4, stride, x + o * step, r->row, grad + o * C, C);
            }
            for (; o + 2 <= stop; o += 2)
                add_outputs(sum, rows, 2, stride, x + o * step, r->row, grad + o * C, C);
            for (; o < end; o++)
                add_edge(sum, rows, r->edge + 2 * o, x + o * step, r->row, grad + o * C, C);
#pragma GCC unroll 9
            for (int tap = 0; tap < 3 * rows; tap++) {
                real *to = r->sums + tap * C + c;
                store(to, load(to) + sum[tap / 3][tap % 3]);
            }
        } while (o < r->outputs);
    }
}

/* One function per number of rows and stride, so that all sums have a register. */
#define ADD_ROW(rows, stride)                                                                      \
    static __attribute__((noinline)) void add_row_##rows##_##stride(const Row *r) {                \
        add_row(r, rows, stride);                                                                  \
    }
ADD_ROW(1, 1)
ADD_ROW(1, 2)
ADD_ROW(2, 1)
ADD_ROW(2, 2)
ADD_ROW(3, 1)
ADD_ROW(3, 2)

static void (*const add_rows[3][2])(const Row *) = {
    {add_row_1_1, add_row_1_2}, {add_row_2_1, add_row_2_2}, {add_row_3_1, add_row_3_2}};

typedef struct {
    const real *x, *grad;
    const ConvSizes *g;
    Taps rows, cols;
    int narrow; /* by `Row` */
    ptrdiff_t lo, hi, *edge;
} WeightGrad;

/* Adds one row of outputs of image n. */
static void output_row(const WeightGrad *w, ptrdiff_t n, ptrdiff_t oh, real *sums) {
    const ConvSizes *g = w->g;
    const ptrdiff_t C = g->C, image_row = g->W * C;
    const ptrdiff_t y = n * g->H + oh * g->stride_y + w->rows.first; /* the window's first row */
    const real *x = w->x + w->cols.first * C, *grad = w->grad + (n * g->OH + oh) * g->OW * C;
    ptrdiff_t i0, i1, done = 0; /* channels */
    taps_inside(&w->rows, oh, g->stride_y, g->H, &i0, &i1);
    if (w->narrow && i0 < i1) {
        const Row r = {
            .x = x + (y + i0 * w->rows.step) * image_row,
            .grad = grad,
            .ahead = x + (y + (g->KH - 1) * w->rows.step + 1) * image_row,
            .sums = sums + i0 * 3 * C,
            .C = C,
            .outputs = g->OW,
            .row = w->rows.step * image_row,
            .image_row = image_row,
            .new_rows = g->stride_y,
            .lo = w->lo,
            .hi = w->hi,
            .edge = w->edge,
        };
        add_rows[i1 - i0 - 1][g->stride_x - 1](&r);
        done = C / LANES * LANES;
    }
    for (ptrdiff_t i = i0; i < i1 && done < C; i++)
        for (ptrdiff_t j = 0; j < g->KW; j++) {
            const real *line = x + (y + i * w->rows.step) * image_row + j * w->cols.step * C;
            ptrdiff_t from, to;
            outputs_inside(&w->cols, j, g->stride_x, g->W, g->OW, &from, &to);
            for (; from < to; from += PIECE)
                add_products(line + from * g->stride_x * C, g->stride_x * C, grad + from * C, C,
                             done, MIN(PIECE, to - from), sums + (i * g->KW + j) * C);
        }
}

/* sums: two gradients' worth, the first of which is the result. */
static void chunk_task(const WeightGrad *w, ptrdiff_t chunks, ptrdiff_t k, real *sums) {
    const ConvSizes *g = w->g;
    const ptrdiff_t size = g->KH * g->KW * g->C;
    const ptrdiff_t low = panel_start(g->N, chunks, k) * g->OH;
    const ptrdiff_t high = panel_start(g->N, chunks, k + 1) * g->OH;
    memset(sums, 0, 2 * size * sizeof(real));
    for (ptrdiff_t row = low; row < high;) {
        const ptrdiff_t stop = MIN(row + MANY_ROWS, high);
        real *to = row == low ? sums : sums + size;
        for (; row < stop; row++) output_row(w, row / g->OH, row % g->OH, to);
        for (ptrdiff_t i = 0; to != sums && i < size; i++) sums[i] += to[i], to[i] = 0;
    }
}

/* Padding counts as zeros, and the rows above skip it: grad_weight += 0 * grad, which is NaN where
   grad is no finite number. */
static void add_outside(const WeightGrad *w, real *grad_weight) {
    const ConvSizes *g = w->g;
    for (ptrdiff_t i = 0; i < g->KH; i++)
        for (ptrdiff_t j = 0; j < g->KW; j++) {
            real *to = grad_weight + (i * g->KW + j) * g->C;
            ptrdiff_t y0, y1, x0, x1; /* the outputs that see the tap inside */
            outputs_inside(&w->rows, i, g->stride_y, g->H, g->OH, &y0, &y1);
            outputs_inside(&w->cols, j, g->stride_x, g->W, g->OW, &x0, &x1);
            for (ptrdiff_t row = 0; row < g->N * g->OH; row++)
                for (ptrdiff_t ox = 0; ox < g->OW; ox++) {
                    const ptrdiff_t oy = row % g->OH;
                    const real *grad = w->grad + (row * g->OW + ox) * g->C;
                    if (oy >= y0 && oy < y1 && ox >= x0 && ox < x1) continue;
                    for (ptrdiff_t c = 0; c < g->C; c++) to[c] += 0 * grad[c];
                }
        }
}

/* Whether some window lies in the padding as a whole: its gradient reaches no sum. */
static int some_window_outside(const WeightGrad *w) {
    ptrdiff_t from, to;
    for (ptrdiff_t oy = 0; oy < w->g->OH; oy++) {
        taps_inside(&w->rows, oy, w->g->stride_y, w->g->H, &from, &to);
        if (from >= to) return 1;
    }
    for (ptrdiff_t ox = 0; ox < w->g->OW; ox++)
        if (w->edge[2 * ox] >= w->edge[2 * ox + 1]) return 1;
    return 0;
}

int NAME(depthwise_weight_grad)(const real *x, const real *grad, real *grad_weight,
                                const ConvSizes *g, int threads) {
    const ptrdiff_t size = g->KH * g->KW * g->C, chunks = MIN(g->N, MAX_CHUNKS);
    real *copies = aligned_block(2 * chunks * size);
    ptrdiff_t *edge = malloc(MAX(1, g->OW) * 2 * sizeof(ptrdiff_t));
    if (!copies || !edge) {
        free(copies);
        free(edge);
        return -1;
    }
    WeightGrad w = {
        .x = x,
        .grad = grad,
        .g = g,
        .rows = forward_taps(g->KH, g->dilation_y, g->top),
        .cols = forward_taps(g->KW, g->dilation_x, g->left),
        .narrow = g->KH <= 3 && g->KW == 3 && g->dilation_x == 1 && g->stride_x <= 2,
        .edge = edge,
    };
    all_inside(&w.cols, g->stride_x, g->W, g->OW, &w.lo, &w.hi);
    for (ptrdiff_t o = 0; o < g->OW; o++)
        taps_inside(&w.cols, o, g->stride_x, g->W, &edge[2 * o], &edge[2 * o + 1]);
    if (g->N * g->OH * g->OW * size < PARALLEL_WORK) threads = 1;
#pragma omp parallel for num_threads(threads)
    for (ptrdiff_t k = 0; k < chunks; k++) chunk_task(&w, chunks, k, copies + 2 * k * size);
    for (ptrdiff_t i = 0; i < size; i++) {
        real sum = copies[i];
        for (ptrdiff_t k = 1; k < chunks; k++) sum += copies[2 * k * size + i];
        grad_weight[i] = sum;
    }
    /* A gradient which is not finite shows in the sum of some tap that lies inside. */
    if (some_window_outside(&w) || !all_finite(grad_weight, size)) add_outside(&w, grad_weight);
    free(copies);
    free(edge);
    return 0;
}
