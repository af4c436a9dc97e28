/* Reading and adding rows by index. Indices are int32 or int64 (`wide`), already checked. */

#ifndef TINYDL_INDEX_H
#define TINYDL_INDEX_H

#include "kernel.h"

/* x (V, D), indices (S,), y (S, D): y[s] = x[indices[s]]. */
#define GATHER_ARGS(real)                                                                          \
    (const real *x, const void *indices, real *y, ptrdiff_t S, ptrdiff_t D, int wide, int threads)
KERNEL(void, gather, GATHER_ARGS)

/* x (S, D), indices (S,), y (rows, D), zeroed by the caller: y[indices[s]] += x[s], s ascending. */
#define SCATTER_ADD_ARGS(real)                                                                     \
    (const real *x, const void *indices, real *y, ptrdiff_t S, ptrdiff_t D, ptrdiff_t rows,        \
     int wide, int threads)
KERNEL(void, scatter_add, SCATTER_ADD_ARGS)

/* y (S, depth), zeroed by the caller: y[s, indices[s]] = 1. */
#define ONE_HOT_ARGS(real) (const void *indices, real *y, ptrdiff_t S, ptrdiff_t depth, int wide)
KERNEL(void, one_hot, ONE_HOT_ARGS)

static inline ptrdiff_t index_at(const void *indices, ptrdiff_t s, int wide) {
    return wide ? (ptrdiff_t)((const int64_t *)indices)[s] : ((const int32_t *)indices)[s];
}

/* Place of the first index outside 0 <= index < size, or -1. */
static inline ptrdiff_t first_bad_index(const void *indices, ptrdiff_t S, ptrdiff_t size,
                                        int wide) {
    for (ptrdiff_t s = 0; s < S; s++) {
        const ptrdiff_t index = index_at(indices, s, wide);
        if (index < 0 || index >= size) return s;
    }
    return -1;
}

#endif
