// Matrix product c = relu?(a @ b + bias): [M x K] @ [K x N], over a batch.
//
// a is read with any strides (a_row, a_step along K), b with rows of N contiguous elements (b_row
// apart); a panel of b's columns begins b_panel after the one before, and one of a's rows a_panel
// (0: a is not packed). flags: 1 adds to c, 2 ends with ReLU. bias (N,) or null.
//
// The batch index is (outer, inner) with `inner_size` inner ones; a and b step through it as they
// like.
//
// gemm_<MR>x<NV>: CPU device. One work-item = MR rows x NV vectors of c in registers; no local
// memory, no packing unless the matrices are so large that their rows evict each other from the
// cache: then they come in panels.
//
// gemm_tiled: GPU. A work-group of 16 x 16 = 64 x 64 of c; tiles of a and b in local memory, 4 x 4
// of c per item.
//
// multiply_vector: N = 1, contiguous rows of a; one work-item = one row.

#define ADD_TO_C 1
#define RELU 2

#define BATCH_OFFSET(index, outer_step, inner_step)                                                \
    ((index) / inner_size * (outer_step) + (index) % inner_size * (inner_step))

// The last tile starts early to stay inside a: the rows before `own` are its neighbour's. A packed
// a ends in rows of zeros instead.
#define GEMM(MR, NV)                                                                               \
    kernel void gemm_##MR##x##NV(                                                                  \
        global const real *restrict a, int a0, global const real *restrict b, int b0,              \
        global const real *restrict bias, int bias0, global real *restrict c, int c0, int M,       \
        int N, int K, int a_row, int a_step, int a_panel, int b_row, int b_panel, int inner_size,  \
        int a_outer, int a_inner, int b_outer, int b_inner, int flags) {                           \
        const int batch = get_global_id(2), column = get_global_id(1) * NV * VW;                   \
        const int own = get_global_id(0) * MR, start = a_panel ? own : min(own, M - MR);           \
        a += a0 + BATCH_OFFSET(batch, a_outer, a_inner);                                           \
        a += a_panel ? (int)get_global_id(0) * a_panel : start * a_row;                            \
        b += b0 + BATCH_OFFSET(batch, b_outer, b_inner) + (int)get_global_id(1) * b_panel;         \
        TILE_ZERO(MR, NV)                                                                          \
        for (int k = 0; k < K; ++k, a += a_step, b += b_row) TILE_STEP(MR, NV, a, a_row, b)        \
        realv lowest = (realv)(flags & RELU ? 0 : -INFINITY), shift[NV];                           \
        UNROLL for (int v = 0; v < NV; ++v) shift[v] =                                             \
            bias && column + v * VW < N ? LOADV(bias + bias0 + column + v * VW) : (realv)0;        \
        c += c0 + batch * M * N + start * N + column;                                              \
        if (flags & ADD_TO_C) TILE_ADD(MR, NV, c, N, N - column)                                   \
        UNROLL for (int i = 0; i < MR; ++i) UNROLL for (int v = 0; v < NV; ++v) {                  \
            tile[i][v] += shift[v];                                                                \
            tile[i][v] = tile[i][v] <= lowest ? lowest : tile[i][v];                               \
        }                                                                                          \
        TILE_STORE(MR, NV, c, N, N - column, own - start, M - start)                               \
    }

#define GEMM_ROWS(MR) GEMM(MR, 1) GEMM(MR, 2)
GEMM_ROWS(1)
GEMM_ROWS(2)
GEMM_ROWS(3)
GEMM_ROWS(4)
GEMM_ROWS(5)
GEMM_ROWS(6)
GEMM_ROWS(7)
GEMM_ROWS(8)
GEMM_ROWS(9)
GEMM_ROWS(10)

// b (K, N) with any strides -> panels of `width` columns (batch, panel, K, width); zeros beyond N.
// One work-item per (k, panel, batch).
kernel void pack_panels(global const real *restrict b, int b0, global real *restrict y, int K,
                        int N, int width, int b_row, int b_column, int inner_size, int b_outer,
                        int b_inner) {
    const int k = get_global_id(0), panel = get_global_id(1), batch = get_global_id(2);
    const int panels = get_global_size(1), n = panel * width;
    b += b0 + BATCH_OFFSET(batch, b_outer, b_inner) + k * b_row + n * b_column;
    y += ((batch * panels + panel) * K + k) * width;
    const int inside = min(width, N - n);
    for (int i = 0; i < inside; ++i) y[i] = b[i * b_column];
    for (int i = inside; i < width; ++i) y[i] = 0;
}

// y (M,) = relu?(a (M, K) @ b (K,) + bias); rows of a are contiguous and a_row apart, b is
// contiguous.
kernel void multiply_vector(global const real *restrict a, int a0, global const real *restrict b,
                            int b0, global const real *restrict bias, int bias0,
                            global real *restrict y, int M, int K, int a_row, int flags) {
    const int m = get_global_id(0);
    if (m >= M) return;
    global const real *p = a + a0 + m * a_row, *q = b + b0;
    realv s0 = 0;
    int k = 0;
    while (k + 2 * VW <= K) {
        const int stop = min(K, k + 2 * VW * LONGEST / 4);
        realv a0 = 0, a1 = 0;
        for (; k + 2 * VW <= stop; k += 2 * VW) {
            a0 = LOADV(p + k) * LOADV(q + k) + a0;
            a1 = LOADV(p + k + VW) * LOADV(q + k + VW) + a1;
        }
        s0 += a0 + a1;
    }
    real lanes[VW];
    STOREV(s0, lanes);
    for (int width = VW / 2; width > 0; width /= 2)
        for (int i = 0; i < width; ++i) lanes[i] += lanes[i + width];
    real sum = lanes[0];
    for (; k < K; ++k) sum = p[k] * q[k] + sum;
    if (bias) sum += bias[bias0];
    y[m] = (flags & RELU) && sum <= 0 ? 0 : sum;
}

#define SIDE 64  // rows and columns of c per work-group
#define DEPTH 16 // how much of K is in local memory at once
#define ITEMS 16 // work-items along each side
#define EACH 4   // rows and columns of c per work-item

kernel __attribute__((reqd_work_group_size(ITEMS, ITEMS, 1))) void
gemm_tiled(global const real *restrict a, int a0, global const real *restrict b, int b0,
           global const real *restrict bias, int bias0, global real *restrict c, int c0, int M,
           int N, int K, int a_row, int a_step, int b_row, int b_column, int inner_size,
           int a_outer, int a_inner, int b_outer, int b_inner, int flags) {
    local real a_tile[DEPTH][SIDE + 1], b_tile[DEPTH][SIDE + 1];
    const int x = get_local_id(0), y = get_local_id(1), id = y * ITEMS + x,
              batch = get_global_id(2);
    const int column = get_group_id(0) * SIDE, row = get_group_id(1) * SIDE;
    a += a0 + BATCH_OFFSET(batch, a_outer, a_inner);
    b += b0 + BATCH_OFFSET(batch, b_outer, b_inner);
    real sum[EACH][EACH], part[EACH][EACH];
    UNROLL for (int i = 0; i < EACH; ++i) UNROLL for (int j = 0; j < EACH; ++j) sum[i][j] =
        part[i][j] = 0;
    for (int k0 = 0; k0 < K; k0 += DEPTH) {
        for (int i = id; i < SIDE * DEPTH; i += ITEMS * ITEMS) {
            // Neighbouring items read along the contiguous axis, whichever it is.
            const int ak = a_step == 1 ? i % DEPTH : i / SIDE,
                      am = a_step == 1 ? i / DEPTH : i % SIDE;
            const int bk = b_column == 1 ? i / SIDE : i % DEPTH,
                      bn = b_column == 1 ? i % SIDE : i / DEPTH;
            a_tile[ak][am] =
                row + am < M && k0 + ak < K ? a[(row + am) * a_row + (k0 + ak) * a_step] : 0;
            b_tile[bk][bn] = column + bn < N && k0 + bk < K
                                 ? b[(k0 + bk) * b_row + (column + bn) * b_column]
                                 : 0;
        }
        barrier(CLK_LOCAL_MEM_FENCE);
        for (int k = 0; k < DEPTH; ++k) {
            real p[EACH], q[EACH];
            UNROLL for (int i = 0; i < EACH; ++i) p[i] = a_tile[k][y + i * ITEMS];
            UNROLL for (int j = 0; j < EACH; ++j) q[j] = b_tile[k][x + j * ITEMS];
            UNROLL for (int i = 0; i < EACH; ++i) UNROLL for (int j = 0; j < EACH; ++j) part[i][j] =
                p[i] * q[j] + part[i][j];
        }
        if ((k0 + DEPTH) % LONGEST == 0 || k0 + DEPTH >= K)
            UNROLL for (int i = 0; i < EACH; ++i) UNROLL for (int j = 0; j < EACH; ++j) {
                sum[i][j] += part[i][j];
                part[i][j] = 0;
            }
        barrier(CLK_LOCAL_MEM_FENCE);
    }
    for (int i = 0; i < EACH; ++i)
        for (int j = 0; j < EACH; ++j) {
            const int m = row + y + i * ITEMS, n = column + x + j * ITEMS;
            if (m >= M || n >= N) continue;
            global real *place = c + c0 + batch * M * N + m * N + n;
            real value = sum[i][j];
            if (bias) value += bias[bias0 + n];
            if (flags & ADD_TO_C) value += *place;
            *place = (flags & RELU) && value <= 0 ? 0 : value;
        }
}
