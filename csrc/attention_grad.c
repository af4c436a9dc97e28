/* The gradients of attention, in tiles of queries x keys: Dao et al. 2022 (arXiv 2205.14135),
   algorithm 4, the weights being computed again from the scores and their logarithmic sums.

   With P = e^(scale * q k^T + bias - logs) the weights and D_i = grad_i . y_i:

       grad_v  = P^T grad
       dS      = P * (grad v^T - D)
       grad_q  = scale * dS k,    grad_k = scale * dS^T q

   Dropout multiplies P in the first line and grad v^T in the second by the same factors. A weight
   that is 0 takes part in nothing: rows that are not finite are packed as 0, and a gradient that is
   not finite is added where its weight is not 0 (of a query or key that is not finite, every weight
   that it takes part in is NaN).

   Split of work: (sequence, head of keys); one thread takes all heads of queries that share it, in
   order, so no two threads add to one sum and their number never changes a result. Memory beside
   the results: copies of the operands of one head, per thread. */

#include "attend.h"

#define QUERIES (8 * TILE_ROWS)
#define PARALLEL_WORK (32 * 32 * 64)

/* Packed operands and sums of one (sequence, head of keys), in one block of memory. */
typedef struct {
    real *keys, *values;              /* as columns: PANELS(S) x E, V */
    real *key_rows, *grad_k, *grad_v; /* S x WIDTH(E), WIDTH(E), WIDTH(V) */
    real *q, *grad, *grad_q;          /* of one head of queries: L x WIDTH(E), WIDTH(V), WIDTH(E) */
    real *logs, *shares;              /* L: logs (+inf for a query without keys), and D */
    real *p, *ds;                     /* one tile: QUERIES x KEYS */
    uint8_t *absent;                  /* L: gradients that are not finite */
} Room;

static ptrdiff_t lay_out(const Attention *a, real *at, Room *room) {
    const ptrdiff_t E = WIDTH(a->E), V = WIDTH(a->V), S = PANELS(a->S);
    real **const places[] = {&room->keys,   &room->values, &room->key_rows, &room->grad_k,
                             &room->grad_v, &room->q,      &room->grad,     &room->grad_q,
                             &room->logs,   &room->shares, &room->p,        &room->ds};
    const ptrdiff_t sizes[] = {S * a->E, S * a->V, S * E, S * E, S * V,          a->L * E,
                               a->L * V, a->L * E, a->L,  a->L,  QUERIES * KEYS, QUERIES * KEYS};
    ptrdiff_t total = 0;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        *places[i] = at + total;
        total += WIDTH(sizes[i]);
    }
    room->absent = (uint8_t *)(at + total);
    return total + WIDTH(a->L);
}

typedef struct {
    const Attention *a;
    const real *grad, *y, *logs, *q, *k, *v, *bias;
    const uint8_t *mask;
    real *grad_q, *grad_k, *grad_v;
} Backward;

/* Row i of (n, step, head) of an array (N, steps, heads, size). */
#define PLACE(x, n, i, h, steps, heads, size)                                                      \
    ((x) + (((n) * (steps) + (i)) * (heads) + (h)) * (size))

static void pack_keys(const Backward *b, const Room *room, ptrdiff_t n, ptrdiff_t g) {
    const Attention *a = b->a;
    const real *k = b->k + n * a->k[0] + g * a->k[2], *v = b->v + n * a->v[0] + g * a->v[2];
    pack_columns(k, a->k[1], a->S, a->E, room->keys);
    pack_columns(v, a->v[1], a->S, a->V, room->values);
    pack_rows(k, a->k[1], a->S, a->E, (real)a->scale, room->key_rows, NULL);
    memset(room->grad_k, 0, a->S * WIDTH(a->E) * sizeof(real));
    memset(room->grad_v, 0, a->S * WIDTH(a->V) * sizeof(real));
}

/* Returns whether a row of the incoming gradient is not finite. */
static int pack_queries(const Backward *b, const Room *room, ptrdiff_t n, ptrdiff_t h) {
    const Attention *a = b->a;
    const real *const q = b->q + n * a->q[0] + h * a->q[2];
    const real *const grad = PLACE(b->grad, n, 0, h, a->L, a->H, a->V);
    const real *const y = PLACE(b->y, n, 0, h, a->L, a->H, a->V);
    pack_rows(q, a->q[1], a->L, a->E, (real)a->scale, room->q, NULL);
    memset(room->grad_q, 0, a->L * WIDTH(a->E) * sizeof(real));
    for (ptrdiff_t i = 0; i < a->L; i++) {
        const ptrdiff_t row = i * a->H * a->V;
        real share = 0;
#pragma omp simd reduction(+ : share)
        for (ptrdiff_t e = 0; e < a->V; e++) share += grad[row + e] * y[row + e];
        const real log = b->logs[(n * a->H + h) * a->L + i];
        room->shares[i] = share;
        room->logs[i] = log == -(real)INFINITY ? (real)INFINITY : log;
    }
    return pack_rows(grad, a->H * a->V, a->L, a->V, ONE, room->grad, room->absent);
}

/* Scores p and grad v^T ds of a query -> its weights (dropped, for grad_v) and dS. */
static void weights_again(const Head *head, const Room *room, ptrdiff_t i, ptrdiff_t j0,
                          ptrdiff_t count, real *restrict p, real *restrict ds) {
    const real log = room->logs[i], share = room->shares[i];
    hide(head, i, j0, count, p);
    if (log != log) { /* NaN: all weights of the query, but not those of keys it does not see */
        for (ptrdiff_t j = 0; j < count; j++) p[j] = ds[j] = p[j] == -(real)INFINITY ? 0 : log;
        return;
    }
    if (head->a->kept == 0) {
#pragma omp simd
        for (ptrdiff_t j = 0; j < count; j++) {
            const real weight = exp_softmax(p[j] - log);
            const real slope = weight * (ds[j] - share);
            p[j] = weight;
            ds[j] = weight == 0 ? 0 : slope;
        }
        return;
    }
    real factors[KEYS];
    drop_factors(head, i, j0, count, factors);
    for (ptrdiff_t j = 0; j < count; j++) {
        const real weight = exp_softmax(p[j] - log);
        const real slope = weight * ((factors[j] == 0 ? 0 : ds[j] * factors[j]) - share);
        p[j] = factors[j] == 0 ? 0 : weight * factors[j];
        ds[j] = weight == 0 ? 0 : slope;
    }
}

/* The tile of `rows` queries from i0 on and the keys j0 ... j0 + count - 1. */
static void backward_tile(const Head *head, const Room *room, ptrdiff_t i0, ptrdiff_t rows,
                          ptrdiff_t j0, ptrdiff_t count) {
    const Attention *a = head->a;
    const ptrdiff_t E = WIDTH(a->E), V = WIDTH(a->V), panels = CEIL_DIV(rows, TILE_ROWS);
    ptrdiff_t begin = rows; /* rows before see none of these keys */
    for (ptrdiff_t panel = 0; panel < panels; panel++) {
        const ptrdiff_t r = panel_start(rows, panels, panel), i = i0 + r;
        const int some = (int)(panel_start(rows, panels, panel + 1) - r);
        const ptrdiff_t seen = keys_seen(a, i + some - 1, j0, count);
        real *const p = room->p + r * KEYS, *const ds = room->ds + r * KEYS;
        if (seen == 0) continue;
        begin = MIN(begin, r);
        multiply_columns(room->q + i * E, E, some, a->E, room->keys + j0 * a->E, p, seen);
        multiply_columns(room->grad + i * V, V, some, a->V, room->values + j0 * a->V, ds, seen);
        for (int row = 0; row < some; row++) {
            real *const weights = p + row * KEYS, *const slopes = ds + row * KEYS;
            weights_again(head, room, i + row, j0, seen, weights, slopes);
            for (ptrdiff_t j = seen; j < count; j++) weights[j] = slopes[j] = 0;
        }
        multiply_rows(ds, KEYS, 1, some, seen, room->key_rows + j0 * E, room->grad_q + i * E, E);
    }
    if (begin == rows) return;
    for (ptrdiff_t j = 0; j < count; j += TILE_ROWS) { /* [keys x queries] @ [queries x E] */
        const int keys = (int)MIN(TILE_ROWS, count - j);
        ptrdiff_t r = begin;
        while (a->first >= 0 && r < rows - 1 && i0 + r + a->first < j0 + j) r++;
        const real *const p = room->p + r * KEYS + j, *const ds = room->ds + r * KEYS + j;
        multiply_rows(p, 1, KEYS, keys, rows - r, room->grad + (i0 + r) * V,
                      room->grad_v + (j0 + j) * V, V);
        multiply_rows(ds, 1, KEYS, keys, rows - r, room->q + (i0 + r) * E,
                      room->grad_k + (j0 + j) * E, E);
    }
}

static void backward_head(const Backward *b, const Room *room, ptrdiff_t n, ptrdiff_t h) {
    const Attention *a = b->a;
    const ptrdiff_t E = WIDTH(a->E), V = WIDTH(a->V);
    const int absent = pack_queries(b, room, n, h);
    const Head head = head_of(a, b->mask, b->bias, n, h);
    for (ptrdiff_t j0 = 0; j0 < a->S; j0 += KEYS)
        for (ptrdiff_t i0 = 0; i0 < a->L; i0 += QUERIES) {
            const ptrdiff_t rows = MIN(QUERIES, a->L - i0), count = MIN(KEYS, a->S - j0);
            if (keys_seen(a, i0 + rows - 1, j0, count) == 0) continue;
            backward_tile(&head, room, i0, rows, j0, count);
            if (absent)
                add_absent(room->p, 1, KEYS, count, rows, room->absent + i0,
                           PLACE(b->grad, n, i0, h, a->L, a->H, a->V), a->H * a->V, a->V,
                           room->grad_v + j0 * V, V);
        }
    for (ptrdiff_t i = 0; i < a->L; i++)
        memcpy(PLACE(b->grad_q, n, i, h, a->L, a->H, a->E), room->grad_q + i * E,
               a->E * sizeof(real));
}

static void backward_group(const Backward *b, const Room *room, ptrdiff_t task) {
    const Attention *a = b->a;
    const ptrdiff_t n = task / a->G, g = task % a->G, together = a->H / a->G;
    pack_keys(b, room, n, g);
    for (ptrdiff_t h = g * together; h < (g + 1) * together; h++) backward_head(b, room, n, h);
    for (ptrdiff_t j = 0; j < a->S; j++) {
        memcpy(PLACE(b->grad_k, n, j, g, a->S, a->G, a->E), room->grad_k + j * WIDTH(a->E),
               a->E * sizeof(real));
        memcpy(PLACE(b->grad_v, n, j, g, a->S, a->G, a->V), room->grad_v + j * WIDTH(a->V),
               a->V * sizeof(real));
    }
}

int NAME(attention_grad)(const Attention *a, const real *grad, const real *y, const real *logs,
                         const real *q, const real *k, const real *v, const uint8_t *mask,
                         const real *bias, real *grad_q, real *grad_k, real *grad_v, int threads) {
    const Backward b = {a, grad, y, logs, q, k, v, bias, mask, grad_q, grad_k, grad_v};
    const ptrdiff_t tasks = a->N * a->G;
    if (a->N * a->H * a->L * a->S * (a->E + a->V) < PARALLEL_WORK) threads = 1;
    int failed = 0;
#pragma omp parallel num_threads(threads) reduction(| : failed)
    {
        Room room;
        real *const block = aligned_block(lay_out(a, NULL, &room));
        failed |= !block;
        if (block) lay_out(a, block, &room);
        for (ptrdiff_t task = TEAM_MEMBER; block && task < tasks; task += TEAM_SIZE)
            backward_group(&b, &room, task);
        free(block);
    }
    return failed ? -1 : 0;
}
