/* Normalisation of rows, x (N, D): a row is read from memory once and then from the cache, for its
   mean, its variance and its result.

   Split of work: rows; backward: chunks of rows, each with its own sums for scale and shift, which
   are added in order, as are those of MANY_ROWS rows inside a chunk. */

#include "norm.h"
#include "runs.h"
#include "vecmath.h"
#include <stdlib.h>
#include <string.h>

#define MAX_CHUNKS 64
#define CHUNK_MIN 16384
#define MANY_ROWS 512
#define PARALLEL_MIN 16384

INLINE real total_of(const real *lane) {
    real total = 0;
#pragma omp simd reduction(+ : total)
    for (ptrdiff_t l = 0; l < RUN_LANES; l++) total += lane[l];
    return total;
}

/* Sum of (x - centre)^power, in blocks: rounding errors do not pile up. */
INLINE real sum_of(const real *x, real centre, int power, ptrdiff_t D) {
    real total = 0;
    for (ptrdiff_t low = 0; low < D; low += BLOCK) {
        const ptrdiff_t high = MIN(low + BLOCK, D);
        vec sum[4] = {0};
        ptrdiff_t d = low;
        for (; d + RUN_LANES <= high; d += RUN_LANES)
#pragma GCC unroll 4
            for (int v = 0; v < 4; v++) {
                const vec apart = load(x + d + v * LANES) - centre;
                sum[v] += power == 1 ? apart : apart * apart;
            }
        for (; d + LANES <= high; d += LANES) {
            const vec apart = load(x + d) - centre;
            sum[0] += power == 1 ? apart : apart * apart;
        }
        real rest = 0;
        for (; d < high; d++) {
            const real apart = x[d] - centre;
            rest += power == 1 ? apart : apart * apart;
        }
        total += fold_lanes(REDUCE_SUM, (sum[0] + sum[1]) + (sum[2] + sum[3])) + rest;
    }
    return total;
}

void NAME(row_norm)(const real *x, const real *scale, const real *shift, real *y, real *mean,
                    real *variance, ptrdiff_t N, ptrdiff_t D, real eps, int threads) {
    const real share = ONE / (real)D;
#pragma omp parallel for num_threads(threads)                                                      \
    schedule(static) if (threads > 1 && N * D >= PARALLEL_MIN)
    for (ptrdiff_t n = 0; n < N; n++) {
        const real *const row = x + n * D;
        const real m =
            row[0] + sum_of(row, row[0], 1, D) * share; /* exact where all values are equal */
        const real v = sum_of(row, m, 2, D) * share, root = ONE / SQRT(v + eps);
        mean[n] = m;
        variance[n] = v;
        real *const to = y + n * D;
#pragma omp simd
        for (ptrdiff_t d = 0; d < D; d++) to[d] = (row[d] - m) * root * scale[d] + shift[d];
    }
}

/* a = sum of g scale and b = sum of g scale (x - mean) over a row; grad_scale and grad_shift grow
   by its g normal and g. */
INLINE void row_sums(const real *g, const real *x, const real *scale, real mean, real root,
                     ptrdiff_t D, real *a, real *b, real *grad_scale, real *grad_shift) {
    *a = *b = 0;
    for (ptrdiff_t low = 0; low < D; low += BLOCK) {
        real first[RUN_LANES] = {0}, second[RUN_LANES] = {0};
        for (ptrdiff_t d = low; d < MIN(low + BLOCK, D); d += RUN_LANES) {
            const ptrdiff_t n = MIN(RUN_LANES, D - d);
#pragma omp simd
            for (ptrdiff_t l = 0; l < n; l++) {
                const real apart = x[d + l] - mean, weighted = g[d + l] * scale[d + l];
                first[l] += weighted;
                second[l] += weighted * apart;
                grad_scale[d + l] += g[d + l] * apart * root;
                grad_shift[d + l] += g[d + l];
            }
        }
        *a += total_of(first);
        *b += total_of(second);
    }
}

/* With normal = (x - mean) root and the averages A of g scale and B of g scale normal over the row:
   grad_x = root (g scale - A - normal B). */
INLINE void row_grad(const real *g, const real *x, const real *scale, real mean, real root,
                     ptrdiff_t D, real *grad_x, real *grad_scale, real *grad_shift) {
    real a, b;
    row_sums(g, x, scale, mean, root, D, &a, &b, grad_scale, grad_shift);
    a /= (real)D;
    b *= root * root / (real)D;
#pragma omp simd
    for (ptrdiff_t d = 0; d < D; d++) grad_x[d] = root * (g[d] * scale[d] - a - (x[d] - mean) * b);
}

int NAME(row_norm_grad)(const real *grad, const real *x, const real *scale, const real *mean,
                        const real *variance, real *grad_x, real *grad_scale, real *grad_shift,
                        ptrdiff_t N, ptrdiff_t D, real eps, int threads) {
    const ptrdiff_t chunks = MIN(MIN(CEIL_DIV(N * D, CHUNK_MIN), MAX_CHUNKS), N);
    real *const parts = calloc(4 * chunks * D, sizeof(real)); /* scales, shifts, those of a piece */
    if (parts == NULL) return -1;
#pragma omp parallel for num_threads(threads)                                                      \
    schedule(static) if (threads > 1 && N * D >= PARALLEL_MIN)
    for (ptrdiff_t i = 0; i < chunks; i++) {
        const ptrdiff_t start = panel_start(N, chunks, i), end = panel_start(N, chunks, i + 1);
        real *const sums = parts + 4 * i * D, *const more = sums + 2 * D;
        for (ptrdiff_t n = start; n < end;) {
            const ptrdiff_t stop = MIN(n + MANY_ROWS, end);
            real *const to = n == start ? sums : more;
            for (; n < stop; n++)
                row_grad(grad + n * D, x + n * D, scale, mean[n], ONE / SQRT(variance[n] + eps), D,
                         grad_x + n * D, to, to + D);
            for (ptrdiff_t d = 0; to == more && d < 2 * D; d++) sums[d] += more[d], more[d] = 0;
        }
    }
    memcpy(grad_scale, parts, D * sizeof(real));
    memcpy(grad_shift, parts + D, D * sizeof(real));
    for (ptrdiff_t i = 1; i < chunks; i++) {
#pragma omp simd
        for (ptrdiff_t d = 0; d < D; d++) {
            grad_scale[d] += parts[4 * i * D + d];
            grad_shift[d] += parts[(4 * i + 1) * D + d];
        }
    }
    free(parts);
    return 0;
}
