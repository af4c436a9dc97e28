/* CTC, log_p (N, T, C) and labels (N, L): the probability of the labels, and how likely their
   alignments are in a class at each step. States s of a row: blank, label, blank, ..., blank.

   Log space, as a product over some hundred steps leaves the range of float, and counted from the
   likeliest state of a step, as -300 in float has three digits behind the point. What a step needs
   of the other states lies one and two places before (forward) or behind (backward), so all states
   of a step are one vector loop; ways that do not exist are log 0 = -inf, not a branch. Split of
   work: rows n. Formulas: tinydl/backend/reference/ctc.py. */

#include "ctc.h"
#include "vecmath.h"

#define PARALLEL_MIN 2048 /* states times steps */

/* What one row of the batch works with: arrays of W = 2L + 3 numbers, and T of them for alpha. */
typedef struct {
    real *emitted; /* log p of the class of s, at this step */
    real *skip;    /* 0 where s may follow s - 2 at once, else -inf */
    real *rest;    /* log p of all ways from s to the end, without this step */
    real *share;   /* of the probability, that goes through s */
    real *alpha;   /* log p of all ways to s, and before them two that nobody is in */
    ptrdiff_t W;
} Row;

/* log(e^a + e^b + e^c). */
static inline real log_sum(real a, real b, real c) {
    real largest = a > b ? a : b;
    largest = largest > c ? largest : c;
    largest = largest == -(real)INFINITY ? 0 : largest;
    const real sum = exp_one(a - largest) + exp_one(b - largest) + exp_one(c - largest);
    return largest + log_one(sum);
}

/* Subtracts the largest of n numbers, which is returned, unless all are log 0. */
static real from_largest(real *x, ptrdiff_t n) {
    real largest = -(real)INFINITY;
#pragma omp simd reduction(max : largest)
    for (ptrdiff_t i = 0; i < n; i++) largest = x[i] > largest ? x[i] : largest;
    if (largest > -(real)INFINITY)
#pragma omp simd
        for (ptrdiff_t i = 0; i < n; i++) x[i] -= largest;
    return largest;
}

static void read_classes(const real *p, const int64_t *labels, ptrdiff_t S, ptrdiff_t blank,
                         real *emitted) {
    for (ptrdiff_t s = 0; s < S; s++) emitted[s] = p[s % 2 ? labels[s / 2] : blank];
}

static void prepare(Row r, const int64_t *labels, ptrdiff_t S) {
    for (ptrdiff_t s = 0; s < S + 2; s++) {
        const int allowed = s % 2 && s > 1 && s < S && labels[s / 2] != labels[s / 2 - 1];
        r.skip[s] = allowed ? 0 : -(real)INFINITY;
        r.rest[s] = s < S && s >= S - 2 ? 0 : -(real)INFINITY;
        r.alpha[s] = -(real)INFINITY;
    }
}

/* alpha of all steps; returns log p of the labels. */
static real forward(Row r, const real *p, const int64_t *labels, ptrdiff_t S, ptrdiff_t T,
                    ptrdiff_t C, ptrdiff_t blank) {
    read_classes(p, labels, S, blank, r.emitted);
    for (ptrdiff_t s = 0; s < MIN(S, 2); s++) r.alpha[2 + s] = r.emitted[s];
    real total = from_largest(r.alpha + 2, S);
    for (ptrdiff_t t = 1; t < T; t++) {
        const real *const before = r.alpha + (t - 1) * r.W;
        real *const now = r.alpha + t * r.W;
        now[0] = now[1] = -(real)INFINITY;
        read_classes(p + t * C, labels, S, blank, r.emitted);
#pragma omp simd
        for (ptrdiff_t s = 0; s < S; s++) {
            const real skipped = before[s] + r.skip[s];
            now[2 + s] = r.emitted[s] + log_sum(before[s + 2], before[s + 1], skipped);
        }
        total += from_largest(now + 2, S);
    }
    const real *const last = r.alpha + (T - 1) * r.W;
    return total + log_sum(last[S + 1], last[S], -(real)INFINITY);
}

/* occupied (T, C), which is 0. */
static void backward(Row r, const real *p, const int64_t *labels, real *occupied, ptrdiff_t S,
                     ptrdiff_t T, ptrdiff_t C, ptrdiff_t blank) {
    for (ptrdiff_t t = T - 1; t >= 0; t--) {
        const real *const alpha = r.alpha + t * r.W + 2;
#pragma omp simd
        for (ptrdiff_t s = 0; s < S; s++) r.share[s] = alpha[s] + r.rest[s];
        from_largest(r.share, S);
        real sum = 0;
#pragma omp simd reduction(+ : sum)
        for (ptrdiff_t s = 0; s < S; s++) sum += r.share[s] = exp_one(r.share[s]);
        for (ptrdiff_t s = 0; s < S; s++)
            occupied[t * C + (s % 2 ? labels[s / 2] : blank)] += r.share[s] / sum;
        read_classes(p + t * C, labels, S, blank, r.emitted);
#pragma omp simd
        for (ptrdiff_t s = 0; s < S; s++) r.share[s] = r.rest[s] + r.emitted[s];
        r.share[S] = r.share[S + 1] = -(real)INFINITY;
#pragma omp simd
        for (ptrdiff_t s = 0; s < S; s++)
            r.rest[s] = log_sum(r.share[s], r.share[s + 1], r.share[s + 2] + r.skip[s + 2]);
        from_largest(r.rest, S);
    }
}

void NAME(ctc)(const real *log_p, const int64_t *labels, const int64_t *steps,
               const int64_t *counts, real *total, real *occupied, real *work, ptrdiff_t N,
               ptrdiff_t T, ptrdiff_t C, ptrdiff_t L, ptrdiff_t blank, int threads) {
    const ptrdiff_t W = 2 * L + 3;
#pragma omp parallel for num_threads(threads)                                                      \
    schedule(static) if (threads > 1 && N * T * W >= PARALLEL_MIN)
    for (ptrdiff_t n = 0; n < N; n++) {
        real *const w = work + n * CTC_WORK(T, L);
        const Row r = {w, w + W, w + 2 * W, w + 3 * W, w + 4 * W, W};
        const int64_t *const own = labels + n * L;
        const real *const p = log_p + n * T * C;
        real *const y = occupied + n * T * C;
        const ptrdiff_t S = 2 * counts[n] + 1;
        memset(y, 0, T * C * sizeof(real));
        prepare(r, own, S);
        total[n] = forward(r, p, own, S, steps[n], C, blank);
        if (total[n] != -(real)INFINITY) backward(r, p, own, y, S, steps[n], C, blank);
    }
}
