// Attention y = softmax(scale * q @ k^T + bias) @ v and its gradients, over tiles of keys (forward,
// gradient of q) or of queries (gradients of k and v): no map (L, S) is stored. Formulas and names:
// tinydl/backend/reference/attention.py and csrc/attention.c.
//
// q (N, L, H, E), k (N, S, G, E), v (N, S, G, V) with steps; y, grad and the gradients contiguous,
// logs (m + log l) and shares (grad . y) (N, H, L). Gradients of k and v start at 0.
//
// <name>_rows: CPU device. One work-item = ROWS queries (or keys) of a head; vectors along the
// CHUNK keys (or queries) of a tile, which are read from a transposed copy; no local memory.
// <name>_tiles: GPU. A work-group of 16 x 16 = SIDE queries (or keys); tiles in local memory, 2 x 2
// of a product per item.
//
// A weight of 0 takes nothing of its row: 0 * NaN would reach who does not see it.

#define ROWS 4
#define CHUNK 64
#define OPTIONS                                                                                    \
    int L, int S, int H, int G, int E, int V, int q_n, int q_l, int q_h, int k_n, int k_s,         \
        int k_g, int v_n, int v_s, int v_g, int m_n, int m_h, int m_l, int m_s, int b_n, int b_h,  \
        int b_l, int b_s, int first, real scale, ulong key, ulong offset, int threshold, real kept

#define MAPS                                                                                       \
    global const uchar *restrict mask, int mask0, global const real *restrict bias, int bias0

// Of sequence n and head h: the first element of its row of (N, H, L), of its mask and bias.
#define HEAD                                                                                       \
    const int line = (n * H + h) * L;                                                              \
    const int mask_at = mask0 + n * m_n + h * m_h, bias_at = bias0 + n * b_n + h * b_h;

// The tile of the first query that sees key `start`, which is the first of this item or group.
#define FIRST_QUERY(tile) (first < 0 ? 0 : max(0, (start - first) / (tile) * (tile)))

// One score of query i and key j.
#define SCORE(product, i, j)                                                                       \
    seen_score(product, i, j, mask ? mask + mask_at + (i) * m_l + (j) * m_s : 0,                   \
               bias ? bias + bias_at + (i) * b_l + (j) * b_s : 0, first)

static inline real seen_score(real product, int i, int j, global const uchar *mask,
                              global const real *bias, int first) {
    const real added = bias ? *bias : (real)0;
    const bool hidden = (first >= 0 && j > i + first) || (mask && !*mask) || added == -INFINITY;
    return hidden ? -INFINITY : product + added;
}

// Element e of the stream: kept, or 0. See kernels_cl/random.cl.
static inline real drop_factor(ulong key, ulong offset, ulong e, int threshold, real kept) {
    const ulong counter = offset + e / 4;
    uint c0 = (uint)counter, c1 = (uint)(counter >> 32), c2 = 0, c3 = 0;
    uint k0 = (uint)key, k1 = (uint)(key >> 32);
    for (int round = 0; round < 10; ++round) {
        const uint high0 = mul_hi(0xD2511F53u, c0), low0 = 0xD2511F53u * c0;
        const uint high1 = mul_hi(0xCD9E8D57u, c2), low1 = 0xCD9E8D57u * c2;
        c0 = high1 ^ c1 ^ k0;
        c1 = low1;
        c2 = high0 ^ c3 ^ k1;
        c3 = low0;
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    const int word = (int)(e % 4);
    const uint drawn = word == 0 ? c0 : word == 1 ? c1 : word == 2 ? c2 : c3;
    return (drawn >> 8) < (uint)threshold ? kept : (real)0;
}

#define FACTOR(i, j)                                                                               \
    (kept == 0 ? (real)1                                                                           \
               : drop_factor(key, offset, (ulong)(line + (i)) * (ulong)S + (ulong)(j), threshold,  \
                             kept))

// The weight of a score, and its slope from grad . v: see attention_grad in the reference.
static inline real weight_of(real score, real log) {
    return score == -INFINITY || log == -INFINITY ? (real)0 : exp(score - log);
}

static inline real slope_of(real weight, real product, real factor, real share) {
    return weight == 0 ? (real)0 : weight * ((factor == 0 ? (real)0 : product * factor) - share);
}

static inline real dropped(real weight, real factor) { return factor == 0 ? 0 : weight * factor; }

// -- CPU device ------------------------------------------------------------------------------------

// out[r][c] = a[r] . columns[c], c < CHUNK: rows a `step` apart, columns (size, count) transposed.
static inline void products(global const real *a, const int places[ROWS], int size,
                            global const real *columns, int count, real out[ROWS][CHUNK]) {
    for (int c = 0; c < CHUNK; c += VW) {
        realv sum[ROWS];
        UNROLL for (int r = 0; r < ROWS; ++r) sum[r] = (realv)0;
        for (int e = 0; e < size; ++e) {
            const realv line = LOADV(columns + e * count + c);
            UNROLL for (int r = 0; r < ROWS; ++r) sum[r] =
                (realv)(a[places[r] + e]) * line + sum[r];
        }
        UNROLL for (int r = 0; r < ROWS; ++r) STOREV(sum[r], out[r] + c);
    }
}

// y[r] = y[r] * shrink[r] + sum of w[r][c] * x[c], c < count; y[r] = the sum if `fresh`.
static inline void add_rows(real w[ROWS][CHUNK], int count, global const real *x, int step,
                            int width, const real shrink[ROWS], real factor, bool fresh,
                            global real *y, int y_step, int rows) {
    for (int e = 0; e < width; e += VW) {
        realv sum[ROWS];
        UNROLL for (int r = 0; r < ROWS; ++r) sum[r] = (realv)0;
        for (int c = 0; c < count; ++c) {
            const realv line = LOADV(x + c * step + e);
            UNROLL for (int r = 0; r < ROWS; ++r) if (w[r][c] != 0) sum[r] =
                (realv)(w[r][c]) * line + sum[r];
        }
        UNROLL for (int r = 0; r < ROWS; ++r) if (r < rows) {
            global real *place = y + r * y_step + e;
            realv total = sum[r] * (realv)factor;
            if (!fresh) total += load_own(width - e, place) * (realv)(shrink[r]);
            store_part(total, width - e, place);
        }
    }
}

#define ROW_PLACES(base, step, limit)                                                              \
    int places[ROWS];                                                                              \
    UNROLL for (int r = 0; r < ROWS; ++r) places[r] = (base) + min(start + r, (limit) - 1) * (step);

kernel void attention_rows(global const real *restrict q, int q0, global const real *restrict kt,
                           int kt0, global const real *restrict v, int v0, MAPS,
                           global real *restrict y, global real *restrict logs, OPTIONS) {
    const int start = get_global_id(0) * ROWS, h = get_global_id(1), n = get_global_id(2);
    const int rows = min(ROWS, L - start), g = h / (H / G);
    HEAD
    ROW_PLACES(q0 + n * q_n + h * q_h, q_l, L)
    kt += kt0 + (n * G + g) * E * S;
    v += v0 + n * v_n + g * v_g;
    y += ((n * L + start) * H + h) * V;
    real m[ROWS], l[ROWS], shrink[ROWS], s[ROWS][CHUNK];
    for (int r = 0; r < ROWS; ++r) m[r] = -INFINITY, l[r] = 0;
    const int last = first < 0 ? S : clamp(start + rows + first, 1, S);
    for (int j0 = 0; j0 < last; j0 += CHUNK) {
        const int count = min(CHUNK, last - j0);
        products(q, places, E, kt + j0, S, s);
        for (int r = 0; r < rows; ++r) {
            const int i = start + r;
            real largest = m[r];
            for (int c = 0; c < count; ++c) {
                s[r][c] = SCORE(s[r][c] * scale, i, j0 + c);
                largest = fmax(largest, s[r][c]);
            }
            const real base = largest == -INFINITY ? 0 : largest;
            for (int c = count; c < CHUNK; ++c) s[r][c] = -INFINITY;
            for (int c = 0; c < CHUNK; c += VW)
                STOREV(exp(LOADV(s[r] + c) - (realv)base), s[r] + c);
            shrink[r] = exp(m[r] - base);
            real sum = 0;
            for (int c = 0; c < count; ++c) sum += s[r][c];
            l[r] = l[r] * shrink[r] + sum;
            m[r] = largest;
            if (kept != 0)
                for (int c = 0; c < count; ++c) s[r][c] = dropped(s[r][c], FACTOR(i, j0 + c));
        }
        for (int r = rows; r < ROWS; ++r)
            for (int c = 0; c < count; ++c) s[r][c] = 0;
        add_rows(s, count, v + j0 * v_s, v_s, V, shrink, 1, j0 == 0, y, H * V, rows);
    }
    for (int r = 0; r < rows; ++r) {
        const real factor = l[r] == 0 ? 0 : 1 / l[r];
        for (int e = 0; e < V; e += VW) scale_own(y + r * H * V + e, factor, V - e);
        logs[line + start + r] = l[r] == 0 ? -INFINITY : m[r] + log(l[r]);
    }
}

// shares (N, H, L) = grad . y of each query
kernel void attention_shares(global const real *restrict grad, int grad0,
                             global const real *restrict y, int y0, global real *restrict shares,
                             int items, int L, int H, int V) {
    const int row = get_global_id(0); // of (N, L, H)
    if (row >= items) return;
    real sum = 0;
    for (int e = 0; e < V; ++e) sum += grad[grad0 + row * V + e] * y[y0 + row * V + e];
    const int h = row % H, i = row / H % L, n = row / H / L;
    shares[(n * H + h) * L + i] = sum;
}

kernel void attention_grad_q_rows(global const real *restrict grad, int grad0,
                                  global const real *restrict q, int q0,
                                  global const real *restrict kt, int kt0,
                                  global const real *restrict k, int k0,
                                  global const real *restrict vt, int vt0, MAPS,
                                  global const real *restrict logs, int logs0,
                                  global const real *restrict shares, int shares0,
                                  global real *restrict grad_q, OPTIONS) {
    const int start = get_global_id(0) * ROWS, h = get_global_id(1), n = get_global_id(2);
    const int rows = min(ROWS, L - start), g = h / (H / G);
    HEAD
    ROW_PLACES(q0 + n * q_n + h * q_h, q_l, L)
    int grads[ROWS];
    for (int r = 0; r < ROWS; ++r) grads[r] = grad0 + ((n * L + min(start + r, L - 1)) * H + h) * V;
    kt += kt0 + (n * G + g) * E * S;
    vt += vt0 + (n * G + g) * V * S;
    k += k0 + n * k_n + g * k_g;
    grad_q += ((n * L + start) * H + h) * E;
    real s[ROWS][CHUNK], t[ROWS][CHUNK], one[ROWS];
    for (int r = 0; r < ROWS; ++r) one[r] = 1;
    const int last = first < 0 ? S : clamp(start + rows + first, 1, S);
    for (int j0 = 0; j0 < last; j0 += CHUNK) {
        const int count = min(CHUNK, last - j0);
        products(q, places, E, kt + j0, S, s);
        products(grad, grads, V, vt + j0, S, t);
        for (int r = 0; r < ROWS; ++r)
            for (int c = 0; c < count; ++c) {
                const int i = min(start + r, L - 1), j = j0 + c;
                const real log = logs[logs0 + line + i], share = shares[shares0 + line + i];
                const real weight = weight_of(SCORE(s[r][c] * scale, i, j), log);
                s[r][c] = slope_of(weight, t[r][c], FACTOR(i, j), share);
            }
        add_rows(s, count, k + j0 * k_s, k_s, E, one, scale, j0 == 0, grad_q, H * E, rows);
    }
}

// Gradients of k and v: rows are keys, tiles are of queries, of all heads that share them.
kernel void attention_grad_k_rows(global const real *restrict grad, int grad0,
                                  global const real *restrict gt, int gt0,
                                  global const real *restrict q, int q0,
                                  global const real *restrict qt, int qt0,
                                  global const real *restrict k, int k0,
                                  global const real *restrict v, int v0, MAPS,
                                  global const real *restrict logs, int logs0,
                                  global const real *restrict shares, int shares0,
                                  global real *restrict grad_k, global real *restrict grad_v,
                                  OPTIONS) {
    const int start = get_global_id(0) * ROWS, g = get_global_id(1), n = get_global_id(2);
    const int rows = min(ROWS, S - start);
    ROW_PLACES(k0 + n * k_n + g * k_g, k_s, S)
    int values[ROWS];
    for (int r = 0; r < ROWS; ++r) values[r] = v0 + n * v_n + g * v_g + min(start + r, S - 1) * v_s;
    grad_k += ((n * S + start) * G + g) * E;
    grad_v += ((n * S + start) * G + g) * V;
    real s[ROWS][CHUNK], t[ROWS][CHUNK], one[ROWS];
    for (int r = 0; r < ROWS; ++r) one[r] = 1;
    for (int h = g * (H / G); h < (g + 1) * (H / G); ++h) {
        HEAD
        for (int i0 = FIRST_QUERY(CHUNK); i0 < L; i0 += CHUNK) {
            const int count = min(CHUNK, L - i0);
            products(k, places, E, qt + qt0 + (n * H + h) * E * L + i0, L, s);
            products(v, values, V, gt + gt0 + (n * H + h) * V * L + i0, L, t);
            for (int r = 0; r < ROWS; ++r)
                for (int c = 0; c < count; ++c) {
                    const int i = i0 + c, j = min(start + r, S - 1);
                    const real log = logs[logs0 + line + i], share = shares[shares0 + line + i];
                    const real weight = weight_of(SCORE(s[r][c] * scale, i, j), log);
                    const real factor = FACTOR(i, j);
                    s[r][c] = dropped(weight, factor);
                    t[r][c] = slope_of(weight, t[r][c], factor, share);
                }
            add_rows(s, count, grad + grad0 + ((n * L + i0) * H + h) * V, H * V, V, one, 1, false,
                     grad_v, G * V, rows);
            add_rows(t, count, q + q0 + n * q_n + i0 * q_l + h * q_h, q_l, E, one, scale, false,
                     grad_k, G * E, rows);
        }
    }
}

// -- GPU -------------------------------------------------------------------------------------------

#define SIDE 32
#define DEPTH 16
#define ITEMS 16
#define EACH 2

typedef local real (*Tile)[SIDE + 1];

// sum[i][j] = a[y + i * ITEMS] . b[x + j * ITEMS]: rows of both, `size` numbers, the first `rows`
// and `columns` of which there are.
static inline void tile_products(global const real *a, int a_step, int rows, global const real *b,
                                 int b_step, int columns, int size, Tile left, Tile right,
                                 real sum[EACH][EACH]) {
    const int x = get_local_id(0), y = get_local_id(1), id = y * ITEMS + x;
    for (int i = 0; i < EACH; ++i)
        for (int j = 0; j < EACH; ++j) sum[i][j] = 0;
    for (int e0 = 0; e0 < size; e0 += DEPTH) {
        for (int at = id; at < SIDE * DEPTH; at += ITEMS * ITEMS) {
            const int e = at % DEPTH, row = at / DEPTH;
            const bool inside = e0 + e < size;
            left[e][row] = inside && row < rows ? a[row * a_step + e0 + e] : 0;
            right[e][row] = inside && row < columns ? b[row * b_step + e0 + e] : 0;
        }
        barrier(CLK_LOCAL_MEM_FENCE);
        for (int e = 0; e < DEPTH; ++e)
            for (int i = 0; i < EACH; ++i)
                for (int j = 0; j < EACH; ++j)
                    sum[i][j] = left[e][y + i * ITEMS] * right[e][x + j * ITEMS] + sum[i][j];
        barrier(CLK_LOCAL_MEM_FENCE);
    }
}

// out[row] = out[row] * shrink[row] + factor * sum over c < count of w[row][c] * rows[c], width
// numbers of each; shrink may be null, for 1.
static inline void add_tile(Tile w, int count, global const real *x, int step, int width, Tile part,
                            local real *shrink, real factor, bool fresh, global real *out,
                            int out_step, int rows) {
    const int lx = get_local_id(0), ly = get_local_id(1), id = ly * ITEMS + lx;
    for (int e0 = 0; e0 < width; e0 += SIDE) {
        for (int at = id; at < SIDE * SIDE; at += ITEMS * ITEMS) {
            const int e = at % SIDE, row = at / SIDE;
            part[row][e] = row < count && e0 + e < width ? x[row * step + e0 + e] : 0;
        }
        barrier(CLK_LOCAL_MEM_FENCE);
        for (int i = 0; i < EACH; ++i)
            for (int j = 0; j < EACH; ++j) {
                const int row = ly + i * ITEMS, e = lx + j * ITEMS;
                real sum = 0;
                for (int c = 0; c < count; ++c)
                    if (w[row][c] != 0) sum = w[row][c] * part[c][e] + sum;
                if (row >= rows || e0 + e >= width) continue;
                global real *place = out + row * out_step + e0 + e;
                const real before = fresh ? 0 : shrink ? *place * shrink[row] : *place;
                *place = before + sum * factor;
            }
        barrier(CLK_LOCAL_MEM_FENCE);
    }
}

kernel __attribute__((reqd_work_group_size(ITEMS, ITEMS, 1))) void
attention_tiles(global const real *restrict q, int q0, global const real *restrict k, int k0,
                global const real *restrict v, int v0, MAPS, global real *restrict y,
                global real *restrict logs, OPTIONS) {
    local real left[DEPTH][SIDE + 1], right[DEPTH][SIDE + 1], w[SIDE][SIDE + 1],
        part[SIDE][SIDE + 1], m[SIDE], l[SIDE], shrink[SIDE];
    const int lx = get_local_id(0), ly = get_local_id(1), id = ly * ITEMS + lx;
    const int start = get_group_id(0) * SIDE, h = get_group_id(1), n = get_group_id(2);
    const int rows = min(SIDE, L - start), g = h / (H / G);
    HEAD
    q += q0 + n * q_n + start * q_l + h * q_h;
    k += k0 + n * k_n + g * k_g;
    v += v0 + n * v_n + g * v_g;
    y += ((n * L + start) * H + h) * V;
    if (id < SIDE) m[id] = -INFINITY, l[id] = 0;
    const int last = first < 0 ? S : clamp(start + rows + first, 1, S);
    for (int j0 = 0; j0 < last; j0 += SIDE) {
        const int count = min(SIDE, last - j0);
        real sum[EACH][EACH];
        tile_products(q, q_l, rows, k + j0 * k_s, k_s, count, E, left, right, sum);
        for (int i = 0; i < EACH; ++i)
            for (int j = 0; j < EACH; ++j) {
                const int row = ly + i * ITEMS, c = lx + j * ITEMS;
                const bool inside = row < rows && c < count;
                w[row][c] = inside ? SCORE(sum[i][j] * scale, start + row, j0 + c) : -INFINITY;
            }
        barrier(CLK_LOCAL_MEM_FENCE);
        if (id < SIDE) {
            real largest = m[id], total = 0;
            for (int c = 0; c < count; ++c) largest = fmax(largest, w[id][c]);
            const real base = largest == -INFINITY ? 0 : largest;
            shrink[id] = exp(m[id] - base);
            for (int c = 0; c < count; ++c) {
                const real e = exp(w[id][c] - base);
                total += e;
                w[id][c] = id < rows ? dropped(e, FACTOR(start + id, j0 + c)) : 0;
            }
            l[id] = l[id] * shrink[id] + total;
            m[id] = largest;
        }
        barrier(CLK_LOCAL_MEM_FENCE);
        add_tile(w, count, v + j0 * v_s, v_s, V, part, shrink, 1, j0 == 0, y, H * V, rows);
    }
    for (int i = 0; i < EACH; ++i) {
        const int row = ly + i * ITEMS;
        if (row >= rows) continue;
        const real factor = l[row] == 0 ? 0 : 1 / l[row];
        for (int e = lx; e < V; e += ITEMS) y[row * H * V + e] *= factor; // this item's own columns
        if (lx == 0) logs[line + start + row] = l[row] == 0 ? -INFINITY : m[row] + log(l[row]);
    }
}

kernel __attribute__((reqd_work_group_size(ITEMS, ITEMS, 1))) void
attention_grad_q_tiles(global const real *restrict grad, int grad0, global const real *restrict q,
                       int q0, global const real *restrict k, int k0,
                       global const real *restrict v, int v0, MAPS,
                       global const real *restrict logs, int logs0,
                       global const real *restrict shares, int shares0, global real *restrict grad_q,
                       OPTIONS) {
    local real left[DEPTH][SIDE + 1], right[DEPTH][SIDE + 1], w[SIDE][SIDE + 1],
        part[SIDE][SIDE + 1];
    const int lx = get_local_id(0), ly = get_local_id(1);
    const int start = get_group_id(0) * SIDE, h = get_group_id(1), n = get_group_id(2);
    const int rows = min(SIDE, L - start), g = h / (H / G);
    HEAD
    grad += grad0 + ((n * L + start) * H + h) * V;
    q += q0 + n * q_n + start * q_l + h * q_h;
    k += k0 + n * k_n + g * k_g;
    v += v0 + n * v_n + g * v_g;
    grad_q += ((n * L + start) * H + h) * E;
    const int last = first < 0 ? S : clamp(start + rows + first, 1, S);
    for (int j0 = 0; j0 < last; j0 += SIDE) {
        const int count = min(SIDE, last - j0);
        real sum[EACH][EACH], slope[EACH][EACH];
        tile_products(q, q_l, rows, k + j0 * k_s, k_s, count, E, left, right, sum);
        tile_products(grad, H * V, rows, v + j0 * v_s, v_s, count, V, left, right, slope);
        for (int a = 0; a < EACH; ++a)
            for (int b = 0; b < EACH; ++b) {
                const int row = ly + a * ITEMS, c = lx + b * ITEMS;
                const int i = min(start + row, L - 1), j = min(j0 + c, S - 1);
                const real log = logs[logs0 + line + i], share = shares[shares0 + line + i];
                const real weight = weight_of(SCORE(sum[a][b] * scale, i, j), log);
                w[row][c] = slope_of(weight, slope[a][b], FACTOR(i, j), share);
            }
        barrier(CLK_LOCAL_MEM_FENCE);
        add_tile(w, count, k + j0 * k_s, k_s, E, part, 0, scale, j0 == 0, grad_q, H * E, rows);
    }
}

kernel __attribute__((reqd_work_group_size(ITEMS, ITEMS, 1))) void
attention_grad_k_tiles(global const real *restrict grad, int grad0, global const real *restrict q,
                       int q0, global const real *restrict k, int k0,
                       global const real *restrict v, int v0, MAPS,
                       global const real *restrict logs, int logs0,
                       global const real *restrict shares, int shares0, global real *restrict grad_k,
                       global real *restrict grad_v, OPTIONS) {
    local real left[DEPTH][SIDE + 1], right[DEPTH][SIDE + 1], w[SIDE][SIDE + 1],
        slopes[SIDE][SIDE + 1], part[SIDE][SIDE + 1];
    const int lx = get_local_id(0), ly = get_local_id(1);
    const int start = get_group_id(0) * SIDE, g = get_group_id(1), n = get_group_id(2);
    const int rows = min(SIDE, S - start);
    k += k0 + n * k_n + start * k_s + g * k_g;
    v += v0 + n * v_n + start * v_s + g * v_g;
    grad_k += ((n * S + start) * G + g) * E;
    grad_v += ((n * S + start) * G + g) * V;
    for (int h = g * (H / G); h < (g + 1) * (H / G); ++h) {
        HEAD
        for (int i0 = FIRST_QUERY(SIDE); i0 < L; i0 += SIDE) {
            const int count = min(SIDE, L - i0);
            global const real *grads = grad + grad0 + ((n * L + i0) * H + h) * V;
            global const real *queries = q + q0 + n * q_n + i0 * q_l + h * q_h;
            real sum[EACH][EACH], slope[EACH][EACH];
            tile_products(k, k_s, rows, queries, q_l, count, E, left, right, sum);
            tile_products(v, v_s, rows, grads, H * V, count, V, left, right, slope);
            for (int a = 0; a < EACH; ++a)
                for (int b = 0; b < EACH; ++b) {
                    const int row = ly + a * ITEMS, c = lx + b * ITEMS;
                    const int i = min(i0 + c, L - 1), j = min(start + row, S - 1);
                    const real log = logs[logs0 + line + i], share = shares[shares0 + line + i];
                    const real weight = weight_of(SCORE(sum[a][b] * scale, i, j), log);
                    const real factor = FACTOR(i, j);
                    w[row][c] = dropped(weight, factor);
                    slopes[row][c] = slope_of(weight, slope[a][b], factor, share);
                }
            barrier(CLK_LOCAL_MEM_FENCE);
            add_tile(w, count, grads, H * V, V, part, 0, 1, false, grad_v, G * V, rows);
            add_tile(slopes, count, queries, q_l, E, part, 0, scale, false, grad_k, G * E, rows);
        }
    }
}
