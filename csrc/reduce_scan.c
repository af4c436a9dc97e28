/* Running sums: x, y (A, R, B), y[a, r, b] = sum of x[a, j, b] over j <= r (or j >= r), one by one.

   Split of work: (a, slice of SLICE columns). A row that is summed along itself (B = 1) is one
   chain of additions; with B > 1 whole rows are added, which is vector code. After PIECE numbers
   the running sum starts anew, and the sum of all before is added to it: one chain over many
   numbers would lose the small ones. The sum of what was before a piece is kept the same way. */

#include "reduce.h"

#include <string.h>

#define SLICE 256
#define PIECE 512
#define PARALLEL_MIN 65536

/* Columns low ... high - 1 of one a: each row is the row before it plus x. */
static void add_rows(const real *x, real *y, ptrdiff_t R, ptrdiff_t B, ptrdiff_t low,
                     ptrdiff_t high, int reverse) {
    const ptrdiff_t step = reverse ? -B : B, n = high - low;
    /* Sums: of this piece, of the pieces before it, of those before them; the last two together. */
    real here[SLICE], pieces[SLICE] = {0}, before[SLICE] = {0}, start[SLICE] = {0};
    x += (reverse ? (R - 1) * B : 0) + low, y += (reverse ? (R - 1) * B : 0) + low;
    for (ptrdiff_t r = 0; r < R; r++, x += step, y += step) {
        if (r % PIECE == 0) { /* a new piece; after PIECE of them, a new sum of pieces */
            for (ptrdiff_t b = 0; r > 0 && b < n; b++) pieces[b] += here[b];
            for (ptrdiff_t b = 0; r % (PIECE * PIECE) == 0 && b < n; b++)
                before[b] += pieces[b], pieces[b] = 0;
            for (ptrdiff_t b = 0; b < n; b++) start[b] = before[b] + pieces[b];
            memset(here, 0, n * sizeof(real));
        }
#pragma omp simd
        for (ptrdiff_t b = 0; b < n; b++) {
            here[b] += x[b];
            y[b] = start[b] + here[b];
        }
    }
}

static void add_along(const real *x, real *y, ptrdiff_t R, int reverse) {
    const ptrdiff_t step = reverse ? -1 : 1;
    real before = 0, pieces = 0;
    if (reverse) x += R - 1, y += R - 1;
    for (ptrdiff_t low = 0; low < R; low += PIECE) {
        const real start = before + pieces;
        real here = 0;
        for (ptrdiff_t r = low; r < MIN(low + PIECE, R); r++) {
            here += x[r * step];
            y[r * step] = start + here;
        }
        pieces += here;
        if ((low / PIECE + 1) % PIECE == 0) before += pieces, pieces = 0;
    }
}

void NAME(cumsum)(const real *x, real *y, ptrdiff_t A, ptrdiff_t R, ptrdiff_t B, int reverse,
                  int threads) {
    const ptrdiff_t slices = CEIL_DIV(B, SLICE), tasks = A * slices;
#pragma omp parallel for num_threads(threads)                                                      \
    schedule(static) if (threads > 1 && A * R * B >= PARALLEL_MIN)
    for (ptrdiff_t t = 0; t < tasks; t++) {
        const ptrdiff_t start = t / slices * R * B, low = t % slices * SLICE;
        if (B == 1)
            add_along(x + start, y + start, R, reverse);
        else
            add_rows(x + start, y + start, R, B, low, MIN(low + SLICE, B), reverse);
    }
}
