/* Depthwise convolution (conv_depthwise.c), gradient of the weight.

   grad_weight[kh, kw, c] sums x * grad over the outputs that meet the tap. For windows three wide,
   one row of outputs is taken at once: the sums of all its taps stay in registers while the
   outputs pass four at a time, and every pixel is loaded once for all of them. Other windows, and
   channels that fill no vector, go tap by tap.

   Split of work: at most 8 chunks of images with a copy of the gradient each, added in index order:
   the number of threads never changes a result.
 */

#include "depthwise.h"

#include "vector.h"
#include "window.h"

#define PARALLEL_WORK 65536
#define MAX_CHUNKS 8
#define LINE (64 / (ptrdiff_t)sizeof(real)) /* elements of a cache line */
#define TOGETHER 4                          /* outputs at once */

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
    for (; c < C; c++)
        for (ptrdiff_t p = 0; p < count; p++) sum[c] += x[p * step + c] * grad[p * C + c];
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
        vec sum[3][3] = {{{0}}};
        const real *x = r->x + c, *grad = r->grad + c;
        ptrdiff_t o = 0;
        for (; o < r->lo; o++)
            add_edge(sum, rows, r->edge + 2 * o, x + o * step, r->row, grad + o * C, C);
        for (; o + 4 <= r->hi; o += 4) {
            if (c % LINE == 0) ask_ahead(r, stride, o, c);
            add_outputs(sum, rows, 4, stride, x + o * step, r->row, grad + o * C, C);
        }
        for (; o + 2 <= r->hi; o += 2)
            add_outputs(sum, rows, 2, stride, x + o * step, r->row, grad + o * C, C);
        for (; o < r->outputs; o++)
            add_edge(sum, rows, r->edge + 2 * o, x + o * step, r->row, grad + o * C, C);
#pragma GCC unroll 9
        for (int tap = 0; tap < 3 * rows; tap++) {
            real *to = r->sums + tap * C + c;
            store(to, load(to) + sum[tap / 3][tap % 3]);
        }
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
            if (from < to)
                add_products(line + from * g->stride_x * C, g->stride_x * C, grad + from * C, C,
                             done, to - from, sums + (i * g->KW + j) * C);
        }
}

static void chunk_task(const WeightGrad *w, ptrdiff_t chunks, ptrdiff_t k, real *sums) {
    const ConvSizes *g = w->g;
    memset(sums, 0, g->KH * g->KW * g->C * sizeof(real));
    const ptrdiff_t end = panel_start(g->N, chunks, k + 1);
    for (ptrdiff_t n = panel_start(g->N, chunks, k); n < end; n++)
        for (ptrdiff_t oh = 0; oh < g->OH; oh++) output_row(w, n, oh, sums);
}

int NAME(depthwise_weight_grad)(const real *x, const real *grad, real *grad_weight,
                                const ConvSizes *g, int threads) {
    const ptrdiff_t size = g->KH * g->KW * g->C, chunks = MIN(g->N, MAX_CHUNKS);
    real *copies = aligned_block(chunks * size);
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
    for (ptrdiff_t k = 0; k < chunks; k++) chunk_task(&w, chunks, k, copies + k * size);
    for (ptrdiff_t i = 0; i < size; i++) {
        real sum = copies[i];
        for (ptrdiff_t k = 1; k < chunks; k++) sum += copies[k * size + i];
        grad_weight[i] = sum;
    }
    free(copies);
    free(edge);
    return 0;
}
