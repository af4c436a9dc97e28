// Reductions of x seen as (A, R, B) over R, with strides a_step, r_step, b_step.
//
// R is cut into `chunks` runs of `length` (a number that depends on the shape only): the result is
// (A, chunks, B), and a second launch with one chunk finishes it. No atomics, a fixed order of
// additions: deterministic.
//
// <op>_rows: B = 1, r_step = 1; one work-item per (a, chunk), four vector accumulators.
//
// <op>_columns: b_step = 1; one work-item per (a, chunk, NV vectors of b).
//
// <op>_strided: anything; one work-item per (a, chunk, b).
// argmax, argmin, cumsum: one work-item per (a, b), which walks along R.

#define SUM(a, b) ((a) + (b))
#define MAX(a, b) ((((a) >= (b)) | ((a) != (a))) ? (a) : (b)) // NaN wins
#define MIN(a, b) ((((a) <= (b)) | ((a) != (a))) ? (a) : (b))

#define REDUCE_COLUMNS(name, NV, START, COMBINE)                                                   \
    kernel void name(global const real *restrict x, int x0, global real *restrict y, int items,    \
                     int chunks, int length, int R, int B, int a_step, int r_step) {               \
        const int item = get_global_id(0), tiles = (B + NV * VW - 1) / (NV * VW);                  \
        if (item >= items) return;                                                                 \
        const int b = item % tiles * NV * VW, chunk = item / tiles % chunks,                       \
                  a = item / tiles / chunks;                                                       \
        const int first = chunk * length, count = min(length, R - first);                          \
        global const real *p = x + x0 + a * a_step + first * r_step + b;                           \
        realv total[NV];                                                                           \
        UNROLL for (int v = 0; v < NV; ++v) total[v] = START(realv, LOADV(p + v * VW));            \
        for (int r = 0; r < count; ++r, p += r_step)                                               \
            UNROLL for (int v = 0; v < NV; ++v) total[v] = COMBINE(total[v], LOADV(p + v * VW));   \
        y += (a * chunks + chunk) * B + b;                                                         \
        for (int v = 0; v < NV && b + v * VW < B; ++v)                                             \
            store_part(total[v], B - b - v * VW, y + v * VW);                                      \
    }

#define REDUCE(name, START, COMBINE)                                                               \
    kernel void name##_rows(global const real *restrict x, int x0, global real *restrict y,        \
                            int items, int chunks, int length, int R, int a_step) {                \
        const int item = get_global_id(0);                                                         \
        if (item >= items) return;                                                                 \
        const int first = item % chunks * length, count = min(length, R - first);                  \
        global const real *p = x + x0 + item / chunks * a_step + first;                            \
        realv t0 = START(realv, (realv)(p[0])), t1 = t0, t2 = t0, t3 = t0;                         \
        int r = 0;                                                                                 \
        for (; r + 4 * VW <= count; r += 4 * VW) {                                                 \
            t0 = COMBINE(t0, LOADV(p + r));                                                        \
            t1 = COMBINE(t1, LOADV(p + r + VW));                                                   \
            t2 = COMBINE(t2, LOADV(p + r + 2 * VW));                                               \
            t3 = COMBINE(t3, LOADV(p + r + 3 * VW));                                               \
        }                                                                                          \
        t0 = COMBINE(COMBINE(t0, t1), COMBINE(t2, t3));                                            \
        for (; r + VW <= count; r += VW) t0 = COMBINE(t0, LOADV(p + r));                           \
        real lanes[VW];                                                                            \
        STOREV(t0, lanes);                                                                         \
        for (int width = VW / 2; width > 0; width /= 2)                                            \
            for (int i = 0; i < width; ++i) lanes[i] = COMBINE(lanes[i], lanes[i + width]);        \
        real total = lanes[0];                                                                     \
        for (; r < count; ++r) total = COMBINE(total, p[r]);                                       \
        y[item] = total;                                                                           \
    }                                                                                              \
    REDUCE_COLUMNS(name##_columns1, 1, START, COMBINE)                                             \
    REDUCE_COLUMNS(name##_columns4, 4, START, COMBINE)                                             \
    kernel void name##_strided(global const real *restrict x, int x0, global real *restrict y,     \
                               int items, int chunks, int length, int R, int B, int a_step,        \
                               int r_step, int b_step) {                                           \
        const int item = get_global_id(0);                                                         \
        if (item >= items) return;                                                                 \
        const int b = item % B, chunk = item / B % chunks, a = item / B / chunks;                  \
        const int first = chunk * length, count = min(length, R - first);                          \
        global const real *p = x + x0 + a * a_step + first * r_step + b * b_step;                  \
        real total = START(real, p[0]);                                                            \
        for (int r = 0; r < count; ++r) total = COMBINE(total, p[r * r_step]);                     \
        y[item] = total;                                                                           \
    }

#define FROM_ZERO(T, first) ((T)0)
#define FROM_FIRST(T, first) (first)
REDUCE(sum, FROM_ZERO, SUM)
REDUCE(max, FROM_FIRST, MAX)
REDUCE(min, FROM_FIRST, MIN)

#ifdef FLOATING
#define IS_NAN(v) isnan(v)
#else
#define IS_NAN(v) 0
#endif

// y (A, B): the first index r of the largest (smallest) x[a, r, b]; the first NaN wins.
#define ARG_REDUCE(name, BEATS)                                                                    \
    kernel void name(global const real *restrict x, int x0, global long *restrict y, int items,    \
                     int R, int B, int a_step, int r_step, int b_step) {                           \
        const int item = get_global_id(0);                                                         \
        if (item >= items) return;                                                                 \
        global const real *p = x + x0 + item / B * a_step + item % B * b_step;                     \
        real best = p[0];                                                                          \
        int place = 0;                                                                             \
        for (int r = 1; r < R; ++r) {                                                              \
            const real value = p[r * r_step];                                                      \
            if (BEATS(value, best) || (IS_NAN(value) && !IS_NAN(best))) {                          \
                best = value;                                                                      \
                place = r;                                                                         \
            }                                                                                      \
        }                                                                                          \
        y[item] = place;                                                                           \
    }

#define LARGER(a, b) ((a) > (b))
#define SMALLER(a, b) ((a) < (b))
ARG_REDUCE(argmax, LARGER)
ARG_REDUCE(argmin, SMALLER)

// y[a, r, b] = sum of x[a, j, b] over j <= r, or over j >= r with `reverse`; x and y are (A, R, B),
// contiguous.
kernel void cumsum(global const real *restrict x, int x0, global real *restrict y, int items, int R,
                   int B, int reverse) {
    const int item = get_global_id(0);
    if (item >= items) return;
    const int start = item / B * R * B + item % B;
    // The running sum starts anew after SQUARE numbers, as does that of the pieces before.
    enum { SQUARE = 512 };
    real here = 0, pieces = 0, before = 0, base = 0;
    for (int r = 0; r < R; ++r) {
        const int i = start + (reverse ? R - 1 - r : r) * B;
        if (r % SQUARE == 0) {
            pieces += here;
            here = 0;
            if (r % (SQUARE * SQUARE) == 0) {
                before += pieces;
                pieces = 0;
            }
            base = before + pieces;
        }
        here += x[x0 + i];
        y[i] = base + here;
    }
}
