/* Sum, largest or smallest value of one run of numbers: what reductions and softmax have in common.

   A run is cut into blocks of BLOCK elements. In a block, LANES partial results fill four vector
   registers: an addition need not wait for the one before, and each result holds few terms. */

#ifndef TINYDL_RUNS_H
#define TINYDL_RUNS_H

#include "kernel.h"
#include <math.h>

enum { REDUCE_SUM = 0, REDUCE_MAX = 1, REDUCE_MIN = 2 };

#ifdef SUFFIX

#define LANES (4 * VECTOR_BYTES / (ptrdiff_t)sizeof(real))
#define BLOCK (32 * LANES)
#define INLINE static inline __attribute__((always_inline))

/* Whether a beats b in a maximum or minimum; false if either is NaN. */
INLINE int beats(int op, real a, real b) { return op == REDUCE_MAX ? a > b : a < b; }

/* NaN wins: `best` is b if either is NaN, then a is put back if it was the one. */
INLINE real combine(int op, real a, real b) {
    if (op == REDUCE_SUM) return a + b;
    const real best = beats(op, a, b) ? a : b;
    return a != a ? a : best;
}

INLINE real neutral(int op) {
    return op == REDUCE_SUM ? 0 : op == REDUCE_MAX ? -(real)INFINITY : (real)INFINITY;
}

/* At most BLOCK elements x[0], x[stride], ...: LANES interleaved results, folded in halves. */
INLINE real reduce_block_strided(int op, const real *x, ptrdiff_t n, ptrdiff_t stride) {
    real lane[LANES];
    for (ptrdiff_t l = 0; l < LANES; l++) lane[l] = neutral(op);
    ptrdiff_t i = 0;
    for (; i + LANES <= n; i += LANES)
        for (ptrdiff_t l = 0; l < LANES; l++) lane[l] = combine(op, lane[l], x[(i + l) * stride]);
    /* What is left fills the first lanes, a whole register at a time as long as that goes. */
    enum { REGISTER = LANES / 4 };
    ptrdiff_t first = 0;
    for (; i + first + REGISTER <= n; first += REGISTER)
        for (ptrdiff_t l = first; l < first + REGISTER; l++)
            lane[l] = combine(op, lane[l], x[(i + l) * stride]);
    for (ptrdiff_t l = first; i + l < n; l++) lane[l] = combine(op, lane[l], x[(i + l) * stride]);
    for (ptrdiff_t width = LANES / 2; width > 0; width /= 2)
        for (ptrdiff_t l = 0; l < width; l++) lane[l] = combine(op, lane[l], lane[l + width]);
    return lane[0];
}

/* The same for few elements (the classes of a softmax): no register full of lanes to set up. */
INLINE real reduce_short(int op, const real *x, ptrdiff_t n, ptrdiff_t stride) {
    real a = neutral(op), b = a, c = a, d = a;
    ptrdiff_t i = 0;
    for (; i + 4 <= n; i += 4) {
        a = combine(op, a, x[i * stride]);
        b = combine(op, b, x[(i + 1) * stride]);
        c = combine(op, c, x[(i + 2) * stride]);
        d = combine(op, d, x[(i + 3) * stride]);
    }
    for (; i < n; i++) a = combine(op, a, x[i * stride]);
    return combine(op, combine(op, a, b), combine(op, c, d));
}

INLINE real reduce_block(int op, const real *x, ptrdiff_t n, ptrdiff_t stride) {
    if (n < LANES) return reduce_short(op, x, n, stride);
    return stride == 1 ? reduce_block_strided(op, x, n, 1) : reduce_block_strided(op, x, n, stride);
}

#endif
#endif
