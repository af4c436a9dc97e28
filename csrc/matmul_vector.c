/* Products of a vector and a matrix, [1 x K] @ [K x n] or [n x K] @ [K x 1]: limited by reading the
   matrix, which is read once, as its rows or its columns lie in memory.

   A running sum has at most LONGEST products (LONGEST_DOT where it is kept in 4 * LANES parts); the
   sums of the pieces of K are added in order. No sum depends on how the outputs are cut. */

#include "matmul_vector.h"

#include "tile.h"

#define LONGEST_DOT (8 * LONGEST)

/* y[j] = sum_k x[k] * m[k*row + j] for n < LANES columns. A whole vector is loaded as long as it
   ends before the last row of m does. */
static void few_columns(const real *x, ptrdiff_t x_step, const real *m, ptrdiff_t row, real *y,
                        int n, ptrdiff_t K) {
    const ptrdiff_t whole = row > 0 ? MAX(0, K - CEIL_DIV(LANES - n, row)) : 0;
    vec first = {0};
    for (ptrdiff_t k = 0; k < whole; k++) first += x[k * x_step] * load(m + k * row);
    real sum[LANES];
    store(sum, first);
    for (ptrdiff_t k = whole; k < K; k++)
        for (int j = 0; j < n; j++) sum[j] += x[k * x_step] * m[k * row + j];
    memcpy(y, sum, n * sizeof(real));
}

/* The same for `vectors` vectors of adjacent columns in registers, the last of them at column
   `last`, where it may overlap the one before: it computes the same sums. */
static inline __attribute__((always_inline)) void column_sums(const real *x, ptrdiff_t x_step,
                                                              const real *m, ptrdiff_t row, real *y,
                                                              ptrdiff_t K, const int vectors,
                                                              ptrdiff_t last) {
    vec sum[16];
#pragma GCC unroll 16
    for (int v = 0; v < vectors; v++) sum[v] = (vec){0};
    for (ptrdiff_t k = 0; k < K; k++, m += row) {
        const real s = x[k * x_step];
#pragma GCC unroll 16
        for (int v = 0; v < vectors - 1; v++) sum[v] += s * load(m + v * LANES);
        sum[vectors - 1] += s * load(m + last);
    }
#pragma GCC unroll 16
    for (int v = 0; v < vectors - 1; v++) store(y + v * LANES, sum[v]);
    store(y + last, sum[vectors - 1]);
}

/* y[j] = sum_k x[k] * m[k*row + j]: m is read once.  [1 x K] @ [K x n] */
static void vector_times_columns(const real *x, ptrdiff_t x_step, const real *m, ptrdiff_t row,
                                 real *y, ptrdiff_t n, ptrdiff_t K) {
    enum { WIDE = VECTOR_BYTES == 64 ? 16 : 8 };
    ptrdiff_t j = 0;
    for (; j + WIDE * LANES <= n; j += WIDE * LANES)
        column_sums(x, x_step, m + j, row, y + j, K, WIDE, (WIDE - 1) * LANES);
    for (; j + 8 * LANES <= n; j += 8 * LANES)
        column_sums(x, x_step, m + j, row, y + j, K, 8, 7 * LANES);
    for (; j + 4 * LANES <= n; j += 4 * LANES)
        column_sums(x, x_step, m + j, row, y + j, K, 4, 3 * LANES);
    if (n < LANES) {
        few_columns(x, x_step, m, row, y, (int)n, K);
        return;
    }
    m += j, y += j, n -= j;
    switch (CEIL_DIV(n, LANES)) {
    case 4:
        column_sums(x, x_step, m, row, y, K, 4, n - LANES);
        break;
    case 3:
        column_sums(x, x_step, m, row, y, K, 3, n - LANES);
        break;
    case 2:
        column_sums(x, x_step, m, row, y, K, 2, n - LANES);
        break;
    case 1:
        column_sums(x, x_step, m, row, y, K, 1, n - LANES);
        break;
    }
}

/* sums[v] += sum_r x[r] * m[r*row + v*LANES ...] for a few rows and vectors of each. */
static inline __attribute__((always_inline)) void add_vectors(vec *sums, const real *x,
                                                              const real *m, ptrdiff_t row,
                                                              const int vectors, const int rows) {
    vec sum[4];
#pragma GCC unroll 4
    for (int v = 0; v < vectors; v++) sum[v] = sums[v];
#pragma GCC unroll 4
    for (int r = 0; r < rows; r++)
#pragma GCC unroll 4
        for (int v = 0; v < vectors; v++) sum[v] += x[r] * load(m + r * row + v * LANES);
#pragma GCC unroll 4
    for (int v = 0; v < vectors; v++) sums[v] = sum[v];
}

#define CHUNK (4096 / (int)sizeof(real)) /* a page: beyond it no row is fetched ahead */
typedef struct {
    ptrdiff_t n, head, middle;             /* columns, those before the middle, vectors in it */
    vec first, last, inner[CHUNK / LANES]; /* `first` only with a head, `last` with a rest */
} RowSums;

static inline __attribute__((always_inline)) void add_rows(RowSums *s, const real *x,
                                                           ptrdiff_t x_step, const real *m,
                                                           ptrdiff_t row, const int rows) {
    real part[4];
    for (int r = 0; r < rows; r++) part[r] = x[r * x_step];
    if (s->head > 0) add_vectors(&s->first, part, m, row, 1, rows);
    ptrdiff_t v = 0;
    for (; v + 4 <= s->middle; v += 4)
        add_vectors(s->inner + v, part, m + s->head + v * LANES, row, 4, rows);
    for (; v < s->middle; v++)
        add_vectors(s->inner + v, part, m + s->head + v * LANES, row, 1, rows);
    if (s->head + s->middle * LANES < s->n)
        add_vectors(&s->last, part, m + s->n - LANES, row, 1, rows);
}

/* The same for n <= CHUNK columns of wide rows: four rows at a time from their beginning to their
   end, as memory likes to be read, with the sums in the L1 cache. Sums over k in the same order.

   If all rows lie alike to the cache lines, the inner vectors start on one: NumPy's arrays begin 16
   bytes into a line, and a load that crosses lines costs two. The first vector and the last may
   overlap their neighbours, whose sums they compute too. */
static void vector_times_rows(const real *x, ptrdiff_t x_step, const real *m, ptrdiff_t row,
                              real *y, ptrdiff_t n, ptrdiff_t K) {
    if (n <= 16 * LANES) {
        vector_times_columns(x, x_step, m, row, y, n, K);
        return;
    }
    const ptrdiff_t past = (ptrdiff_t)((uintptr_t)m % VECTOR_BYTES / sizeof(real));
    const ptrdiff_t head = row % LANES == 0 && past > 0 ? LANES - past : 0;
    RowSums s; /* no initialiser, which would clear all of it */
    s.n = n, s.head = head, s.middle = (n - head) / LANES;
    s.first = s.last = (vec){0};
    memset(s.inner, 0, s.middle * sizeof(vec));
    ptrdiff_t k = 0;
    for (; k + 4 <= K; k += 4) add_rows(&s, x + k * x_step, x_step, m + k * row, row, 4);
    for (; k < K; k++) add_rows(&s, x + k * x_step, x_step, m + k * row, row, 1);
    if (head > 0) store(y, s.first);
    memcpy(y + head, s.inner, s.middle * sizeof(vec));
    if (head + s.middle * LANES < n) store(y + n - LANES, s.last);
}

/* y[i] = sum_k m[i*row + k] * x[k]: dot products of TOGETHER rows, which share the loads of x.
   [n x K] @ [K x 1] */
#define TOGETHER (VECTOR_BYTES == 64 ? 4 : 2)
static inline
    __attribute__((always_inline)) void dot_products(const real *m, ptrdiff_t row, const real *x,
                                                     real *y, const int rows, ptrdiff_t K) {
    vec sum[TOGETHER][4];
#pragma GCC unroll 4
    for (int r = 0; r < rows; r++)
#pragma GCC unroll 4
        for (int v = 0; v < 4; v++) sum[r][v] = (vec){0};
    ptrdiff_t k = 0;
    for (; k + 4 * LANES <= K; k += 4 * LANES)
#pragma GCC unroll 4
        for (int v = 0; v < 4; v++) {
            const vec part = load(x + k + v * LANES);
#pragma GCC unroll 4
            for (int r = 0; r < rows; r++) sum[r][v] += load(m + r * row + k + v * LANES) * part;
        }
    for (; k + LANES <= K; k += LANES)
        for (int r = 0; r < rows; r++) sum[r][0] += load(m + r * row + k) * load(x + k);
#pragma GCC unroll 4
    for (int r = 0; r < rows; r++) {
        const vec all = (sum[r][0] + sum[r][1]) + (sum[r][2] + sum[r][3]);
        real total = 0;
        for (int v = 0; v < LANES; v++) total += all[v];
        for (ptrdiff_t rest = k; rest < K; rest++) total += m[r * row + rest] * x[rest];
        y[r] = total;
    }
}

static void rows_times_vector(const real *m, ptrdiff_t row, const real *x, real *y, ptrdiff_t n,
                              ptrdiff_t K) {
    ptrdiff_t i = 0;
    for (; i + TOGETHER <= n; i += TOGETHER) dot_products(m + i * row, row, x, y + i, TOGETHER, K);
    for (; i < n; i++) dot_products(m + i * row, row, x, y + i, 1, K);
}

/* y[j] = sum_k x[k * x_step] * m[j*out + k*in] for n <= CHUNK outputs; out or in is 1. */
static void multiply_pieces(const real *x, ptrdiff_t x_step, const real *m, ptrdiff_t out,
                            ptrdiff_t in, real *y, ptrdiff_t n, ptrdiff_t K) {
    const ptrdiff_t pieces = MAX(1, CEIL_DIV(K, out == 1 ? LONGEST : LONGEST_DOT));
    real part[CHUNK];
    for (ptrdiff_t piece = 0; piece < pieces; piece++) {
        const ptrdiff_t k = panel_start(K, pieces, piece);
        const ptrdiff_t run = panel_start(K, pieces, piece + 1) - k;
        real *to = piece == 0 ? y : part;
        if (out == 1)
            vector_times_rows(x + k * x_step, x_step, m + k * in, in, to, n, run);
        else
            rows_times_vector(m + k, out, x + k, to, n, run);
        for (ptrdiff_t j = 0; piece > 0 && j < n; j++) y[j] += part[j];
    }
}

/* M = 1 or N = 1, seen as one vector (K) times a matrix with n outputs; member `me` of a team takes
   every team-th chunk of outputs.  [1 x K] @ [K x n] or [n x K] @ [K x 1] */
void NAME(multiply_vector)(const Product *p, int team, int me) {
    const int row_vector = p->M == 1;
    const real *x = row_vector ? p->a : p->b, *m = row_vector ? p->b : p->a;
    const ptrdiff_t x_step = row_vector ? p->a_col : p->b_row;
    const ptrdiff_t n = row_vector ? p->N : p->M;
    const ptrdiff_t out = row_vector ? p->b_col : p->a_row, in = row_vector ? p->b_row : p->a_col;
    /* At most CHUNK sums, and as many chunks for each member; no sum depends on the cut. */
    const ptrdiff_t chunks = CEIL_DIV(CEIL_DIV(n, CHUNK), team) * team;
    for (ptrdiff_t c = me; c < chunks; c += team) {
        const ptrdiff_t start = panel_start(CEIL_DIV(n, LANES), chunks, c) * LANES;
        const ptrdiff_t end = MIN(n, panel_start(CEIL_DIV(n, LANES), chunks, c + 1) * LANES);
        const ptrdiff_t count = end - start;
        if (count <= 0) continue;
        multiply_pieces(x, x_step, m + start * out, out, in, p->c + start, count, p->K);
        finish(p->c + start, count, p->bias ? p->bias + (row_vector ? start : 0) : NULL, row_vector,
               p->epilogue);
    }
}
