/* Matrix product  c = a @ b + bias, then an epilogue (vector.h):  [M x K] @ [K x N], M rows of a, N
   columns of b, K summed.

   a and b have any strides, in elements (transposes, broadcast rows, negative steps); c is
   contiguous. Leading batch axes have their own strides, 0 where an operand is broadcast.

   Blocks: K is cut into runs of at most BLOCK_K, N into blocks of at most BLOCK_N columns. A block
   of b is packed into panels of TILE_COLS columns (it stays in the L2 cache), then each panel of at
   most TILE_ROWS rows of a is copied into the L1 cache and multiplied with all panels of b: see
   tile.h. Vectors (M = 1 or N = 1) go their own way: matmul_vector.c.

   Split of work: over batch entries if they are many and small, else over row panels x column
   chunks of one block. Each element of c is summed by one thread in the order of k, so the number
   of threads never changes a result. Extra memory: one block of b, at most BLOCK_K * BLOCK_N
   elements, per thread in the first case, shared in the second; a panel of a on each thread's
   stack. A b that many products share may come packed as a whole (matmul_pack). */

#include "matmul_vector.h"

#include "packed.h"

#define BLOCK_K PACKED_K /* the order of a b that came packed */
#define BLOCK_N 512
#define COPY_ROWS (TILE_ROWS > 8 ? 16 : 8)
#define PARALLEL_WORK (64 * 64 * 64) /* multiply-adds below which waking threads costs more */

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
    const int accumulate = block->k0 > 0 || p->epilogue & EPILOGUE_ADD;
    const real *a = p->a + i0 * p->a_row + block->k0 * p->a_col;
    Tile t = {p->a_row, p->a_col,   1,
              run,      &zero,      0,
              p->N,     accumulate, block->k0 + run == p->K ? p->epilogue : 0};
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
            /* Few row panels: cut the columns too, into chunks of at least 128, or of 64 where b is
               packed already and a few threads would get unequal shares. */
            const ptrdiff_t narrowest = p->packed && row_panels < 8 ? 64 : 128;
            const ptrdiff_t chunks = MAX(1, MIN(columns / narrowest, 16 / row_panels));
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
    const int vector = !p->packed && is_vector_product(p);
    /* A vector's product waits for memory: two cores read twice as fast. */
    if (p->M * p->N * p->K <= (vector ? PARALLEL_WORK / 2 : PARALLEL_WORK)) threads = 1;
    if (vector) {
#pragma omp parallel num_threads(threads)
        NAME(multiply_vector)(p, TEAM_SIZE, TEAM_MEMBER);
        return 0;
    }
    if (p->K == 0) {
        memset(p->c, 0, p->M * p->N * sizeof(real));
        for (ptrdiff_t i = 0; i < p->M; i++) finish(p->c + i * p->N, p->N, p->bias, 1, p->epilogue);
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
                 const ptrdiff_t *b_batch, int epilogue, int packed, int threads) {
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
    const Batch all = {{a, b, bias, c, M, N, K, a_row, a_col, b_row, b_col, epilogue, packed},
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
