/* Running sums: x, y (A, R, B), y[a, r, b] = sum of x[a, j, b] over j <= r (or j >= r), one by one.

   Split of work: (a, slice of SLICE columns). A row that is summed along itself (B = 1) is one
   chain of additions; with B > 1 whole rows are added, which is vector code. */

#include "reduce.h"

#define SLICE 256
#define PARALLEL_MIN 65536

/* Columns low ... high - 1 of one a: each row is the row before it plus x. */
static void add_rows(const real *x, real *y, ptrdiff_t R, ptrdiff_t B, ptrdiff_t low,
                     ptrdiff_t high, int reverse) {
    const ptrdiff_t step = reverse ? -B : B, first = reverse ? (R - 1) * B : 0;
    for (ptrdiff_t b = low; b < high; b++) y[first + b] = x[first + b];
    for (ptrdiff_t r = 1, row = first + step; r < R; r++, row += step) {
#pragma omp simd
        for (ptrdiff_t b = low; b < high; b++) y[row + b] = y[row + b - step] + x[row + b];
    }
}

static void add_along(const real *x, real *y, ptrdiff_t R, int reverse) {
    real total = 0;
    for (ptrdiff_t r = 0; r < R; r++) {
        const ptrdiff_t i = reverse ? R - 1 - r : r;
        total += x[i];
        y[i] = total;
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
