/* Normalisation of channels: x (N, P, C), moments over the P places of a sample for each group of
   D = C / G neighbouring channels. Batch norm is N = 1, G = C; instance norm is G = C.

   Memory decides, so x is read once for the moments and once more for y; the backward pass reads
   grad and x once for two sums per channel and once more for grad_x.

   Moments in one reading: RUN rows at a time. With K, the first of a column's RUN values, s = sum
   of x - K and q = sum of (x - K)^2, their squared deviations from their mean are q - s^2 / RUN.
   K is one of the values, so (K - mean)^2 is among the deviations, and the subtraction loses at
   most a factor 1 + RUN whatever the mean is; equal values give exactly 0. Then they are merged
   with the rows before (`merge`: Chan, Golub and LeVeque 1983, equation 2.1). Means are counted
   from the sample's first row until the end: far from 0 they keep their digits.

   Few channels make short rows: `join` rows are joined into one wide row of W = join * C columns,
   whose copies of a channel are merged at the end. The P % join rows left over are an incomplete
   wide row of `rest` columns.

   Split of work: chunks of wide rows where samples are few (the moments of chunks are merged in
   order), else samples. Both depend on the shape only. */

#include "norm.h"
#include "runs.h"
#include "vecmath.h"
#include <stdlib.h>
#include <string.h>

#define WIDE 64 /* columns that keep the vector units busy */
#define RUN 8   /* rows read side by side */
#define MAX_CHUNKS 64
#define CHUNK_MIN 32768
#define MANY_ROWS 16384 /* eight at a time: what one running sum adds up */
#define ENOUGH_SAMPLES 16
#define MAX_TASKS 64
#define PARALLEL_MIN 65536

typedef struct {
    ptrdiff_t P, C, G, D;
    ptrdiff_t join, W, rows, rest; /* wide rows that are complete; columns of the one that is not */
    ptrdiff_t chunks, tasks;       /* of one sample; of samples, if each is one chunk */
    int threads;
} Cut;

static Cut cut_of(ptrdiff_t N, ptrdiff_t P, ptrdiff_t C, ptrdiff_t G, int threads) {
    Cut c = {.P = P, .C = C, .G = G, .D = C / G, .join = 1, .chunks = 1, .threads = threads};
    while (c.join * C < WIDE && 2 * c.join <= P) c.join *= 2;
    c.W = c.join * C;
    c.rows = P / c.join;
    c.rest = P % c.join * C;
    if (N < ENOUGH_SAMPLES) c.chunks = MIN(MIN(CEIL_DIV(P * C, CHUNK_MIN), MAX_CHUNKS), c.rows);
    c.chunks = MAX(c.chunks, CEIL_DIV(c.rows, MANY_ROWS));
    c.tasks = c.chunks > 1 ? 1 : MIN(N, MAX_TASKS);
    if (N * P * C < PARALLEL_MIN) c.threads = 1;
    return c;
}

/* One chunk of one sample: wide rows low ... high - 1, and with the last chunk the incomplete one.
 */
typedef struct {
    ptrdiff_t low, high, rest;
} Chunk;

static Chunk chunk_of(const Cut *c, ptrdiff_t i) {
    return (Chunk){panel_start(c->rows, c->chunks, i), panel_start(c->rows, c->chunks, i + 1),
                   i + 1 == c->chunks ? c->rest : 0};
}

/* ---- moments -------------------------------------------------------------------------------- */

/* mean and spread (sum of squared deviations) of `count` values take in those of `more` others. */
INLINE void merge(real *mean, real *spread, ptrdiff_t count, const real *mean2, const real *spread2,
                  ptrdiff_t more, ptrdiff_t n) {
    const real share = (real)more / (real)(count + more), weight = (real)count * share;
#pragma omp simd
    for (ptrdiff_t j = 0; j < n; j++) {
        const real apart = mean2[j] - mean[j];
        mean[j] = count ? mean[j] + apart * share : mean2[j];
        spread[j] += spread2[j] + apart * apart * weight;
    }
}

/* n columns of `rows` rows (a constant) join the moments of the `count` rows before; the mean is
   counted from `origin`. */
INLINE void add_rows(const real *x, const real *origin, int rows, ptrdiff_t n, ptrdiff_t step,
                     ptrdiff_t count, real *mean, real *spread) {
    const real share = (real)rows / (real)(count + rows), weight = (real)count * share;
#pragma omp simd
    for (ptrdiff_t j = 0; j < n; j++) {
        real s = 0, q = 0;
        for (int r = 1; r < rows; r++) {
            const real d = x[r * step + j] - x[j];
            s += d;
            q += d * d;
        }
        const real left = q - s * s * (ONE / (real)rows);
        const real m = x[j] - origin[j] + s * (ONE / (real)rows), apart = m - mean[j];
        mean[j] = count ? mean[j] + apart * share : m;
        spread[j] += (left < 0 ? 0 : left) + apart * apart * weight; /* keeps NaN */
    }
}

static void chunk_moments(const real *x, const Cut *c, Chunk k, real *mean, real *spread) {
    memset(mean, 0, c->W * sizeof(real));
    memset(spread, 0, c->W * sizeof(real));
    ptrdiff_t row = k.low;
    for (; row + RUN <= k.high; row += RUN)
        add_rows(x + row * c->W, x, RUN, c->W, c->W, row - k.low, mean, spread);
    for (; row < k.high; row++)
        add_rows(x + row * c->W, x, 1, c->W, c->W, row - k.low, mean, spread);
    add_rows(x + row * c->W, x, 1, k.rest, c->W, row - k.low, mean, spread);
}

/* The chunks' moments, then those of the copies of a channel, then those of a group's channels. x:
   the sample. */
static void fold_moments(const real *x, const Cut *c, real *mean, real *spread, real *group_mean,
                         real *group_variance) {
    for (ptrdiff_t i = 1; i < c->chunks; i++) {
        const Chunk k = chunk_of(c, i);
        const real *const m = mean + i * 2 * c->W, *const s = spread + i * 2 * c->W;
        merge(mean, spread, k.low, m, s, k.high - k.low + 1, k.rest);
        merge(mean + k.rest, spread + k.rest, k.low, m + k.rest, s + k.rest, k.high - k.low,
              c->W - k.rest);
    }
    /* From here on, means are counted from the first value of their group. */
    for (ptrdiff_t i = 0; i < c->join; i++)
        for (ptrdiff_t g = 0; g < c->G; g++)
            for (ptrdiff_t j = i * c->C + g * c->D; j < i * c->C + (g + 1) * c->D; j++)
                mean[j] += x[j] - x[g * c->D];
    ptrdiff_t count = c->rows + (c->rest > 0);
    for (ptrdiff_t i = 1; i < c->join; i++) {
        const ptrdiff_t more = c->rows + (i * c->C < c->rest);
        merge(mean, spread, count, mean + i * c->C, spread + i * c->C, more, c->C);
        count += more;
    }
    if (c->D == 1) { /* groups of one channel: nothing to join */
#pragma omp simd
        for (ptrdiff_t j = 0; j < c->C; j++) {
            group_mean[j] = x[j] + mean[j];
            group_variance[j] = spread[j] / (real)c->P;
        }
        return;
    }
    for (ptrdiff_t g = 0; g < c->G; g++) {
        const real *const m = mean + g * c->D, *const s = spread + g * c->D;
        real apart = 0, total = 0; /* channels have equal counts: their means have equal weight */
        for (ptrdiff_t d = 1; d < c->D; d++) apart += m[d] - m[0];
        const real centre = m[0] + apart / (real)c->D;
        for (ptrdiff_t d = 0; d < c->D; d++)
            total += s[d] + (real)c->P * ((m[d] - centre) * (m[d] - centre));
        group_mean[g] = x[g * c->D] + centre;
        group_variance[g] = total / (real)(c->P * c->D);
    }
}

/* ---- y = (x - centre) * factor + offset for every column ------------------------------------ */

typedef struct {
    real *centre, *factor, *offset, *slope; /* (W,) each */
} Line;

static Line line_in(real *work, const Cut *c) {
    return (Line){work, work + c->W, work + 2 * c->W, work + 3 * c->W};
}

/* The first C columns once more for each joined row. */
static void repeat(real *line, const Cut *c) {
    for (ptrdiff_t i = 1; i < c->join; i++) memcpy(line + i * c->C, line, c->C * sizeof(real));
}

static void apply_line(const real *scale, const real *shift, const real *mean, const real *variance,
                       real eps, const Cut *c, Line l) {
    if (c->D == 1)
#pragma omp simd
        for (ptrdiff_t j = 0; j < c->C; j++) {
            l.centre[j] = mean[j];
            l.factor[j] = scale[j] * (ONE / SQRT(variance[j] + eps));
            l.offset[j] = shift[j];
        }
    for (ptrdiff_t g = 0; g < c->G && c->D > 1; g++) {
        const real root = ONE / SQRT(variance[g] + eps);
        for (ptrdiff_t j = g * c->D; j < (g + 1) * c->D; j++) {
            l.centre[j] = mean[g];
            l.factor[j] = scale[j] * root;
            l.offset[j] = shift[j];
        }
    }
    repeat(l.centre, c);
    repeat(l.factor, c);
    repeat(l.offset, c);
}

INLINE void apply_row(const real *x, real *y, Line l, ptrdiff_t n) {
    const real *const centre = l.centre, *const factor = l.factor, *const offset = l.offset;
#pragma omp simd
    for (ptrdiff_t j = 0; j < n; j++) y[j] = (x[j] - centre[j]) * factor[j] + offset[j];
}

static void apply_chunk(const real *x, real *y, const Cut *c, Chunk k, Line l) {
    for (ptrdiff_t row = k.low; row < k.high; row++)
        apply_row(x + row * c->W, y + row * c->W, l, c->W);
    apply_row(x + k.high * c->W, y + k.high * c->W, l, k.rest);
}

static void apply_sample(const real *x, const real *scale, const real *shift, const real *mean,
                         const real *variance, real *y, real eps, const Cut *c, Line l) {
    apply_line(scale, shift, mean, variance, eps, c, l);
    if (c->threads == 1 || c->chunks == 1) {
        for (ptrdiff_t i = 0; i < c->chunks; i++) apply_chunk(x, y, c, chunk_of(c, i), l);
        return;
    }
#pragma omp parallel for num_threads(c->threads) schedule(static)
    for (ptrdiff_t i = 0; i < c->chunks; i++) apply_chunk(x, y, c, chunk_of(c, i), l);
}

/* ---- the kernels: a task is a range of samples with `per_task` numbers of working memory ------
 */

typedef struct {
    const real *x, *scale, *shift, *mean, *variance;
    real *y, *work;
    ptrdiff_t N, per_task;
    real eps;
    Cut cut;
} Normed;

/* The samples of one task, whose moments go into `means` and `variances`. (No parallel region for
   one thread: entering it costs as much as a small map.) */
static void norm_task(const Normed *d, real *means, real *variances, ptrdiff_t t) {
    const Cut *const c = &d->cut;
    real *const parts = d->work + t * d->per_task;
    const ptrdiff_t size = c->P * c->C, end = panel_start(d->N, c->tasks, t + 1);
    for (ptrdiff_t n = panel_start(d->N, c->tasks, t); n < end; n++) {
        const real *const sample = d->x + n * size;
        real *const mean = means + n * c->G, *const variance = variances + n * c->G;
        if (c->threads == 1 || c->chunks == 1) {
            for (ptrdiff_t i = 0; i < c->chunks; i++)
                chunk_moments(sample, c, chunk_of(c, i), parts + 2 * i * c->W,
                              parts + (2 * i + 1) * c->W);
        } else {
#pragma omp parallel for num_threads(c->threads) schedule(static)
            for (ptrdiff_t i = 0; i < c->chunks; i++)
                chunk_moments(sample, c, chunk_of(c, i), parts + 2 * i * c->W,
                              parts + (2 * i + 1) * c->W);
        }
        fold_moments(sample, c, parts, parts + c->W, mean, variance);
        apply_sample(sample, d->scale, d->shift, mean, variance, d->y + n * size, d->eps, c,
                     line_in(parts + 2 * c->chunks * c->W, c));
    }
}

int NAME(channel_norm)(const real *x, const real *scale, const real *shift, real *y, real *mean,
                       real *variance, ptrdiff_t N, ptrdiff_t P, ptrdiff_t C, ptrdiff_t G, real eps,
                       int threads) {
    const Cut c = cut_of(N, P, C, G, threads);
    const ptrdiff_t per_task = (2 * c.chunks + 4) * c.W;
    real *const work = malloc(c.tasks * per_task * sizeof(real));
    if (work == NULL) return -1;
    const Normed d = {x, scale, shift, mean, variance, y, work, N, per_task, eps, c};
    if (c.threads == 1 || c.tasks == 1) {
        for (ptrdiff_t t = 0; t < c.tasks; t++) norm_task(&d, mean, variance, t);
    } else {
#pragma omp parallel for num_threads(c.threads) schedule(static)
        for (ptrdiff_t t = 0; t < c.tasks; t++) norm_task(&d, mean, variance, t);
    }
    free(work);
    return 0;
}

static void apply_task(const Normed *d, ptrdiff_t t) {
    const Cut *const c = &d->cut;
    const ptrdiff_t size = c->P * c->C, end = panel_start(d->N, c->tasks, t + 1);
    for (ptrdiff_t n = panel_start(d->N, c->tasks, t); n < end; n++)
        apply_sample(d->x + n * size, d->scale, d->shift, d->mean + n * c->G,
                     d->variance + n * c->G, d->y + n * size, d->eps, c,
                     line_in(d->work + t * d->per_task, c));
}

int NAME(channel_norm_apply)(const real *x, const real *scale, const real *shift, const real *mean,
                             const real *variance, real *y, ptrdiff_t N, ptrdiff_t P, ptrdiff_t C,
                             ptrdiff_t G, real eps, int threads) {
    const Cut c = cut_of(N, P, C, G, threads);
    const ptrdiff_t per_task = 4 * c.W;
    real *const work = malloc(c.tasks * per_task * sizeof(real));
    if (work == NULL) return -1;
    const Normed d = {x, scale, shift, mean, variance, y, work, N, per_task, eps, c};
    if (c.threads == 1 || c.tasks == 1) {
        for (ptrdiff_t t = 0; t < c.tasks; t++) apply_task(&d, t);
    } else {
#pragma omp parallel for num_threads(c.threads) schedule(static)
        for (ptrdiff_t t = 0; t < c.tasks; t++) apply_task(&d, t);
    }
    free(work);
    return 0;
}

/* Sums of g and of g * (x - centre) grow by n columns of `rows` rows (a constant). */
INLINE void add_sums(const real *g, const real *x, const real *centre, int rows, ptrdiff_t n,
                     ptrdiff_t step, real *shifts, real *scales) {
#pragma omp simd
    for (ptrdiff_t j = 0; j < n; j++) {
        real s = 0, q = 0;
        for (int r = 0; r < rows; r++) {
            s += g[r * step + j];
            q += g[r * step + j] * (x[r * step + j] - centre[j]);
        }
        shifts[j] += s;
        scales[j] += q;
    }
}

static void chunk_sums(const real *g, const real *x, const real *centre, const Cut *c, Chunk k,
                       real *shifts, real *scales) {
    memset(shifts, 0, c->W * sizeof(real));
    memset(scales, 0, c->W * sizeof(real));
    const ptrdiff_t W = c->W;
    ptrdiff_t row = k.low;
    for (; row + RUN <= k.high; row += RUN)
        add_sums(g + row * W, x + row * W, centre, RUN, W, W, shifts, scales);
    for (; row < k.high; row++) add_sums(g + row * W, x + row * W, centre, 1, W, W, shifts, scales);
    add_sums(g + row * W, x + row * W, centre, 1, k.rest, W, shifts, scales);
}

int NAME(channel_norm_sums)(const real *grad, const real *x, const real *mean, const real *variance,
                            real *shifts, real *scales, ptrdiff_t N, ptrdiff_t P, ptrdiff_t C,
                            ptrdiff_t G, real eps, int threads) {
    const Cut c = cut_of(N, P, C, G, threads);
    const ptrdiff_t per_task = (2 * c.chunks + 1) * c.W;
    real *const work = malloc(c.tasks * per_task * sizeof(real));
    if (work == NULL) return -1;
#pragma omp parallel for num_threads(c.threads) schedule(static) if (c.threads > 1 && c.tasks > 1)
    for (ptrdiff_t t = 0; t < c.tasks; t++) {
        real *const centre = work + t * per_task, *const parts = centre + c.W;
        for (ptrdiff_t n = panel_start(N, c.tasks, t); n < panel_start(N, c.tasks, t + 1); n++) {
            for (ptrdiff_t j = 0; j < C; j++) centre[j] = mean[n * G + j / c.D];
            repeat(centre, &c);
#pragma omp parallel for num_threads(c.threads) schedule(static) if (c.threads > 1 && c.chunks > 1)
            for (ptrdiff_t i = 0; i < c.chunks; i++)
                chunk_sums(grad + n * P * C, x + n * P * C, centre, &c, chunk_of(&c, i),
                           parts + 2 * i * c.W, parts + (2 * i + 1) * c.W);
            for (ptrdiff_t j = 0; j < C; j++) {
                real shift = 0, scale = 0;
                for (ptrdiff_t i = 0; i < c.chunks; i++)
                    for (ptrdiff_t w = j; w < c.W; w += C) {
                        shift += parts[2 * i * c.W + w];
                        scale += parts[(2 * i + 1) * c.W + w];
                    }
                shifts[n * C + j] = shift;
                scales[n * C + j] = scale / SQRT(variance[n * G + j / c.D] + eps);
            }
        }
    }
    free(work);
    return 0;
}

/* With r = 1/sqrt(variance + eps), normal = (x - mean) r and the averages A of grad scale and B of
   grad scale normal over a group: grad_x = r (grad scale - A - normal B). */
static void grad_line(const real *scale, const real *mean, const real *variance, const real *shifts,
                      const real *scales, real eps, const Cut *c, Line l) {
    for (ptrdiff_t g = 0; g < c->G; g++) {
        const real root = ONE / SQRT(variance[g] + eps), count = (real)(c->P * c->D);
        real a = 0, b = 0;
        for (ptrdiff_t j = g * c->D; j < (g + 1) * c->D; j++) {
            a += scale[j] * shifts[j];
            b += scale[j] * scales[j];
        }
        for (ptrdiff_t j = g * c->D; j < (g + 1) * c->D; j++) {
            l.centre[j] = mean[g];
            l.factor[j] = scale[j] * root;
            l.offset[j] = -a / count * root;
            l.slope[j] = -b / count * root * root;
        }
    }
    repeat(l.centre, c);
    repeat(l.factor, c);
    repeat(l.offset, c);
    repeat(l.slope, c);
}

INLINE void grad_row(const real *g, const real *x, real *grad_x, Line l, ptrdiff_t n) {
    const real *const centre = l.centre, *const factor = l.factor;
    const real *const offset = l.offset, *const slope = l.slope;
#pragma omp simd
    for (ptrdiff_t j = 0; j < n; j++)
        grad_x[j] = g[j] * factor[j] + (x[j] - centre[j]) * slope[j] + offset[j];
}

static void grad_sample(const real *g, const real *x, real *grad_x, const Cut *c, Line l) {
#pragma omp parallel for num_threads(c->threads)                                                   \
    schedule(static) if (c->threads > 1 && c->chunks > 1)
    for (ptrdiff_t i = 0; i < c->chunks; i++) {
        const Chunk k = chunk_of(c, i);
        for (ptrdiff_t at = k.low * c->W; at < k.high * c->W; at += c->W)
            grad_row(g + at, x + at, grad_x + at, l, c->W);
        const ptrdiff_t end = k.high * c->W;
        grad_row(g + end, x + end, grad_x + end, l, k.rest);
    }
}

int NAME(channel_norm_grad)(const real *grad, const real *x, const real *scale, const real *mean,
                            const real *variance, const real *shifts, const real *scales,
                            real *grad_x, ptrdiff_t N, ptrdiff_t P, ptrdiff_t C, ptrdiff_t G,
                            real eps, int threads) {
    const Cut c = cut_of(N, P, C, G, threads);
    real *const work = malloc(c.tasks * 4 * c.W * sizeof(real));
    if (work == NULL) return -1;
#pragma omp parallel for num_threads(c.threads) schedule(static) if (c.threads > 1 && c.tasks > 1)
    for (ptrdiff_t t = 0; t < c.tasks; t++) {
        const Line l = line_in(work + t * 4 * c.W, &c);
        for (ptrdiff_t n = panel_start(N, c.tasks, t); n < panel_start(N, c.tasks, t + 1); n++) {
            grad_line(scale, mean + n * G, variance + n * G, shifts + n * C, scales + n * C, eps,
                      &c, l);
            grad_sample(grad + n * P * C, x + n * P * C, grad_x + n * P * C, &c, l);
        }
    }
    free(work);
    return 0;
}
