/* GRU over a sequence: gates (r, z, n), h_t = n + z * (h_{t-1} - n).

   reset_after: n = tanh(a_n + r * inner), inner = h_{t-1} @ U_n + b_n; else n = tanh(a_n + inner @
   U_n), inner = r * h_{t-1}, and a step has two products, one after the other. */

#include "recurrent.h"
#include "steps.h"

typedef struct {
    Packed rz, n;
} Weights;

/* weight_h (H, 3H) or, for the way back, its transpose. */
static Weights pack_weights(const real *weight_h, ptrdiff_t H, int back, real *memory) {
    if (back) {
        const Packed rz = pack_matrix(weight_h, 1, 3 * H, 2 * H, H, memory);
        real *const next = memory + 2 * H * rz.width;
        return (Weights){rz, pack_matrix(weight_h + 2 * H, 1, 3 * H, H, H, next)};
    }
    const Packed rz = pack_matrix(weight_h, 3 * H, 1, H, 2 * H, memory);
    real *const next = memory + H * rz.width;
    return (Weights){rz, pack_matrix(weight_h + 2 * H, 3 * H, 1, H, H, next)};
}

static ptrdiff_t size_of_weights(ptrdiff_t H) {
    return H * MAX(packed_width(2 * H), 2 * packed_width(H)) + H * packed_width(H);
}

/* r and z of one row, in place; inner = r * seen where `seen` is given. */
static inline __attribute__((always_inline)) void
reset_update(real *a, const real *seen, real *inner, ptrdiff_t H, const int hard) {
#pragma omp simd
    for (ptrdiff_t j = 0; j < 2 * H; j++) a[j] = gate_one(a[j], hard);
    if (!seen) return;
#pragma omp simd
    for (ptrdiff_t j = 0; j < H; j++) inner[j] = a[j] * seen[j];
}

/* n and h of one row; inner is NULL where its product has been added to a. */
static void candidate(real *a, const real *inner, const real *before, real *h, ptrdiff_t H) {
#pragma omp simd
    for (ptrdiff_t j = 0; j < H; j++) {
        const real n = tanh_one(a[2 * H + j] + (inner ? a[j] * inner[j] : 0));
        a[2 * H + j] = n;
        h[j] = n + a[H + j] * (before[j] - n);
    }
}

int NAME(gru_run)(const real *h0, const real *weight_h, const real *bias_n, const char *mask,
                  const real *drop, real *gates, real *states, real *inner, ptrdiff_t N,
                  ptrdiff_t T, ptrdiff_t H, int hard, int threads) {
    const ptrdiff_t W = 3 * H, wide = SCRATCH_ROW(H);
    real *memory = aligned_block(size_of_weights(H) + 2 * N * wide);
    if (!memory) return -1;
    const Weights weight = pack_weights(weight_h, H, 0, memory);
    real *const all_seen = memory + size_of_weights(H), *const all_reset = all_seen + N * wide;
    const ptrdiff_t groups = CEIL_DIV(N, GROUP_ROWS);
    const int parallel = threads > 1 && N * T * H * W > PARALLEL_WORK;
#pragma omp parallel for num_threads(threads) schedule(static) if (parallel)
    for (ptrdiff_t group = 0; group < groups; group++) {
        const ptrdiff_t first = panel_start(N, groups, group);
        const ptrdiff_t rows = panel_start(N, groups, group + 1) - first;
        real *const seen = all_seen + first * wide, *const reset = all_reset + first * wide;
        for (ptrdiff_t n = first; n < first + rows; n++)
            see(h0 + n * H, drop ? drop + n * H : NULL, seen + (n - first) * wide, H);
        for (ptrdiff_t t = 0; t < T; t++) {
            real *const a = gates + (first * T + t) * W;
            real *const in = inner + (first * T + t) * H;
            /* [rows x H] @ [H x 2H] and [rows x H] @ [H x H]: the states of one step before */
            multiply_packed(&weight.rz, seen, wide, NULL, a, T * W, rows, 1);
            if (bias_n) multiply_packed(&weight.n, seen, wide, bias_n, in, T * H, rows, 0);
            for (ptrdiff_t n = 0; n < rows; n++) {
                const real *const used = bias_n ? NULL : seen + n * wide;
                if (hard)
                    reset_update(a + n * T * W, used, in + n * T * H, H, 1);
                else
                    reset_update(a + n * T * W, used, in + n * T * H, H, 0);
                if (used) memcpy(reset + n * wide, in + n * T * H, H * sizeof(real));
            }
            if (!bias_n) multiply_packed(&weight.n, reset, wide, NULL, a + 2 * H, T * W, rows, 1);
            for (ptrdiff_t n = 0; n < rows; n++) {
                const ptrdiff_t at = (first + n) * T + t;
                real *const h = states + at * H;
                const real *const before = t ? h - H : h0 + (first + n) * H;
                candidate(gates + at * W, bias_n ? inner + at * H : NULL, before, h, H);
                if (!step_exists(mask, at)) memcpy(h, before, H * sizeof(real));
                see(h, drop ? drop + (first + n) * H : NULL, seen + n * wide, H);
            }
        }
    }
    free(memory);
    return 0;
}

/* One row of one step, first part: dL/d(sums) of z and n into d; the gradient of h goes past the
   candidate. */
static inline __attribute__((always_inline)) void update_back(const real *grad, const real *gates,
                                                              const real *before, real *carried,
                                                              real *d, ptrdiff_t H,
                                                              const int hard) {
#pragma omp simd
    for (ptrdiff_t j = 0; j < H; j++) {
        const real z = gates[H + j], n = gates[2 * H + j], dh = grad[j] + carried[j];
        d[H + j] = dh * (before[j] - n) * gate_slope(z, hard);
        d[2 * H + j] = dh * (ONE - z) * (ONE - n * n);
        carried[j] = dh * z;
    }
}

/* Second part: dL/d(sum) of r. past: what r was multiplied with; by: dL/d(r * past). */
static inline __attribute__((always_inline)) void reset_back(const real *gates, const real *past,
                                                             const real *drop, const real *by,
                                                             real *d, ptrdiff_t H, const int hard) {
#pragma omp simd
    for (ptrdiff_t j = 0; j < H; j++)
        d[j] = by[j] * past[j] * (drop ? drop[j] : ONE) * gate_slope(gates[j], hard);
}

static void multiply_by(const real *r, const real *x, real *y, ptrdiff_t H) {
#pragma omp simd
    for (ptrdiff_t j = 0; j < H; j++) y[j] = r[j] * x[j];
}

/* One group through all steps, the last one first. now: d (3H), then dL/dinner (H). */
typedef struct {
    const real *grad, *states, *gates, *inner, *h0, *drop;
    const char *mask;
    real *delta, *grad_inner, *grad_h0;
    ptrdiff_t T, H;
    int reset_after, hard;
} Back;

static void rows_back(const Back *b, ptrdiff_t first, ptrdiff_t rows, ptrdiff_t t, real *now,
                      ptrdiff_t wide) {
    const ptrdiff_t T = b->T, H = b->H;
    for (ptrdiff_t n = 0; n < rows; n++) {
        const ptrdiff_t at = (first + n) * T + t;
        const real *const h = b->states + at * H, *const gates = b->gates + at * 3 * H;
        const real *const before = t ? h - H : b->h0 + (first + n) * H;
        real *const d = now + n * wide, *const carried = b->grad_h0 + (first + n) * H;
        if (!step_exists(b->mask, at)) {
            carry(b->grad + at * H, NULL, carried, H);
            memset(d, 0, 4 * H * sizeof(real));
            continue;
        }
        if (b->hard)
            update_back(b->grad + at * H, gates, before, carried, d, H, 1);
        else
            update_back(b->grad + at * H, gates, before, carried, d, H, 0);
        if (b->reset_after) multiply_by(gates, d + 2 * H, d + 3 * H, H);
    }
}

static void reset_rows_back(const Back *b, ptrdiff_t first, ptrdiff_t rows, ptrdiff_t t, real *now,
                            ptrdiff_t wide) {
    const ptrdiff_t T = b->T, H = b->H;
    for (ptrdiff_t n = 0; n < rows; n++) {
        const ptrdiff_t at = (first + n) * T + t;
        real *const d = now + n * wide;
        const real *const h = b->states + at * H, *const gates = b->gates + at * 3 * H;
        const real *const before = t ? h - H : b->h0 + (first + n) * H;
        const real *const past = b->reset_after ? b->inner + at * H : before;
        const real *const by = d + (b->reset_after ? 2 : 3) * H;
        const real *const drop = b->drop && !b->reset_after ? b->drop + (first + n) * H : NULL;
        if (!step_exists(b->mask, at)) /* 0, whatever the step holds */
            memset(d, 0, 4 * H * sizeof(real));
        else if (b->hard)
            reset_back(gates, past, drop, by, d, H, 1);
        else
            reset_back(gates, past, drop, by, d, H, 0);
        memcpy(b->delta + at * 3 * H, d, 3 * H * sizeof(real));
        memcpy(b->grad_inner + at * H, d + 3 * H, H * sizeof(real));
    }
}

static void group_back(const Back *b, const Weights *weight, ptrdiff_t first, ptrdiff_t rows,
                       real *now, ptrdiff_t wide, real *back, ptrdiff_t narrow) {
    const ptrdiff_t H = b->H;
    memset(b->grad_h0 + first * H, 0, rows * H * sizeof(real));
    for (ptrdiff_t t = b->T - 1; t >= 0; t--) {
        rows_back(b, first, rows, t, now, wide);
        /* [rows x H] @ [H x H]: from the candidates to r * h */
        if (!b->reset_after)
            multiply_packed(&weight->n, now + 2 * H, wide, NULL, now + 3 * H, wide, rows, 0);
        reset_rows_back(b, first, rows, t, now, wide);
        /* [rows x 2H] @ [2H x H]: from r and z of step t to the states of step t - 1 */
        multiply_packed(&weight->rz, now, wide, NULL, back, narrow, rows, 0);
        if (b->reset_after)
            multiply_packed(&weight->n, now + 3 * H, wide, NULL, back, narrow, rows, 1);
        for (ptrdiff_t n = 0; n < rows; n++) {
            const real *const drop = b->drop ? b->drop + (first + n) * H : NULL;
            real *const by = now + n * wide + 3 * H, *const carried = b->grad_h0 + (first + n) * H;
            if (!b->reset_after) {
                multiply_by(b->gates + ((first + n) * b->T + t) * 3 * H, by, by, H);
                carry(by, drop, carried, H);
            }
            carry(back + n * narrow, drop, carried, H);
        }
    }
}

int NAME(gru_back)(const real *grad, const real *states, const real *gates, const real *inner,
                   const real *h0, const real *weight_h, const char *mask, const real *drop,
                   real *delta, real *grad_inner, real *grad_h0, ptrdiff_t N, ptrdiff_t T,
                   ptrdiff_t H, int reset_after, int hard, int threads) {
    const ptrdiff_t wide = SCRATCH_ROW(4 * H), narrow = SCRATCH_ROW(H);
    real *memory = aligned_block(size_of_weights(H) + N * (wide + narrow));
    if (!memory) return -1;
    const Weights weight = pack_weights(weight_h, H, 1, memory);
    real *const now = memory + size_of_weights(H), *const back = now + N * wide;
    const Back b = {grad,  states,     gates,   inner, h0, drop,        mask,
                    delta, grad_inner, grad_h0, T,     H,  reset_after, hard};
    const ptrdiff_t groups = CEIL_DIV(N, GROUP_ROWS);
    const int parallel = threads > 1 && N * T * H * 3 * H > PARALLEL_WORK;
#pragma omp parallel for num_threads(threads) schedule(static) if (parallel)
    for (ptrdiff_t group = 0; group < groups; group++) {
        const ptrdiff_t first = panel_start(N, groups, group);
        const ptrdiff_t rows = panel_start(N, groups, group + 1) - first;
        group_back(&b, &weight, first, rows, now + first * wide, wide, back + first * narrow,
                   narrow);
    }
    free(memory);
    return 0;
}
