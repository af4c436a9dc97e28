/* gather, scatter_add, one_hot: rows of D elements, S indices.

   Split of work: gather over the indices. scatter_add over slices of SLICE columns if the rows are
   wide, else over RANGES ranges of destination rows, each of which reads all indices; either way
   one thread owns a destination and adds to it in index order, so the sum does not depend on the
   threads. */

#include "index.h"
#include <string.h>

#define SLICE 64
#define RANGES 8
#define PARALLEL_MIN 65536

void NAME(gather)(const real *x, const void *indices, real *y, ptrdiff_t S, ptrdiff_t D, int wide,
                  int threads) {
#pragma omp parallel for num_threads(threads)                                                      \
    schedule(static) if (threads > 1 && S * D >= PARALLEL_MIN)
    for (ptrdiff_t s = 0; s < S; s++)
        memcpy(y + s * D, x + index_at(indices, s, wide) * D, D * sizeof(real));
}

/* Columns low ... high - 1 of the destination rows first ... last - 1. */
static void add_part(const real *x, const void *indices, real *y, ptrdiff_t S, ptrdiff_t D,
                     int wide, ptrdiff_t first, ptrdiff_t last, ptrdiff_t low, ptrdiff_t high) {
    for (ptrdiff_t s = 0; s < S; s++) {
        const ptrdiff_t row = index_at(indices, s, wide);
        if (row < first || row >= last) continue;
#pragma omp simd
        for (ptrdiff_t d = low; d < high; d++) y[row * D + d] += x[s * D + d];
    }
}

void NAME(scatter_add)(const real *x, const void *indices, real *y, ptrdiff_t S, ptrdiff_t D,
                       ptrdiff_t rows, int wide, int threads) {
    if (threads == 1 || S * D < PARALLEL_MIN) {
        add_part(x, indices, y, S, D, wide, 0, rows, 0, D);
    } else if (D >= 2 * SLICE) {
#pragma omp parallel for num_threads(threads) schedule(static)
        for (ptrdiff_t low = 0; low < D; low += SLICE)
            add_part(x, indices, y, S, D, wide, 0, rows, low, MIN(low + SLICE, D));
    } else {
#pragma omp parallel for num_threads(threads) schedule(static)
        for (int r = 0; r < RANGES; r++)
            add_part(x, indices, y, S, D, wide, rows * r / RANGES, rows * (r + 1) / RANGES, 0, D);
    }
}

void NAME(one_hot)(const void *indices, real *y, ptrdiff_t S, ptrdiff_t depth, int wide) {
    for (ptrdiff_t s = 0; s < S; s++) y[s * depth + index_at(indices, s, wide)] = 1;
}
