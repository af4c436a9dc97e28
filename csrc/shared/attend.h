/* What attention forward and backward share: operands in the order in which tile.h reads them, and
   which keys a query sees. */

#ifndef TINYDL_ATTEND_H
#define TINYDL_ATTEND_H

#include "attention.h"
#include "philox.h"
#include "tile.h"
#include "vecmath.h"

#define KEYS 128 /* of one tile: a multiple of TILE_COLS, few enough for one batch of Philox */
#define WIDTH(n) (CEIL_DIV(n, LANES) * LANES)
#define PANELS(n) (CEIL_DIV(n, TILE_COLS) * TILE_COLS)

/* Rows x (count, n), `step` apart, as columns: panels of TILE_COLS rows, n x TILE_COLS each. */
static void pack_columns(const real *x, ptrdiff_t step, ptrdiff_t count, ptrdiff_t n, real *to) {
    for (ptrdiff_t j = 0; j < count; j += TILE_COLS)
        pack_panel(x + j * step, 1, step, to + j * n, n, (int)MIN(TILE_COLS, count - j), TILE_COLS);
}

/* Rows x (count, n), `step` apart, times factor, WIDTH(n) apart. A row with a number that is not
   finite becomes 0, and absent[row] 1: a weight of 0 times NaN would be NaN, and what a query does
   not see must not reach it. Returns whether there is such a row; absent may be NULL. */
static int pack_rows(const real *x, ptrdiff_t step, ptrdiff_t count, ptrdiff_t n, real factor,
                     real *to, uint8_t *absent) {
    const ptrdiff_t width = WIDTH(n);
    int found = 0;
    for (ptrdiff_t i = 0; i < count; i++, x += step, to += width) {
        real zero = 0;
#pragma omp simd reduction(+ : zero)
        for (ptrdiff_t e = 0; e < n; e++) {
            to[e] = x[e] * factor;
            zero += x[e] * 0;
        }
        for (ptrdiff_t e = n; e < width; e++) to[e] = 0;
        const int whole = zero == 0;
        if (!whole) memset(to, 0, width * sizeof(real));
        if (absent) absent[i] = !whole;
        found |= !whole;
    }
    return found;
}

/* y (rows, n) += weight * x of the rows of x that pack_rows took away, where the weight is not 0.
   weights (rows, count) at any steps. */
static void add_absent(const real *weights, ptrdiff_t row, ptrdiff_t column, ptrdiff_t rows,
                       ptrdiff_t count, const uint8_t *absent, const real *x, ptrdiff_t step,
                       ptrdiff_t n, real *y, ptrdiff_t y_row) {
    for (ptrdiff_t j = 0; j < count; j++)
        for (ptrdiff_t i = 0; absent[j] && i < rows; i++) {
            const real w = weights[i * row + j * column];
            for (ptrdiff_t e = 0; w != 0 && e < n; e++) y[i * y_row + e] += w * x[j * step + e];
        }
}

/* c (rows, columns) = a (rows, run) @ packed columns.  [rows x run] @ [run x columns] */
static inline void multiply_columns(const real *a, ptrdiff_t a_row, int rows, ptrdiff_t run,
                                    const real *packed, real *c, ptrdiff_t columns) {
    const ptrdiff_t zero = 0;
    const Tile t = {a_row, 1, 1, run, &zero, TILE_COLS, KEYS, 0, 0};
    for (ptrdiff_t j = 0; j < columns; j += TILE_COLS)
        tile(&t, rows, TILE_COLS, a, packed + j * run, c + j, NULL);
}

/* c (rows, width) += a (rows, run) @ b (run, width), rows of b and c `width` = WIDTH(n) apart. */
static inline void multiply_rows(const real *a, ptrdiff_t a_row, ptrdiff_t a_col, int rows,
                                 ptrdiff_t run, const real *b, real *c, ptrdiff_t width) {
    const ptrdiff_t zero = 0;
    const Tile t = {a_row, a_col, 1, run, &zero, width, width, 1, 0};
    for (ptrdiff_t e = 0; e < width; e += TILE_COLS)
        tile(&t, rows, (int)MIN(TILE_COLS, width - e), a, b + e, c + e, NULL);
}

/* One head of one sequence. */
typedef struct {
    const Attention *a;
    const uint8_t *mask;
    const real *bias;
    uint64_t element; /* of the first weight: (n * H + h) * L * S */
} Head;

static Head head_of(const Attention *a, const uint8_t *mask, const real *bias, ptrdiff_t n,
                    ptrdiff_t h) {
    return (Head){a, mask ? mask + n * a->mask[0] + h * a->mask[1] : NULL,
                  bias ? bias + n * a->bias[0] + h * a->bias[1] : NULL,
                  (uint64_t)(n * a->H + h) * (uint64_t)(a->L * a->S)};
}

/* How many of the keys j0 ... j0 + count - 1 query i sees under causality: the first so many. */
static inline ptrdiff_t keys_seen(const Attention *a, ptrdiff_t i, ptrdiff_t j0, ptrdiff_t count) {
    if (a->first < 0) return count;
    return MAX(0, MIN(count, i + a->first + 1 - j0));
}

/* The scores s of query i and the keys j0 ... j0 + count - 1: adds the bias; -inf where the mask or
   causality forbids. */
static void hide(const Head *head, ptrdiff_t i, ptrdiff_t j0, ptrdiff_t count, real *s) {
    const Attention *a = head->a;
    if (head->bias) {
        const ptrdiff_t step = a->bias[3];
        const real *b = head->bias + i * a->bias[2] + j0 * step;
        for (ptrdiff_t j = 0; j < count; j++) {
            const real added = b[j * step];
            s[j] = added == -(real)INFINITY ? added : s[j] + added;
        }
    }
    if (head->mask) {
        const ptrdiff_t step = a->mask[3];
        const uint8_t *m = head->mask + i * a->mask[2] + j0 * step;
        for (ptrdiff_t j = 0; j < count; j++) s[j] = m[j * step] ? s[j] : -(real)INFINITY;
    }
    for (ptrdiff_t j = keys_seen(a, i, j0, count); j < count; j++) s[j] = -(real)INFINITY;
}

/* factors[j] = what dropout multiplies the weight of query i and key j0 + j with, count <= KEYS. */
static void drop_factors(const Head *head, ptrdiff_t i, ptrdiff_t j0, ptrdiff_t count,
                         real *factors) {
    const Attention *a = head->a;
    const uint64_t first = head->element + (uint64_t)(i * a->S + j0);
    const int skip = (int)(first % 4);
    uint32_t words[4 * PHILOX_BATCH];
    philox(a->key, a->offset + first / 4, (int)CEIL_DIV(skip + count, 4), words);
    const real kept = (real)a->kept;
    for (ptrdiff_t j = 0; j < count; j++)
        factors[j] = words[skip + j] >> 8 < a->threshold ? kept : 0;
}

#endif
