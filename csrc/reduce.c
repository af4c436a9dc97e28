/* Reductions: y[kept] = sum, max or min of x over the reduced axes, any strides.

   The axes are sorted by stride, so that memory is read in order whatever the axes are called, and
   merged where they lie next to each other. Then the innermost axis decides.

   Reduced -> `reduce_rows`: each output is a sum of runs, and a run of blocks (runs.h), which are
   combined pairwise (`Cascade`), so that the rounding error grows with the logarithm of the length.

   Kept -> `reduce_columns`: runs are added elementwise into TILE accumulators, eight at a time and
   LONGEST in a row, then these partial results; short runs that lie side by side (the channels of
   pixels) many as one, folded at the end.

   Long reductions are cut into at most MAX_CHUNKS chunks whose partial results are combined in
   index order. The cut depends on the shape only: any number of threads gives the same bits.

   Split of work: (output, chunk) pairs for rows; (output row, tile, chunk) for columns. */

#include "reduce.h"
#include "runs.h"
#include <stdlib.h>
#include <string.h>

#define MAX_NDIM 32
#define TILE 512     /* columns: accumulators of 2 or 4 KiB stay in the L1 cache */
#define SHORT_RUN 64 /* columns: runs that are worth joining, to at most LONG_RUN elements */
#define LONG_RUN 256
#define LONGEST 4096 /* columns: runs added up in one accumulator */
#define MAX_CHUNKS 64
#define CHUNK_MIN 32768 /* elements worth a chunk of their own */
#define ENOUGH_TASKS 64 /* outputs which keep the threads busy without chunks */
#define COLUMN_TASKS 16
#define PARALLEL_MIN 65536

/* Partial results of 1, 2, 4, ... blocks, like the digits of a binary counter. */
typedef struct {
    real digit[64];
    int depth;
    ptrdiff_t count;
} Cascade;

INLINE void cascade_push(int op, Cascade *c, real value) {
    for (ptrdiff_t n = ++c->count; (n & 1) == 0; n >>= 1)
        value = combine(op, c->digit[--c->depth], value);
    c->digit[c->depth++] = value;
}

INLINE real cascade_result(int op, const Cascade *c) {
    real value = c->depth > 0 ? c->digit[c->depth - 1] : neutral(op);
    for (int i = c->depth - 2; i >= 0; i--) value = combine(op, c->digit[i], value);
    return value;
}

/* ---- axes ----------------------------------------------------------------------------------- */

typedef struct {
    ptrdiff_t size, x, y; /* strides in elements; y is 0 for a reduced axis */
    int reduced;
} Axis;

typedef struct {
    int ndim;
    ptrdiff_t count;
    ptrdiff_t size[MAX_NDIM], x[MAX_NDIM], y[MAX_NDIM];
} Group; /* some axes walked by one flat index, first axis slowest */

typedef struct {
    Axis inner;
    Group kept, reduced;  /* the other axes */
    ptrdiff_t fold, left; /* see join_runs */
} Layout;

static void group_add(Group *g, Axis axis) {
    g->size[g->ndim] = axis.size;
    g->x[g->ndim] = axis.x;
    g->y[g->ndim++] = axis.y;
    g->count *= axis.size;
}

INLINE void group_offsets(const Group *g, ptrdiff_t index, ptrdiff_t *x, ptrdiff_t *y) {
    *x = *y = 0;
    for (int axis = g->ndim - 1; axis >= 0; axis--) {
        const ptrdiff_t i = axis == 0 ? index : index % g->size[axis];
        index = axis == 0 ? 0 : index / g->size[axis];
        *x += i * g->x[axis];
        *y += i * g->y[axis];
    }
}

/* Repeated axes (stride 0) go outside: they only repeat the work of the others. */
static int belongs_outside(Axis a, Axis b) {
    const ptrdiff_t p = a.x < 0 ? -a.x : a.x, q = b.x < 0 ? -b.x : b.x;
    return q != 0 && (p == 0 || p > q);
}

static Layout lay_out(int ndim, const ptrdiff_t *shape, const ptrdiff_t *strides,
                      const uint8_t *reduced) {
    Axis axes[MAX_NDIM + 1];
    int n = 0;
    ptrdiff_t y = 1;
    for (int axis = ndim - 1; axis >= 0; axis--) { /* insertion sort, innermost first */
        const Axis a = {shape[axis], strides[axis], reduced[axis] ? 0 : y, reduced[axis]};
        y *= reduced[axis] ? 1 : shape[axis];
        if (a.size == 1) continue;
        int at = n++;
        for (; at > 0 && belongs_outside(axes[at - 1], a); at--) axes[at] = axes[at - 1];
        axes[at] = a;
    }
    int m = 0; /* axes[m] takes in what continues it */
    for (int i = 1; i < n; i++) {
        const Axis a = axes[i];
        Axis *const in = &axes[m];
        if (a.reduced == in->reduced && a.x == in->x * in->size && a.y == in->y * in->size)
            in->size *= a.size;
        else
            axes[++m] = a;
    }
    Layout layout = {{1, 1, 0, 1}, {.count = 1}, {.count = 1}, 1, 0};
    if (n > 0) layout.inner = axes[0];
    for (int i = n > 0 ? m : 0; i >= 1; i--)
        group_add(axes[i].reduced ? &layout.reduced : &layout.kept, axes[i]);
    return layout;
}

/* How many chunks to cut `elements` into, where `tasks` independent outputs exist. */
static ptrdiff_t chunk_count(ptrdiff_t tasks, ptrdiff_t elements) {
    if (tasks >= ENOUGH_TASKS) return 1;
    const ptrdiff_t wanted = CEIL_DIV(elements, CHUNK_MIN);
    return wanted < 1 ? 1 : MIN(wanted, MAX_CHUNKS);
}

/* ---- innermost axis reduced ----------------------------------------------------------------- */

/* Blocks low ... high - 1 of one output; a run has `per_run` blocks. */
INLINE real reduce_blocks(int op, const real *x, const Layout *l, ptrdiff_t per_run, ptrdiff_t low,
                          ptrdiff_t high) {
    Cascade cascade;
    cascade.depth = 0;
    cascade.count = 0;
    ptrdiff_t run = low / per_run, first = low % per_run * BLOCK;
    for (ptrdiff_t block = low; block < high; block++) {
        ptrdiff_t offset, unused;
        group_offsets(&l->reduced, run, &offset, &unused);
        cascade_push(op, &cascade,
                     reduce_block(op, x + offset + first * l->inner.x,
                                  MIN(BLOCK, l->inner.size - first), l->inner.x));
        first += BLOCK;
        if (first >= l->inner.size) run++, first = 0;
    }
    return cascade_result(op, &cascade);
}

/* Chunk t % chunks of output t / chunks. */
INLINE void rows_task(int op, const real *x, real *y, real *partial, const Layout *l,
                      ptrdiff_t chunks, ptrdiff_t t) {
    ptrdiff_t from, to;
    if (chunks == 1 && l->reduced.count == 1 && l->inner.size <= BLOCK) { /* many short rows */
        group_offsets(&l->kept, t, &from, &to);
        y[to] = reduce_block(op, x + from, l->inner.size, l->inner.x);
        return;
    }
    const ptrdiff_t per_run = CEIL_DIV(l->inner.size, BLOCK);
    const ptrdiff_t blocks = l->reduced.count * per_run;
    const ptrdiff_t chunk = t % chunks;
    group_offsets(&l->kept, t / chunks, &from, &to);
    const real value = reduce_blocks(op, x + from, l, per_run, chunk * blocks / chunks,
                                     (chunk + 1) * blocks / chunks);
    if (chunks == 1)
        y[to] = value;
    else
        partial[t] = value;
}

/* This member's tasks. A constant op in each call: inlined, no test in the loops; a parallel region
   is a function of its own, into which no constant would reach from outside. */
static void rows_share(int op, const real *x, real *y, real *partial, const Layout *l,
                       ptrdiff_t chunks, ptrdiff_t tasks) {
    const ptrdiff_t low = panel_start(tasks, TEAM_SIZE, TEAM_MEMBER);
    const ptrdiff_t high = panel_start(tasks, TEAM_SIZE, TEAM_MEMBER + 1);
    switch (op) {
    case REDUCE_SUM:
        for (ptrdiff_t t = low; t < high; t++) rows_task(REDUCE_SUM, x, y, partial, l, chunks, t);
        break;
    case REDUCE_MAX:
        for (ptrdiff_t t = low; t < high; t++) rows_task(REDUCE_MAX, x, y, partial, l, chunks, t);
        break;
    default:
        for (ptrdiff_t t = low; t < high; t++) rows_task(REDUCE_MIN, x, y, partial, l, chunks, t);
    }
}

static int reduce_rows(int op, const real *x, real *y, const Layout *l, int threads) {
    const ptrdiff_t per_output = l->inner.size * l->reduced.count;
    const ptrdiff_t blocks = l->reduced.count * CEIL_DIV(l->inner.size, BLOCK);
    const ptrdiff_t chunks = MIN(chunk_count(l->kept.count, per_output), blocks);
    const ptrdiff_t tasks = l->kept.count * chunks;
    real *partial = NULL;
    if (chunks > 1 && (partial = malloc(tasks * sizeof(real))) == NULL) return -1;
    if (per_output * l->kept.count < PARALLEL_MIN) threads = 1;
#pragma omp parallel num_threads(threads)
    rows_share(op, x, y, partial, l, chunks, tasks);
    for (ptrdiff_t output = 0; chunks > 1 && output < l->kept.count; output++) {
        Cascade cascade = {.depth = 0, .count = 0};
        for (ptrdiff_t chunk = 0; chunk < chunks; chunk++)
            cascade_push(op, &cascade, partial[output * chunks + chunk]);
        ptrdiff_t unused, to;
        group_offsets(&l->kept, output, &unused, &to);
        y[to] = cascade_result(op, &cascade);
    }
    free(partial);
    return 0;
}

/* ---- innermost axis kept -------------------------------------------------------------------- */

/* Short runs side by side become one run of `fold` of them; `left` runs remain behind the last. */
static void join_runs(Layout *l) {
    Group *const runs = &l->reduced;
    const int axis = runs->ndim - 1;
    const ptrdiff_t n = l->inner.size;
    if (axis < 0 || runs->count == 0 || n == 0 || n > SHORT_RUN) return;
    if (runs->x[axis] != n * l->inner.x) return;
    const ptrdiff_t size = runs->size[axis];
    l->fold = MIN(LONG_RUN / n, size);
    l->left = size % l->fold;
    l->inner.size *= l->fold;
    runs->x[axis] *= l->fold;
    runs->size[axis] /= l->fold;
    runs->count = runs->count / size * runs->size[axis];
}

/* acc[j] = op(acc[j], the runs that join_runs left), whose first element is x[behind]. */
INLINE void add_left(int op, const real *x, real *acc, const Layout *l) {
    const Group *const runs = &l->reduced;
    const ptrdiff_t size = runs->size[runs->ndim - 1], behind = runs->x[runs->ndim - 1];
    const ptrdiff_t n = l->left * (l->inner.size / l->fold);
    ptrdiff_t unused, offset;
    for (ptrdiff_t run = size - 1; run < runs->count; run += size) {
        group_offsets(runs, run, &offset, &unused);
        for (ptrdiff_t j = 0; j < n; j++)
            acc[j] = combine(op, acc[j], x[offset + behind + j * l->inner.x]);
    }
}

/* acc[j] = op over the `fold` parts of acc of n elements each: halves, then halves of those. */
INLINE void fold_parts(int op, real *acc, ptrdiff_t fold, ptrdiff_t n) {
    while (fold > 1) {
        const ptrdiff_t half = (fold + 1) / 2;
        const real *const upper = acc + half * n;
#pragma omp simd
        for (ptrdiff_t j = 0; j < (fold - half) * n; j++) acc[j] = combine(op, acc[j], upper[j]);
        fold = half;
    }
}

/* acc[j] = op over runs low ... high - 1 of x[run + j * stride], j < n <= TILE. */
INLINE void add_piece(int op, const real *x, real *acc, const Group *runs, ptrdiff_t low,
                      ptrdiff_t high, ptrdiff_t n, ptrdiff_t stride) {
    const real *row[8];
    ptrdiff_t unused, offset, run = low;
    for (ptrdiff_t j = 0; j < n; j++) acc[j] = neutral(op);
    for (; run + 8 <= high; run += 8) {
        for (int r = 0; r < 8; r++) {
            group_offsets(runs, run + r, &offset, &unused);
            row[r] = x + offset;
        }
        const real *const a = row[0], *const b = row[1], *const c = row[2], *const d = row[3];
        const real *const e = row[4], *const f = row[5], *const g = row[6], *const h = row[7];
#pragma omp simd
        for (ptrdiff_t j = 0; j < n; j++) {
            const ptrdiff_t i = j * stride;
            const real low4 = combine(op, combine(op, a[i], b[i]), combine(op, c[i], d[i]));
            const real high4 = combine(op, combine(op, e[i], f[i]), combine(op, g[i], h[i]));
            acc[j] = combine(op, acc[j], combine(op, low4, high4));
        }
    }
    for (; run < high; run++) {
        group_offsets(runs, run, &offset, &unused);
#pragma omp simd
        for (ptrdiff_t j = 0; j < n; j++) acc[j] = combine(op, acc[j], x[offset + j * stride]);
    }
}

/* The same for any number of runs. */
INLINE void add_runs(int op, const real *x, real *acc, const Group *runs, ptrdiff_t low,
                     ptrdiff_t high, ptrdiff_t n, ptrdiff_t stride) {
    real part[TILE], *to = acc;
    do {
        const ptrdiff_t end = MIN(low + LONGEST, high);
        add_piece(op, x, to, runs, low, end, n, stride);
        for (ptrdiff_t j = 0; to == part && j < n; j++) acc[j] = combine(op, acc[j], part[j]);
        low = end, to = part;
    } while (low < high);
}

/* y[j] = the folded n results. */
INLINE void put(int op, real *acc, real *y, const Layout *l, ptrdiff_t n) {
    const ptrdiff_t own = n / l->fold;
    fold_parts(op, acc, l->fold, own);
    for (ptrdiff_t j = 0; j < own; j++) y[j * l->inner.y] = acc[j];
}

/* Task t = (output row, tile, chunk), chunk fastest. partial: [output row][chunk][column]. */
INLINE void columns_task(int op, const real *x, real *y, real *partial, const Layout *l,
                         ptrdiff_t tiles, ptrdiff_t chunks, ptrdiff_t t) {
    real acc[TILE];
    const ptrdiff_t chunk = t % chunks, tile = t / chunks % tiles, output = t / chunks / tiles;
    const ptrdiff_t first = tile * TILE, n = MIN(TILE, l->inner.size - first);
    const ptrdiff_t low = chunk * l->reduced.count / chunks;
    const ptrdiff_t high = (chunk + 1) * l->reduced.count / chunks;
    ptrdiff_t from, to;
    group_offsets(&l->kept, output, &from, &to);
    const real *const start = x + from + first * l->inner.x;
    if (l->inner.x == 1)
        add_runs(op, start, acc, &l->reduced, low, high, n, 1);
    else
        add_runs(op, start, acc, &l->reduced, low, high, n, l->inner.x);
    if (l->left > 0 && chunk == chunks - 1) add_left(op, start, acc, l);
    if (chunks == 1)
        put(op, acc, y + to + first * l->inner.y, l, n);
    else
        memcpy(partial + (output * chunks + chunk) * l->inner.size + first, acc, n * sizeof(real));
}

static void columns_share(int op, const real *x, real *y, real *partial, const Layout *l,
                          ptrdiff_t tiles, ptrdiff_t chunks, ptrdiff_t tasks) {
    const ptrdiff_t low = panel_start(tasks, TEAM_SIZE, TEAM_MEMBER);
    const ptrdiff_t high = panel_start(tasks, TEAM_SIZE, TEAM_MEMBER + 1);
    switch (op) {
    case REDUCE_SUM:
        for (ptrdiff_t t = low; t < high; t++)
            columns_task(REDUCE_SUM, x, y, partial, l, tiles, chunks, t);
        break;
    case REDUCE_MAX:
        for (ptrdiff_t t = low; t < high; t++)
            columns_task(REDUCE_MAX, x, y, partial, l, tiles, chunks, t);
        break;
    default:
        for (ptrdiff_t t = low; t < high; t++)
            columns_task(REDUCE_MIN, x, y, partial, l, tiles, chunks, t);
    }
}

static int reduce_columns(int op, const real *x, real *y, const Layout *l, int threads) {
    const ptrdiff_t n = l->inner.size, rows = l->reduced.count, outputs = l->kept.count;
    const ptrdiff_t tiles = CEIL_DIV(n, TILE);
    const ptrdiff_t wanted = MIN(chunk_count(outputs * tiles, rows * MIN(n, TILE)), rows);
    /* No more than keep threads busy: whoever adds the chunks up fetches each line of a partial sum
       from the cache of the core that wrote it. */
    const ptrdiff_t chunks = MIN(wanted, CEIL_DIV(COLUMN_TASKS, outputs * tiles));
    const ptrdiff_t tasks = outputs * tiles * chunks;
    real *partial = NULL;
    if (chunks > 1 && (partial = malloc(outputs * chunks * n * sizeof(real))) == NULL) return -1;
    if (n * rows * outputs < PARALLEL_MIN) threads = 1;
#pragma omp parallel num_threads(threads)
    columns_share(op, x, y, partial, l, tiles, chunks, tasks);
    for (ptrdiff_t output = 0; chunks > 1 && output < outputs; output++) {
        real *const total = partial + output * chunks * n;
        for (ptrdiff_t chunk = 1; chunk < chunks; chunk++) {
#pragma omp simd
            for (ptrdiff_t j = 0; j < n; j++)
                total[j] = combine(op, total[j], total[chunk * n + j]);
        }
        ptrdiff_t unused, to;
        group_offsets(&l->kept, output, &unused, &to);
        put(op, total, y + to, l, n);
    }
    free(partial);
    return 0;
}

int NAME(reduce)(int op, const real *x, real *y, int ndim, const ptrdiff_t *shape,
                 const ptrdiff_t *strides, const uint8_t *reduced, int threads) {
    Layout l = lay_out(ndim, shape, strides, reduced);
    const int rows = l.inner.reduced;
    if (!rows) join_runs(&l);
    return (rows ? reduce_rows : reduce_columns)(op, x, y, &l, threads);
}

/* ---- argmax, argmin ------------------------------------------------------------------------- */

/* Index of the first best of n elements; a NaN beats everything. Long runs are read
   twice: for the value, which is vector code, then for its place. */
INLINE int64_t arg_run(int op, const real *x, ptrdiff_t n, ptrdiff_t stride) {
    if (n < RUN_LANES) {
        ptrdiff_t at = 0;
        for (ptrdiff_t i = 1; i < n; i++) {
            const real a = x[at * stride], b = x[i * stride];
            at = beats(op, b, a) | ((b != b) & (a == a)) ? i : at;
        }
        return at;
    }
    real best = neutral(op);
    for (ptrdiff_t low = 0; low < n; low += BLOCK)
        best = combine(op, best, reduce_block(op, x + low * stride, MIN(BLOCK, n - low), stride));
    for (ptrdiff_t i = 0; i < n; i++)
        if (x[i * stride] == best || (best != best && x[i * stride] != x[i * stride])) return i;
    return 0;
}

/* One run per output; outputs are shared among threads. */
void NAME(arg_reduce)(int op, const real *x, int64_t *y, int axis, int ndim, const ptrdiff_t *shape,
                      const ptrdiff_t *strides, int threads) {
    Group kept = {.count = 1};
    ptrdiff_t step = 1;
    for (int i = ndim - 1; i >= 0; i--) step *= i == axis ? 1 : shape[i];
    for (int i = 0; i < ndim; i++) {
        if (i == axis) continue;
        step /= shape[i];
        group_add(&kept, (Axis){shape[i], strides[i], step, 0});
    }
    const ptrdiff_t n = shape[axis], stride = strides[axis];
#pragma omp parallel for num_threads(threads)                                                      \
    schedule(static) if (threads > 1 && n * kept.count >= PARALLEL_MIN)
    for (ptrdiff_t output = 0; output < kept.count; output++) {
        ptrdiff_t from, to;
        group_offsets(&kept, output, &from, &to);
        y[to] = op == REDUCE_MAX ? arg_run(REDUCE_MAX, x + from, n, stride)
                                 : arg_run(REDUCE_MIN, x + from, n, stride);
    }
}
