// CTC, log_p (N, T, C) and labels (N, L): total (N,) = log p of the labels over all alignments,
// occupied (N, T, C) = how likely these are in class c at step t. In log space; formulas and names:
// tinydl/backend/reference/ctc.py and csrc/ctc.c.
//
// ctc_rows: CPU device. One work-item = one row n; vectors along its states.
// ctc_groups: GPU. One work-group = one row; an item = every 64th state, and a barrier between two
// steps. `work` holds T + 4 rows of W = 2L + 3 numbers for each n.

#define ITEMS 64

static inline realv log_sum(realv a, realv b, realv c) {
    realv largest = fmax(fmax(a, b), c);
    largest = largest == (realv)(-INFINITY) ? (realv)0 : largest;
    return largest + log(exp(a - largest) + exp(b - largest) + exp(c - largest));
}

static inline real one_log_sum(real a, real b) {
    const real largest = fmax(a, b);
    if (largest == -INFINITY) return a == b ? largest : NAN;
    return largest + log(exp(a - largest) + exp(b - largest));
}

#define CLASS(s) ((s) % 2 ? (int)own[(s) / 2] : blank)
// All states of this item: one by one, or in vectors.
#define STATES(s, end) for (int s = item; s < (end); s += items)
#define VECTORS(s) for (int s = item * VW; s < S; s += items * VW)

// The largest of n numbers. A step's states are counted from it, unless all are log 0.
static inline real largest_of(global const real *x, int n) {
    real largest = -INFINITY;
    for (int i = 0; i < n; ++i) largest = fmax(largest, x[i]);
    return largest;
}

#define SUBTRACTED (largest > -INFINITY ? largest : 0)

#define CTC(name, ITEM, COUNT, ROW, MEET)                                                          \
    kernel void name(                                                                              \
        global const real *restrict log_p, int log_p0, global const long *restrict labels,         \
        int labels0, global const long *restrict steps, int steps0,                                \
        global const long *restrict counts, int counts0, global real *total,                       \
        global real *occupied, global real *work, int N, int T, int C, int L, int blank) {         \
        const int n = ROW, item = ITEM, items = COUNT, W = 2 * L + 3;                              \
        if (n >= N) return;                                                                        \
        global const long *own = labels + labels0 + n * L;                                         \
        const int S = 2 * (int)counts[counts0 + n] + 1, last = (int)steps[steps0 + n] - 1;         \
        global const real *p = log_p + log_p0 + n * T * C;                                         \
        global real *y = occupied + n * T * C;                                                     \
        global real *emitted = work + n * (T + 4) * W, *skip = emitted + W, *rest = skip + W;      \
        global real *share = rest + W, *alpha = share + W;                                         \
        STATES(i, T * C) y[i] = 0;                                                                 \
        STATES(s, S + 2) {                                                                         \
            const int in = s % 2 && s > 1 && s < S && own[s / 2] != own[s / 2 - 1];                \
            skip[s] = in ? 0 : -INFINITY;                                                          \
            rest[s] = s < S && s >= S - 2 ? 0 : -INFINITY;                                         \
            alpha[s] = s > 1 && s < 4 ? p[CLASS(s - 2)] : -INFINITY;                               \
        }                                                                                          \
        real total_so_far = 0;                                                                     \
        for (int t = 1; t <= last; ++t) {                                                          \
            global const real *before = alpha + (t - 1) * W;                                       \
            global real *now = alpha + t * W;                                                      \
            STATES(s, S) emitted[s] = p[t * C + CLASS(s)];                                         \
            STATES(s, 2) now[s] = -INFINITY;                                                       \
            MEET;                                                                                  \
            const real largest = largest_of(before + 2, S);                                        \
            total_so_far += largest;                                                               \
            VECTORS(s) {                                                                           \
                const realv skipped = LOADV(before + s) + LOADV(skip + s);                         \
                const realv ways = log_sum(LOADV(before + s + 2), LOADV(before + s + 1), skipped); \
                store_part(LOADV(emitted + s) + (ways - (realv)SUBTRACTED), S - s, now + s + 2);   \
            }                                                                                      \
            MEET;                                                                                  \
        }                                                                                          \
        MEET;                                                                                      \
        global const real *end = alpha + last * W + S;                                             \
        const real whole = total_so_far + one_log_sum(end[1], end[0]);                             \
        if (item == 0) total[n] = whole;                                                           \
        if (whole == -INFINITY) return;                                                            \
        for (int t = last; t >= 0; --t) {                                                          \
            STATES(s, S) share[s] = alpha[t * W + 2 + s] + rest[s];                                \
            MEET;                                                                                  \
            const real most = largest_of(share, S);                                                \
            if (item == 0) {                                                                       \
                real sum = 0;                                                                      \
                for (int s = 0; s < S; ++s) sum += exp(share[s] - most);                           \
                for (int s = 0; s < S; ++s) y[t * C + CLASS(s)] += exp(share[s] - most) / sum;     \
            }                                                                                      \
            MEET;                                                                                  \
            STATES(s, S + 2) share[s] = s < S ? rest[s] + p[t * C + CLASS(s)] : -INFINITY;         \
            MEET;                                                                                  \
            const real largest = largest_of(share, S);                                             \
            VECTORS(s) {                                                                           \
                const realv skipped = LOADV(share + s + 2) + LOADV(skip + s + 2);                  \
                const realv ways = log_sum(LOADV(share + s), LOADV(share + s + 1), skipped);       \
                store_part(ways - (realv)SUBTRACTED, S - s, rest + s);                             \
            }                                                                                      \
            MEET;                                                                                  \
        }                                                                                          \
    }

CTC(ctc_rows, 0, 1, get_global_id(0), )
CTC(ctc_groups, get_local_id(0), ITEMS, get_group_id(0), barrier(CLK_GLOBAL_MEM_FENCE))
