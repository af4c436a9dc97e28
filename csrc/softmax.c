/* softmax, log_softmax, cross_entropy and its gradient, rows (N, C).

   Rows are taken in groups of about GROUP elements that stay in the L1 cache: largest value of each
   row, then x - max for the group, e^x for the group in one vector loop (with ten classes a loop
   over one row would be half empty), then the sum of each row. Split of work: groups of rows. */

#include "softmax.h"
#include "index.h"
#include "runs.h"
#include "vecmath.h"

#define GROUP 2048
#define FEW 24 /* classes that do not fill registers */
#define PARALLEL_MIN 16384

/* NaN need not win here: e^(NaN - max) makes the whole row NaN through its sum. */
static real row_max(const real *x, ptrdiff_t C) {
    if (C < FEW) return reduce_short(REDUCE_MAX, x, C, 1);
    real largest = -(real)INFINITY;
#pragma omp simd reduction(max : largest)
    for (ptrdiff_t c = 0; c < C; c++) largest = x[c] > largest ? x[c] : largest;
    return largest;
}

/* Block by block, as a long row summed in one register would lose digits. */
static real row_sum(const real *x, ptrdiff_t C) {
    if (C < FEW) return reduce_short(REDUCE_SUM, x, C, 1);
    real total = 0;
    for (ptrdiff_t first = 0; first < C; first += BLOCK) {
        const real *const block = x + first;
        const ptrdiff_t n = MIN(BLOCK, C - first);
        real sum = 0;
#pragma omp simd reduction(+ : sum)
        for (ptrdiff_t c = 0; c < n; c++) sum += block[c];
        total += sum;
    }
    return total;
}

static void subtract_max(const real *x, real *y, ptrdiff_t rows, ptrdiff_t C) {
    for (ptrdiff_t n = 0; n < rows; n++) {
        const real largest = row_max(x + n * C, C);
#pragma omp simd
        for (ptrdiff_t c = 0; c < C; c++) y[n * C + c] = x[n * C + c] - largest;
    }
}

static void exponentials(const real *x, real *y, ptrdiff_t count) {
#pragma omp simd
    for (ptrdiff_t i = 0; i < count; i++) y[i] = exp_one(x[i]);
}

static void softmax_group(const real *x, real *y, ptrdiff_t rows, ptrdiff_t C) {
    subtract_max(x, y, rows, C);
    exponentials(y, y, rows * C);
    for (ptrdiff_t n = 0; n < rows; n++) {
        const real factor = ONE / row_sum(y + n * C, C);
#pragma omp simd
        for (ptrdiff_t c = 0; c < C; c++) y[n * C + c] *= factor;
    }
}

/* log of the sum of e^x over a row of x <= 0, in pieces that fit a small buffer. */
static real log_sum(const real *x, ptrdiff_t C) {
    real e[GROUP], total = 0;
    for (ptrdiff_t first = 0; first < C; first += GROUP) {
        const ptrdiff_t n = MIN(GROUP, C - first);
        exponentials(x + first, e, n);
        total += row_sum(e, n);
    }
    return log_one(total);
}

static void log_softmax_group(const real *x, real *y, ptrdiff_t rows, ptrdiff_t C) {
    subtract_max(x, y, rows, C);
    real e[GROUP];
    const int small = rows * C <= GROUP;
    if (small) exponentials(y, e, rows * C);
    for (ptrdiff_t n = 0; n < rows; n++) {
        const real log_of_sum = small ? log_one(row_sum(e + n * C, C)) : log_sum(y + n * C, C);
#pragma omp simd
        for (ptrdiff_t c = 0; c < C; c++) y[n * C + c] -= log_of_sum;
    }
}

static void shift_rows(const real *x, const real *shifts, real *y, ptrdiff_t rows, ptrdiff_t C) {
    for (ptrdiff_t n = 0; n < rows; n++) {
        const real largest = shifts[2 * n];
#pragma omp simd
        for (ptrdiff_t c = 0; c < C; c++) y[n * C + c] = x[n * C + c] - largest;
    }
}

/* Sum of e^(x - largest) over a row, in pieces that fit a small buffer. */
static real shifted_sum(const real *x, real largest, ptrdiff_t C) {
    real e[GROUP], total = 0;
    for (ptrdiff_t first = 0; first < C; first += GROUP) {
        const ptrdiff_t n = MIN(GROUP, C - first);
#pragma omp simd
        for (ptrdiff_t c = 0; c < n; c++) e[c] = exp_one(x[first + c] - largest);
        total += row_sum(e, n);
    }
    return total;
}

/* shifts: of each row its largest value, NaN where the sum is, and 1 / sum of e^(x - largest). */
static void cross_entropy_group(const real *x, const void *labels, real *losses, real *shifts,
                                ptrdiff_t start, ptrdiff_t rows, ptrdiff_t C, int wide) {
    real e[GROUP];
    const int small = rows * C <= GROUP;
    for (ptrdiff_t n = 0; n < rows; n++) shifts[2 * n] = row_max(x + n * C, C);
    if (small) {
        shift_rows(x, shifts, e, rows, C);
        exponentials(e, e, rows * C);
    }
    for (ptrdiff_t n = 0; n < rows; n++) {
        const real *const row = x + n * C;
        const real largest = shifts[2 * n];
        const real sum = small ? row_sum(e + n * C, C) : shifted_sum(row, largest, C);
        losses[n] = log_one(sum) - (row[index_at(labels, start + n, wide)] - largest);
        shifts[2 * n] = sum == sum ? largest : sum;
        shifts[2 * n + 1] = ONE / sum;
    }
}

/* y serves as the buffer of x - largest and of its exponentials. */
static void cross_entropy_grad_group(const real *x, const real *shifts, const void *labels,
                                     const real *grad, real *y, ptrdiff_t start, ptrdiff_t rows,
                                     ptrdiff_t C, int wide) {
    shift_rows(x, shifts, y, rows, C);
    exponentials(y, y, rows * C);
    for (ptrdiff_t n = 0; n < rows; n++) {
        real *const row = y + n * C;
        const ptrdiff_t label = index_at(labels, start + n, wide);
        const real factor = shifts[2 * n + 1];
        const real p = row[label] * factor, slope = grad[n];
#pragma omp simd
        for (ptrdiff_t c = 0; c < C; c++) row[c] = row[c] * factor * slope;
        row[label] = (p - ONE) * slope;
    }
}

static ptrdiff_t rows_of_group(ptrdiff_t C) { return C >= GROUP ? 1 : GROUP / C; }

void NAME(softmax)(const real *x, real *y, ptrdiff_t N, ptrdiff_t C, int threads) {
    const ptrdiff_t rows = rows_of_group(C);
#pragma omp parallel for num_threads(threads)                                                      \
    schedule(static) if (threads > 1 && N * C >= PARALLEL_MIN)
    for (ptrdiff_t n = 0; n < N; n += rows)
        softmax_group(x + n * C, y + n * C, MIN(rows, N - n), C);
}

void NAME(log_softmax)(const real *x, real *y, ptrdiff_t N, ptrdiff_t C, int threads) {
    const ptrdiff_t rows = rows_of_group(C);
#pragma omp parallel for num_threads(threads)                                                      \
    schedule(static) if (threads > 1 && N * C >= PARALLEL_MIN)
    for (ptrdiff_t n = 0; n < N; n += rows)
        log_softmax_group(x + n * C, y + n * C, MIN(rows, N - n), C);
}

void NAME(cross_entropy)(const real *logits, const void *labels, real *losses, real *shifts,
                         ptrdiff_t N, ptrdiff_t C, int wide, int threads) {
    const ptrdiff_t rows = rows_of_group(C);
#pragma omp parallel for num_threads(threads)                                                      \
    schedule(static) if (threads > 1 && N * C >= PARALLEL_MIN)
    for (ptrdiff_t n = 0; n < N; n += rows)
        cross_entropy_group(logits + n * C, labels, losses + n, shifts + 2 * n, n, MIN(rows, N - n),
                            C, wide);
}

void NAME(cross_entropy_grad)(const real *logits, const real *shifts, const void *labels,
                              const real *grad, real *y, ptrdiff_t N, ptrdiff_t C, int wide,
                              int threads) {
    const ptrdiff_t rows = rows_of_group(C);
#pragma omp parallel for num_threads(threads)                                                      \
    schedule(static) if (threads > 1 && N * C >= PARALLEL_MIN)
    for (ptrdiff_t n = 0; n < N; n += rows)
        cross_entropy_grad_group(logits + n * C, shifts + 2 * n, labels, grad + n, y + n * C, n,
                                 MIN(rows, N - n), C, wide);
}
