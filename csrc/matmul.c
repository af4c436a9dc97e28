/* Matrix product  c = relu?(a @ b + bias):  [M x K] @ [K x N], M rows of a, N columns of b, K
   summed.

   a and b have any strides, in elements (transposes, broadcast rows, negative steps); c is
   contiguous. Leading batch axes have their own strides, 0 where an operand is broadcast.

   Blocks: K is cut into runs of at most BLOCK_K, N into blocks of at most BLOCK_N columns. A block
   of b is packed into panels of TILE_COLS columns (it stays in the L2 cache), then each panel of at
   most TILE_ROWS rows of a is copied into the L1 cache and multiplied with all panels of b: see
   tile.h. Vectors (M = 1 or N = 1) go their own way, limited by reading the matrix once.

   Split of work: over batch entries if they are many and small, else over row panels x column
   chunks of one block. Each element of c is summed by one thread in the order of k, so the number
   of threads never changes a result. Extra memory: one block of b, at most BLOCK_K * BLOCK_N
   elements, per thread in the first case, shared in the second; a panel of a on each thread's
   stack. A b that many products share may come packed as a whole (matmul_pack). */

#include "matmul.h"

#include "packed.h"

#define BLOCK_K PACKED_K /* the order of a b that came packed */
#define BLOCK_N 512
#define COPY_ROWS (TILE_ROWS > 8 ? 16 : 8)
#define PARALLEL_WORK (64 * 64 * 64) /* multiply-adds below which waking threads costs more */

typedef struct {
    const real *a, *b, *bias;
    real *c;
    ptrdiff_t M, N, K, a_row, a_col, b_row, b_col;
    int relu, packed; /* packed: b comes from matmul_pack */
} Product;

/* ---- vectors ------------------------------------------------------------------------------- */

/* y[j] = sum_k x[k] * m[k*row + j] for n < LANES columns. A whole vector is loaded as long as it
   ends before the last row of m does. */
static void few_columns(const real *x, ptrdiff_t x_step, const real *m, ptrdiff_t row, real *y,
                        int n, ptrdiff_t K) {
    const ptrdiff_t whole = row > 0 ? MAX(0, K - CEIL_DIV(LANES - n, row)) : 0;
    vec first = {0};
    for (ptrdiff_t k = 0; k < whole; k++) first += x[k * x_step] * load(m + k * row);
    real sum[LANES];
    store(sum, first);
    for (ptrdiff_t k = whole; k < K; k++)
        for (int j = 0; j < n; j++) sum[j] += x[k * x_step] * m[k * row + j];
    memcpy(y, sum, n * sizeof(real));
}

/* The same for `vectors` vectors of adjacent columns in registers, the last of them at column
   `last`, where it may overlap the one before: it computes the same sums. */
static inline __attribute__((always_inline)) void column_sums(const real *x, ptrdiff_t x_step,
                                                              const real *m, ptrdiff_t row, real *y,
                                                              ptrdiff_t K, const int vectors,
                                                              ptrdiff_t last) {
    vec sum[16];
#pragma GCC unroll 16
    for (int v = 0; v < vectors; v++) sum[v] = (vec){0};
    for (ptrdiff_t k = 0; k < K; k++, m += row) {
        const real s = x[k * x_step];
#pragma GCC unroll 16
        for (int v = 0; v < vectors - 1; v++) sum[v] += s * load(m + v * LANES);
        sum[vectors - 1] += s * load(m + last);
    }
#pragma GCC unroll 16
    for (int v = 0; v < vectors - 1; v++) store(y + v * LANES, sum[v]);
    store(y + last, sum[vectors - 1]);
}

/* y[j] = sum_k x[k] * m[k*row + j]: m is read once.  [1 x K] @ [K x n] */
static void vector_times_columns(const real *x, ptrdiff_t x_step, const real *m, ptrdiff_t row,
                                 real *y, ptrdiff_t n, ptrdiff_t K) {
    enum { WIDE = VECTOR_BYTES == 64 ? 16 : 8 };
    ptrdiff_t j = 0;
    for (; j + WIDE * LANES <= n; j += WIDE * LANES)
        column_sums(x, x_step, m + j, row, y + j, K, WIDE, (WIDE - 1) * LANES);
    for (; j + 8 * LANES <= n; j += 8 * LANES)
        column_sums(x, x_step, m + j, row, y + j, K, 8, 7 * LANES);
    for (; j + 4 * LANES <= n; j += 4 * LANES)
        column_sums(x, x_step, m + j, row, y + j, K, 4, 3 * LANES);
    if (n < LANES) {
        few_columns(x, x_step, m, row, y, (int)n, K);
        return;
    }
    m += j, y += j, n -= j;
    switch (CEIL_DIV(n, LANES)) {
    case 4:
        column_sums(x, x_step, m, row, y, K, 4, n - LANES);
        break;
    case 3:
        column_sums(x, x_step, m, row, y, K, 3, n - LANES);
        break;
    case 2:
        column_sums(x, x_step, m, row, y, K, 2, n - LANES);
        break;
    case 1:
        column_sums(x, x_step, m, row, y, K, 1, n - LANES);
        break;
    }
}

/* sums[v] += sum_r x[r] * m[r*row + v*LANES ...] for a few rows and vectors of each. */
static inline __attribute__((always_inline)) void add_vectors(vec *sums, const real *x,
                                                              const real *m, ptrdiff_t row,
                                                              const int vectors, const int rows) {
    vec sum[4];
#pragma GCC unroll 4
    for (int v = 0; v < vectors; v++) sum[v] = sums[v];
#pragma GCC unroll 4
    for (int r = 0; r < rows; r++)
#pragma GCC unroll 4
        for (int v = 0; v < vectors; v++) sum[v] += x[r] * load(m + r * row + v * LANES);
#pragma GCC unroll 4
    for (int v = 0; v < vectors; v++) sums[v] = sum[v];
}

#define CHUNK (4096 / (int)sizeof(real)) /* a page: beyond it no row is fetched ahead */
typedef struct {
    ptrdiff_t n, head, middle;             /* columns, those before the middle, vectors in it */
    vec first, last, inner[CHUNK / LANES]; /* `first` only with a head, `last` with a rest */
} RowSums;

static inline __attribute__((always_inline)) void add_rows(RowSums *s, const real *x,
                                                           ptrdiff_t x_step, const real *m,
                                                           ptrdiff_t row, const int rows) {
    real part[4];
    for (int r = 0; r < rows; r++) part[r] = x[r * x_step];
    if (s->head > 0) add_vectors(&s->first, part, m, row, 1, rows);
    ptrdiff_t v = 0;
    for (; v + 4 <= s->middle; v += 4)
        add_vectors(s->inner + v, part, m + s->head + v * LANES, row, 4, rows);
    for (; v < s->middle; v++)
        add_vectors(s->inner + v, part, m + s->head + v * LANES, row, 1, rows);
    if (s->head + s->middle * LANES < s->n)
        add_vectors(&s->last, part, m + s->n - LANES, row, 1, rows);
}

/* The same for n <= CHUNK columns of wide rows: four rows at a time from their beginning to their
   end, as memory likes to be read, with the sums in the L1 cache. Sums over k in the same order.

   If all rows lie alike to the cache lines, the inner vectors start on one: NumPy's arrays begin 16
   bytes into a line, and a load that crosses lines costs two. The first vector and the last may
   overlap their neighbours, whose sums they compute too. */
static void vector_times_rows(const real *x, ptrdiff_t x_step, const real *m, ptrdiff_t row,
                              real *y, ptrdiff_t n, ptrdiff_t K) {
    if (n <= 16 * LANES) {
        vector_times_columns(x, x_step, m, row, y, n, K);
        return;
    }
    const ptrdiff_t past = (ptrdiff_t)((uintptr_t)m % VECTOR_BYTES / sizeof(real));
    const ptrdiff_t head = row % LANES == 0 && past > 0 ? LANES - past : 0;
    RowSums s; /* no initialiser, which would clear all of it */
    s.n = n, s.head = head, s.middle = (n - head) / LANES;
    s.first = s.last = (vec){0};
    memset(s.inner, 0, s.middle * sizeof(vec));
    ptrdiff_t k = 0;
    for (; k + 4 <= K; k += 4) add_rows(&s, x + k * x_step, x_step, m + k * row, row, 4);
    for (; k < K; k++) add_rows(&s, x + k * x_step, x_step, m + k * row, row, 1);
    if (head > 0) store(y, s.first);
    memcpy(y + head, s.inner, s.middle * sizeof(vec));
    if (head + s.middle * LANES < n) store(y + n - LANES, s.last);
}

/* y[i] = sum_k m[i*row + k] * x[k]: dot products of TOGETHER rows, which share the loads of x.
   [n x K] @ [K x 1] */
#define TOGETHER (VECTOR_BYTES == 64 ? 4 : 2)
static inline __attribute__((always_inline)) void
dot_products(const real *m, ptrdiff_t row, const real *x, real *y, const int rows, ptrdiff_t K) {
    vec sum[TOGETHER][4];
#pragma GCC unroll 4
    for (int r = 0; r < rows; r++)
#pragma GCC unroll 4
        for (int v = 0; v < 4; v++) sum[r][v] = (vec){0};
    ptrdiff_t k = 0;
    for (; k + 4 * LANES <= K; k += 4 * LANES)
#pragma GCC unroll 4
        for (int v = 0; v < 4; v++) {
            const vec part = load(x + k + v * LANES);
#pragma GCC unroll 4
            for (int r = 0; r < rows; r++) sum[r][v] += load(m + r * row + k + v * LANES) * part;
        }
    for (; k + LANES <= K; k += LANES)
        for (int r = 0; r < rows; r++) sum[r][0] += load(m + r * row + k) * load(x + k);
#pragma GCC unroll 4
    for (int r = 0; r < rows; r++) {
        const vec all = (sum[r][0] + sum[r][1]) + (sum[r][2] + sum[r][3]);
        real total = 0;
        for (int v = 0; v < LANES; v++) total += all[v];
        for (ptrdiff_t rest = k; rest < K; rest++) total += m[r * row + rest] * x[rest];
        y[r] = total;
    }
}

static void rows_times_vector(const real *m, ptrdiff_t row, const real *x, real *y, ptrdiff_t n,
                              ptrdiff_t K) {
    ptrdiff_t i = 0;
    for (; i + TOGETHER <= n; i += TOGETHER) dot_products(m + i * row, row, x, y + i, TOGETHER, K);
    for (; i < n; i++) dot_products(m + i * row, row, x, y + i, 1, K);
}

/* bias and ReLU of n outputs; the bias of an N = 1 product is one number for all rows. */
static void epilogue(real *y, ptrdiff_t n, const real *bias, int step, int relu) {
    if (bias)
        for (ptrdiff_t j = 0; j < n; j++) y[j] += bias[j * step];
    if (relu)
        for (ptrdiff_t j = 0; j < n; j++) y[j] = y[j] <= 0 ? 0 : y[j];
}

/* M = 1 or N = 1, seen as one vector (K) times a matrix with n outputs; member `me` of a team takes
   every team-th chunk of outputs.  [1 x K] @ [K x n] or [n x K] @ [K x 1] */
static void multiply_vector(const Product *p, int team, int me) {
    const int row_vector = p->M == 1;
    const real *x = row_vector ? p->a : p->b, *m = row_vector ? p->b : p->a;
    const ptrdiff_t x_step = row_vector ? p->a_col : p->b_row;
    const ptrdiff_t n = row_vector ? p->N : p->M;
    const ptrdiff_t out = row_vector ? p->b_col : p->a_row, in = row_vector ? p->b_row : p->a_col;
    /* At most CHUNK sums, and as many chunks for each member; no sum depends on the cut. */
    const ptrdiff_t chunks = CEIL_DIV(CEIL_DIV(n, CHUNK), team) * team;
    for (ptrdiff_t c = me; c < chunks; c += team) {
        const ptrdiff_t start = panel_start(CEIL_DIV(n, LANES), chunks, c) * LANES;
        const ptrdiff_t end = MIN(n, panel_start(CEIL_DIV(n, LANES), chunks, c + 1) * LANES);
        const ptrdiff_t count = end - start;
        if (count <= 0) continue;
        if (out == 1)
            vector_times_rows(x, x_step, m + start, in, p->c + start, count, p->K);
        else
            rows_times_vector(m + start * out, out, x, p->c + start, count, p->K);
        epilogue(p->c + start, count, p->bias ? p->bias + (row_vector ? start : 0) : NULL,
                 row_vector, p->relu);
    }
}

/* True if the matrix has a contiguous axis, and so the vector where it is read as such. */
static int is_vector_product(const Product *p) {
    if (p->M == 1) return p->b_col == 1 || (p->b_row == 1 && p->a_col == 1);
    return p->N == 1 && (p->a_row == 1 || (p->a_col == 1 && p->b_row == 1));
}

/* ---- blocks -------------------------------------------------------------------------------- */

typedef struct {
    ptrdiff_t j0, columns; /* of this block */
    ptrdiff_t k0, run;
    ptrdiff_t row_panels, chunks; /* the grid of tasks */
    int direct;                   /* full panels of b are read in place */
    real *packed;                 /* the panel of columns j starts at packed + j * run */
} Block;

/* Packs the share of member `me` of the panels of b that are not read in place. */
static void pack_b(const Product *p, const Block *block, int team, int me) {
    const ptrdiff_t panels = CEIL_DIV(block->columns, TILE_COLS), run = block->run;
    const real *b = p->b + block->k0 * p->b_row + block->j0 * p->b_col;
    const ptrdiff_t last = panel_start(panels, team, me + 1);
    ptrdiff_t q = panel_start(panels, team, me);
    if (p->b_col == 1) { /* along the rows of b, which the processor prefetches */
        const ptrdiff_t whole = MIN(last, block->columns / TILE_COLS);
        for (ptrdiff_t k = 0; k < run && !block->direct; k++)
            for (ptrdiff_t w = q; w < whole; w++) {
                const real *from = b + k * p->b_row + w * TILE_COLS;
                real *to = block->packed + (w * run + k) * TILE_COLS;
                store(to, load(from));
                store(to + LANES, load(from + LANES));
            }
        q = MAX(q, whole);
    }
    for (; q < last; q++) {
        const ptrdiff_t j = q * TILE_COLS;
        const int cols = (int)MIN(TILE_COLS, block->columns - j);
        const int width = cols > LANES ? TILE_COLS : LANES;
        if (block->direct && cols == width) continue;
        pack_panel(b + j * p->b_col, p->b_row, p->b_col,
                   block->packed + (block->direct ? 0 : j * run), run, cols, width);
    }
}

/* to[i*to_row + k*to_col] = from[i*row + k*col]. `wide`: COPY_ROWS rows may be read. */
static void copy_rows(const real *from, ptrdiff_t row, ptrdiff_t col, real *to, ptrdiff_t to_row,
                      ptrdiff_t to_col, int rows, ptrdiff_t run, int wide) {
    if (to_row == 1 && wide) {
        for (ptrdiff_t k = 0; k < run; k++)
            memcpy(to + k * to_col, from + k * col, COPY_ROWS * sizeof(real));
    } else if (to_row == 1) {
        for (ptrdiff_t k = 0; k < run; k++)
            memcpy(to + k * to_col, from + k * col, rows * sizeof(real));
    } else if (col == 1) {
        for (int i = 0; i < rows; i++) memcpy(to + i * to_row, from + i * row, run * sizeof(real));
    } else {
        for (int i = 0; i < rows; i++)
            for (ptrdiff_t k = 0; k < run; k++) to[i * to_row + k] = from[i * row + k * col];
    }
}

/* Rows [i0, i0 + rows) times the panels of one chunk of columns.  [rows x run] @ [run x columns] */
static void multiply_panel(const Product *p, const Block *block, ptrdiff_t task) {
    const ptrdiff_t panel = task / block->chunks, chunk = task % block->chunks;
    const ptrdiff_t i0 = panel_start(p->M, block->row_panels, panel);
    const int rows = (int)(panel_start(p->M, block->row_panels, panel + 1) - i0);
    const ptrdiff_t panels = CEIL_DIV(block->columns, TILE_COLS);
    const ptrdiff_t first = panel_start(panels, block->chunks, chunk) * TILE_COLS;
    const ptrdiff_t last =
        MIN(panel_start(panels, block->chunks, chunk + 1) * TILE_COLS, block->columns);
    const ptrdiff_t run = block->run, zero = 0;
    const real *a = p->a + i0 * p->a_row + block->k0 * p->a_col;
    Tile t = {p->a_row, p->a_col,      1,
              run,      &zero,         0,
              p->N,     block->k0 > 0, p->relu && block->k0 + run == p->K};
    /* Copying the rows pays when several panels of b read them: no two then share a cache set. */
    enum { PADDED = BLOCK_K + 64 / sizeof(real) };
    real copy[COPY_ROWS * PADDED] __attribute__((aligned(64)));
    if (last - first > 2 * TILE_COLS) {
        t.a_row = p->a_row == 1 && p->a_col != 1 ? 1 : PADDED;
        t.a_col = t.a_row == 1 ? COPY_ROWS : 1;
        copy_rows(a, p->a_row, p->a_col, copy, t.a_row, t.a_col, rows, run, i0 + COPY_ROWS <= p->M);
        a = copy;
    }
    const real *bias = block->k0 + run == p->K ? p->bias : NULL;
    for (ptrdiff_t j = first; j < last; j += TILE_COLS) {
        const int cols = (int)MIN(TILE_COLS, last - j);
        const int width = cols > LANES ? TILE_COLS : LANES;
        const int in_place = block->direct && cols == width;
        const real *b = in_place ? p->b + block->k0 * p->b_row + block->j0 + j
                                 : block->packed + (block->direct ? 0 : j * run);
        t.b_row = in_place ? p->b_row : width;
        tile(&t, rows, cols, a, b, p->c + i0 * p->N + block->j0 + j,
             bias ? bias + block->j0 + j : NULL);
    }
}

/* All blocks in turn: the team packs one, then multiplies it. */
static void multiply_blocks(const Product *p, int direct, real *packed, int threads) {
    const ptrdiff_t runs = CEIL_DIV(p->K, BLOCK_K);
    const ptrdiff_t j_blocks = direct ? 1 : CEIL_DIV(p->N, BLOCK_N);
    const ptrdiff_t j_step = CEIL_DIV(CEIL_DIV(p->N, j_blocks), TILE_COLS) * TILE_COLS;
    const ptrdiff_t row_panels = CEIL_DIV(p->M, TILE_ROWS);
    for (ptrdiff_t j0 = 0; j0 < p->N; j0 += j_step) {
        for (ptrdiff_t r = 0; r < runs; r++) {
            const ptrdiff_t k0 = panel_start(p->K, runs, r), k1 = panel_start(p->K, runs, r + 1);
            const ptrdiff_t columns = MIN(j_step, p->N - j0);
            /* Few row panels: cut the columns too, into chunks of at least 128. */
            const ptrdiff_t chunks = MAX(1, MIN(columns / 128, 16 / row_panels));
            Block block = {j0, columns, k0, k1 - k0, row_panels, chunks, direct, packed};
            if (p->packed) { /* only read */
                block.packed = (real *)p->b + k0 * packed_width(p->N) + j0 * block.run;
            } else {
#pragma omp parallel num_threads(threads)
                pack_b(p, &block, TEAM_SIZE, TEAM_MEMBER);
            }
#pragma omp parallel for num_threads(threads)
            for (ptrdiff_t task = 0; task < row_panels * chunks; task++)
                multiply_panel(p, &block, task);
        }
    }
}

static int product(const Product *p, int threads) {
    if (p->M == 0 || p->N == 0) return 0;
    if (p->M * p->N * p->K <= PARALLEL_WORK) threads = 1;
    if (!p->packed && is_vector_product(p)) {
#pragma omp parallel num_threads(threads)
        multiply_vector(p, TEAM_SIZE, TEAM_MEMBER);
        return 0;
    }
    if (p->K == 0) {
        memset(p->c, 0, p->M * p->N * sizeof(real));
        for (ptrdiff_t i = 0; i < p->M; i++) epilogue(p->c + i * p->N, p->N, p->bias, 1, p->relu);
        return 0;
    }
    /* b in place: rows of adjacent columns, and packing would cost more than it saves, because b is
       small or few row panels read it. */
    const ptrdiff_t most = p->M <= 3 * TILE_ROWS ? 512 * 512 : p->M <= 64 ? 128 * 128 : 0;
    const int direct = !p->packed && p->b_col == 1 && p->K * p->N <= most;
    const ptrdiff_t columns =
        direct ? TILE_COLS : MIN(CEIL_DIV(p->N, TILE_COLS) * TILE_COLS, BLOCK_N);
    real *packed = aligned_block(p->packed ? 0 : MIN(p->K, BLOCK_K) * columns);
    if (!packed) return -1;
    multiply_blocks(p, direct, packed, threads);
    free(packed);
    return 0;
}

/* ---- batches ------------------------------------------------------------------------------- */

static ptrdiff_t batch_offset(ptrdiff_t index, int axes, const ptrdiff_t *batch,
                              const ptrdiff_t *strides) {
    ptrdiff_t offset = 0;
    for (int axis = axes - 1; axis >= 0; axis--) {
        offset += index % batch[axis] * strides[axis];
        index /= batch[axis];
    }
    return offset;
}

typedef struct {
    Product first;
    ptrdiff_t items;
    int axes;
    const ptrdiff_t *batch, *a_batch, *b_batch;
} Batch;

static int multiply_batch(const Batch *all, int threads, int team, int me) {
    int failed = 0;
    for (ptrdiff_t i = me; i < all->items; i += team) {
        Product p = all->first;
        p.a += batch_offset(i, all->axes, all->batch, all->a_batch);
        p.b += batch_offset(i, all->axes, all->batch, all->b_batch);
        p.c += i * p.M * p.N;
        failed |= product(&p, threads) != 0;
    }
    return failed;
}

int NAME(matmul)(const real *a, const real *b, const real *bias, real *c, ptrdiff_t M, ptrdiff_t N,
                 ptrdiff_t K, ptrdiff_t a_row, ptrdiff_t a_col, ptrdiff_t b_row, ptrdiff_t b_col,
                 int axes, const ptrdiff_t *batch, const ptrdiff_t *a_batch,
                 const ptrdiff_t *b_batch, int relu, int packed, int threads) {
    /* Batch axes of a which continue its rows are rows, as long as b is the same for all of them.
     */
    while (axes > 0 && (batch[axes - 1] == 1 || b_batch[axes - 1] == 0)) {
        const ptrdiff_t step = a_batch[axes - 1], size = batch[axes - 1];
        if (size > 1 && M > 1 && step != M * a_row) break;
        if (size > 1 && M == 1) a_row = step;
        M *= size;
        axes--;
    }
    ptrdiff_t items = 1;
    for (int axis = 0; axis < axes; axis++) items *= batch[axis];
    /* Many small products: one thread each, no parallel region inside. */
    const int apart = items > 1 && threads > 1 && M * N * K <= 4 * PARALLEL_WORK;
    const int team = apart && items * M * N * K > PARALLEL_WORK ? threads : 1;
    const Batch all = {{a, b, bias, c, M, N, K, a_row, a_col, b_row, b_col, relu, packed},
                       items,
                       axes,
                       batch,
                       a_batch,
                       b_batch};
    if (team == 1) return multiply_batch(&all, apart ? 1 : threads, 1, 0) ? -1 : 0;
    int failed = 0;
#pragma omp parallel num_threads(team) reduction(| : failed)
    failed |= multiply_batch(&all, 1, TEAM_SIZE, TEAM_MEMBER);
    return failed ? -1 : 0;
}

ptrdiff_t NAME(matmul_pack)(const real *b, real *packed, ptrdiff_t K, ptrdiff_t N, ptrdiff_t b_row,
                            ptrdiff_t b_col) {
    if (packed) pack_matrix(b, b_row, b_col, K, N, packed);
    return packed_width(N);
}
