/* Sum, largest or smallest value of one run of numbers: what reductions and softmax have in common.

   A run is cut into blocks of BLOCK elements. In a block, RUN_LANES partial results fill four
   vector registers: an addition need not wait for the one before, and each result holds few terms.
 */

#ifndef TINYDL_RUNS_H
#define TINYDL_RUNS_H

#include "kernel.h"
#include <math.h>

enum { REDUCE_SUM = 0, REDUCE_MAX = 1, REDUCE_MIN = 2 };

#ifdef SUFFIX

#include "vector.h"

#define RUN_LANES (4 * LANES)
#define BLOCK (32 * RUN_LANES)
#define INLINE static inline __attribute__((always_inline))

/* Whether a beats b in a maximum or minimum; false if either is NaN. */
INLINE int beats(int op, real a, real b) { return op == REDUCE_MAX ? a > b : a < b; }

/* NaN wins: `best` is b if either is NaN, then a is put back if it was the one. */
INLINE real combine(int op, real a, real b) {
    if (op == REDUCE_SUM) return a + b;
    const real best = beats(op, a, b) ? a : b;
    return a != a ? a : best;
}

/* The same in each lane. */
INLINE vec combine_lanes(int op, vec a, vec b) {
    if (op == REDUCE_SUM) return a + b;
    return choose((op == REDUCE_MAX ? a > b : a < b) | (a != a), a, b);
}

INLINE real neutral(int op) {
    return op == REDUCE_SUM ? 0 : op == REDUCE_MAX ? -(real)INFINITY : (real)INFINITY;
}

/* All lanes of a vector: four at a time first, as each halving would wait for a store. */
INLINE real fold_lanes(int op, vec v) {
    enum { FEW = LANES < 4 ? LANES : 4 };
    real lane[LANES];
    store(lane, v);
    for (ptrdiff_t part = FEW; part < LANES; part += FEW)
        for (ptrdiff_t l = 0; l < FEW; l++) lane[l] = combine(op, lane[l], lane[part + l]);
    if (FEW == 2) return combine(op, lane[0], lane[1]);
    return combine(op, combine(op, lane[0], lane[2]), combine(op, lane[1], lane[3 % LANES]));
}

/* Few elements (the classes of a softmax, what is left of a run): no registers to set up. */
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

/* LANES ... BLOCK adjacent elements. In vector types, as four rows of short arrays that differ in
   length by what is left of a run would live in memory. */
INLINE real reduce_block_contiguous(int op, const real *x, ptrdiff_t n) {
    vec a = load(x);
    ptrdiff_t i = LANES;
    if (n >= RUN_LANES) {
        vec b = load(x + LANES), c = load(x + 2 * LANES), d = load(x + 3 * LANES);
        for (i = RUN_LANES; i + RUN_LANES <= n; i += RUN_LANES) {
            a = combine_lanes(op, a, load(x + i));
            b = combine_lanes(op, b, load(x + i + LANES));
            c = combine_lanes(op, c, load(x + i + 2 * LANES));
            d = combine_lanes(op, d, load(x + i + 3 * LANES));
        }
        a = combine_lanes(op, combine_lanes(op, a, b), combine_lanes(op, c, d));
    }
    for (; i + LANES <= n; i += LANES) a = combine_lanes(op, a, load(x + i));
    const real total = fold_lanes(op, a);
    return i == n ? total : combine(op, total, reduce_short(op, x + i, n - i, 1));
}

/* RUN_LANES ... BLOCK elements x[0], x[stride], ... */
INLINE real reduce_block_strided(int op, const real *x, ptrdiff_t n, ptrdiff_t stride) {
    real lane[RUN_LANES];
    for (ptrdiff_t l = 0; l < RUN_LANES; l++) lane[l] = x[l * stride];
    ptrdiff_t i = RUN_LANES;
    for (; i + RUN_LANES <= n; i += RUN_LANES)
        for (ptrdiff_t l = 0; l < RUN_LANES; l++)
            lane[l] = combine(op, lane[l], x[(i + l) * stride]);
    for (ptrdiff_t l = 0; i + l < n; l++) lane[l] = combine(op, lane[l], x[(i + l) * stride]);
    for (ptrdiff_t width = RUN_LANES / 2; width > 0; width /= 2)
        for (ptrdiff_t l = 0; l < width; l++) lane[l] = combine(op, lane[l], lane[l + width]);
    return lane[0];
}

/* At most BLOCK elements. */
INLINE real reduce_block(int op, const real *x, ptrdiff_t n, ptrdiff_t stride) {
    if (stride == 1 && n >= LANES) return reduce_block_contiguous(op, x, n);
    if (n < RUN_LANES) return reduce_short(op, x, n, stride);
    return reduce_block_strided(op, x, n, stride);
}

#endif
#endif
