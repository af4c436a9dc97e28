/* Attention  y = softmax(scale * q @ k^T + bias) @ v  for each head of each sequence, in tiles of
   queries x keys, so that the map (L, S) of weights is never stored: Dao et al. 2022 (arXiv
   2205.14135), algorithm 1, with the online softmax of Milakov and Gimelshein 2018 (arXiv
   1805.02867).

   Of each query we hold the largest score m so far, the sum l of e^(score - m) and the sum of
   e^(score - m) * value. A tile with a larger score multiplies both sums by e^(old m - new m).
   logs = m + log l is what backward (attention_grad.c) needs to find the weights again.

   Keys are packed as columns, values as rows (tile.h multiplies them from the L1 cache), once for
   all queries and all heads that share them: memory grows with the length, not with its square. A
   query without a key has y = 0 and logs = -inf. What a query does not see has the weight 0 and
   does not reach it, be it NaN: rows of values that are not finite are packed as 0, and added after
   the tile where their weight is not 0.

   Split of work: packing by (sequence, head of keys), then (sequence, head, QUERIES queries). Each
   query is one thread's, its tiles in order: the number of threads never changes a result. */

#include "attend.h"

#define QUERIES (4 * TILE_ROWS)
#define PARALLEL_WORK (32 * 32 * 64)

typedef struct {
    const Attention *a;
    const real *q, *v, *bias;
    const uint8_t *mask;
    real *y, *logs;
    real *keys, *values; /* packed, (N, G, ...) */
    uint8_t *absent;     /* (N, G, S + 1): rows of values that are not finite; if there are any */
} Forward;

static void pack_group(const Forward *f, const real *k, ptrdiff_t task) {
    const Attention *a = f->a;
    const ptrdiff_t n = task / a->G, g = task % a->G;
    pack_columns(k + n * a->k[0] + g * a->k[2], a->k[1], a->S, a->E,
                 f->keys + task * PANELS(a->S) * a->E);
    uint8_t *absent = f->absent + task * (a->S + 1);
    absent[a->S] = (uint8_t)pack_rows(f->v + n * a->v[0] + g * a->v[2], a->v[1], a->S, a->V, ONE,
                                      f->values + task * a->S * WIDTH(a->V), absent);
}

/* Scores s (count) of one query -> e^(s - m); m and l as above. Returns what the sums so far are to
   be multiplied with. */
static real online_softmax(real *s, ptrdiff_t count, real *m, real *l) {
    real largest = *m;
#pragma omp simd reduction(max : largest)
    for (ptrdiff_t j = 0; j < count; j++) largest = s[j] > largest ? s[j] : largest;
    if (largest == -(real)INFINITY) { /* nothing yet, or NaN alone */
        for (ptrdiff_t j = 0; j < count; j++) *l += s[j] = s[j] == largest ? 0 : s[j];
        return ONE;
    }
    real sum = 0;
#pragma omp simd reduction(+ : sum)
    for (ptrdiff_t j = 0; j < count; j++) {
        s[j] = exp_softmax(s[j] - largest);
        sum += s[j];
    }
    const real shrink = *m == largest ? ONE : exp_softmax(*m - largest);
    *l = *l * shrink + sum;
    *m = largest;
    return shrink;
}

/* One tile of at most TILE_ROWS queries from i on and the keys j0 ... j0 + count - 1. */
static void attend_tile(const Head *head, const real *q, int rows, ptrdiff_t i, const real *keys,
                        const real *values, ptrdiff_t j0, ptrdiff_t count, real *m, real *l,
                        real *sums, real *s) {
    const Attention *a = head->a;
    const ptrdiff_t width = WIDTH(a->V), whole = WIDTH(count); /* no last lanes one by one */
    multiply_columns(q, a->E, rows, a->E, keys + j0 * a->E, s, count); /* [rows x E] @ [E x keys] */
    for (int r = 0; r < rows; r++) {
        real *const row = s + r * KEYS;
        hide(head, i + r, j0, count, row);
        for (ptrdiff_t j = count; j < whole; j++) row[j] = -(real)INFINITY;
        const real shrink = online_softmax(row, whole, m + r, l + r);
        if (shrink != ONE)
            for (ptrdiff_t e = 0; e < width; e++) sums[r * width + e] *= shrink;
        if (a->kept != 0) {
            real factors[KEYS];
            drop_factors(head, i + r, j0, count, factors);
            for (ptrdiff_t j = 0; j < count; j++)
                row[j] = factors[j] == 0 ? 0 : row[j] * factors[j];
        }
    }
    multiply_rows(s, KEYS, 1, rows, count, values + j0 * width, sums, width);
}

static void finish_rows(const Forward *f, ptrdiff_t n, ptrdiff_t h, ptrdiff_t i, ptrdiff_t rows,
                        const real *m, const real *l, const real *sums) {
    const Attention *a = f->a;
    for (ptrdiff_t r = 0; r < rows; r++, sums += WIDTH(a->V)) {
        real *const y = f->y + ((n * a->L + i + r) * a->H + h) * a->V;
        const real factor = l[r] == 0 ? 0 : ONE / l[r];
        for (ptrdiff_t e = 0; e < a->V; e++) y[e] = sums[e] * factor;
        f->logs[(n * a->H + h) * a->L + i + r] = l[r] == 0 ? -(real)INFINITY : m[r] + log_one(l[r]);
    }
}

/* QUERIES queries of one head; room: QUERIES * (E + WIDTH(V) + KEYS). */
static void attend_block(const Forward *f, ptrdiff_t task, real *room) {
    const Attention *a = f->a;
    const ptrdiff_t blocks = CEIL_DIV(a->L, QUERIES), width = WIDTH(a->V);
    const ptrdiff_t i0 = task % blocks * QUERIES;
    const ptrdiff_t h = task / blocks % a->H, n = task / blocks / a->H;
    const ptrdiff_t rows = MIN(QUERIES, a->L - i0), group = n * a->G + h / (a->H / a->G);
    real *const q = room, *const sums = q + QUERIES * a->E, *const s = sums + QUERIES * width;
    const real *const from = f->q + n * a->q[0] + i0 * a->q[1] + h * a->q[2];
    for (ptrdiff_t r = 0; r < rows; r++)
        for (ptrdiff_t e = 0; e < a->E; e++)
            q[r * a->E + e] = from[r * a->q[1] + e] * (real)a->scale;
    memset(sums, 0, rows * width * sizeof(real));
    real m[QUERIES], l[QUERIES] = {0};
    for (int r = 0; r < QUERIES; r++) m[r] = -(real)INFINITY;
    const Head head = head_of(a, f->mask, f->bias, n, h);
    const real *const keys = f->keys + group * PANELS(a->S) * a->E;
    const real *const values = f->values + group * a->S * width;
    const uint8_t *const absent = f->absent + group * (a->S + 1);
    const ptrdiff_t panels = CEIL_DIV(rows, TILE_ROWS);
    for (ptrdiff_t j0 = 0; j0 < a->S; j0 += KEYS)
        for (ptrdiff_t p = 0; p < panels; p++) {
            const ptrdiff_t r = panel_start(rows, panels, p);
            const int some = (int)(panel_start(rows, panels, p + 1) - r);
            const ptrdiff_t count = keys_seen(a, i0 + r + some - 1, j0, MIN(KEYS, a->S - j0));
            if (count == 0) continue;
            attend_tile(&head, q + r * a->E, some, i0 + r, keys, values, j0, count, m + r, l + r,
                        sums + r * width, s);
            if (absent[a->S])
                add_absent(s, KEYS, 1, some, count, absent + j0,
                           f->v + n * a->v[0] + j0 * a->v[1] + h / (a->H / a->G) * a->v[2], a->v[1],
                           a->V, sums + r * width, width);
        }
    finish_rows(f, n, h, i0, rows, m, l, sums);
}

int NAME(attention)(const Attention *a, const real *q, const real *k, const real *v,
                    const uint8_t *mask, const real *bias, real *y, real *logs, int threads) {
    const ptrdiff_t groups = a->N * a->G, tasks = a->N * a->H * CEIL_DIV(a->L, QUERIES);
    if (a->N * a->H * a->L * a->S * (a->E + a->V) < PARALLEL_WORK) threads = 1;
    real *const keys = aligned_block(groups * PANELS(a->S) * a->E);
    real *const values = aligned_block(groups * a->S * WIDTH(a->V));
    uint8_t *const absent = malloc(groups * (a->S + 1) + 1);
    int failed = !keys || !values || !absent;
    const Forward f = {a, q, v, bias, mask, y, logs, keys, values, absent};
    if (!failed) {
#pragma omp parallel for num_threads(threads)
        for (ptrdiff_t task = 0; task < groups; task++) pack_group(&f, k, task);
#pragma omp parallel num_threads(threads) reduction(| : failed)
        {
            real *const room = aligned_block(QUERIES * (a->E + WIDTH(a->V) + KEYS));
            failed |= !room;
            for (ptrdiff_t task = TEAM_MEMBER; room && task < tasks; task += TEAM_SIZE)
                attend_block(&f, tasks - 1 - task, room); /* under causality the last have most */
            free(room);
        }
    }
    free(keys), free(values), free(absent);
    return failed ? -1 : 0;
}
