// One time step t of recurrent networks after its product with the state, (N, T, width) arrays.
// Formulas: tinydl/backend/reference/recurrent.py; the products are GEMMs of matmul.cl.
//
// One work-item = one vector of the H hidden units of one sequence. Forward kernels turn the sums a
// of the inputs into gates or states in place, s being those of the state, and write what the next
// product reads, h * drop, into `seen` (N, H). Backward kernels get `back`, what came back through
// the product of step t + 1 (null for the last step), and `carried`, what came past it, and write
// `now`, a row per sequence, for the next product. mask and drop may be null.

#define CELL                                                                                       \
    const int vectors = (H + VW - 1) / VW, item = get_global_id(0);                                \
    if (item >= N * vectors) return;                                                               \
    const int n = item / vectors, j = item % vectors * VW, left = H - j, at = n * T + t;           \
    const bool exists = !mask || mask[mask0 + at];

// The pieces of this item in row `row` of an array of `width` columns, for gate k.
#define PIECE(x, row, width, k) (x + x##0 + (row) * (width) + (k) * H + j)
#define DROPPED(v) (drop ? (v) * LOADV(PIECE(drop, n, H, 0)) : (v))

static inline realv gate(realv a, int hard) {
    const realv line = (real)0.2 * a + (real)0.5;
    if (hard) return line <= (realv)0 ? (realv)0 : line >= (realv)1 ? (realv)1 : line; // keeps NaN
    return (real)1 / ((real)1 + exp(-a));
}

// Its derivative from its value.
static inline realv gate_slope(realv y, int hard) {
    if (!hard) return y * ((real)1 - y);
    return (real)0.2 * ((real)1 - step(y, (realv)0)) * ((real)1 - step((realv)1, y));
}

kernel void rnn_gate(global const real *restrict s, int s0, global const real *before, int before0,
                     global const uchar *mask, int mask0, global const real *drop, int drop0,
                     global real *states, int states0, global real *restrict seen, int seen0, int N,
                     int T, int H, int t, int before_row, int relu) {
    CELL global real *to = PIECE(states, at, H, 0);
    realv h = LOADV(to) + LOADV(PIECE(s, n, H, 0));
    h = relu ? (h <= (realv)0 ? (realv)0 : h) : tanh(h);
    if (!exists) h = LOADV(before + before0 + n * before_row + j);
    store_part(h, left, to);
    store_part(DROPPED(h), left, PIECE(seen, n, H, 0));
}

kernel void rnn_gate_back(global const real *restrict grad, int grad0, global const real *back,
                          int back0, global const real *restrict states, int states0,
                          global const uchar *mask, int mask0, global const real *drop, int drop0,
                          global real *restrict carried, int carried0, global real *restrict delta,
                          int delta0, global real *restrict now, int now0, int N, int T, int H,
                          int t, int relu) {
    CELL global real *carry = PIECE(carried, n, H, 0);
    const realv h = LOADV(PIECE(states, at, H, 0));
    realv dh = LOADV(PIECE(grad, at, H, 0)) + LOADV(carry), d = (realv)0;
    if (back) dh += DROPPED(LOADV(PIECE(back, n, H, 0)));
    if (exists) {
        d = relu ? (h <= (realv)0 ? (realv)0 : dh) : dh * ((real)1 - h * h);
        dh = (realv)0;
    }
    store_part(dh, left, carry);
    store_part(d, left, PIECE(delta, at, H, 0));
    store_part(d, left, PIECE(now, n, H, 0));
}

kernel void lstm_gate(global const real *restrict s, int s0, global const real *before, int before0,
                      global const real *c_before, int c_before0, global const uchar *mask,
                      int mask0, global const real *drop, int drop0, global real *gates, int gates0,
                      global real *rows, int rows0, global real *cells, int cells0,
                      global real *restrict seen, int seen0, int N, int T, int H, int t,
                      int before_row, int hard) {
    CELL const int W = 4 * H;
    global real *a = PIECE(gates, at, W, 0);
    global const real *b = PIECE(s, n, W, 0);
    const realv i = gate(LOADV(a) + LOADV(b), hard);
    const realv f = gate(LOADV(a + H) + LOADV(b + H), hard);
    const realv g = tanh(LOADV(a + 2 * H) + LOADV(b + 2 * H));
    const realv o = gate(LOADV(a + 3 * H) + LOADV(b + 3 * H), hard);
    const realv old = LOADV(c_before + c_before0 + n * before_row + j);
    realv c = f * old + i * g, h = o * tanh(c);
    if (!exists) {
        c = old;
        h = LOADV(before + before0 + n * before_row + j);
    }
    store_part(i, left, a);
    store_part(f, left, a + H);
    store_part(g, left, a + 2 * H);
    store_part(o, left, a + 3 * H);
    store_part(h, left, PIECE(rows, at, H, 0));
    store_part(c, left, PIECE(cells, at, H, 0));
    if (t == T - 1) store_part(c, left, PIECE(rows, N * T + n, H, 0));
    store_part(DROPPED(h), left, PIECE(seen, n, H, 0));
}

kernel void lstm_gate_back(global const real *restrict grad, int grad0, global const real *back,
                           int back0, global const real *restrict cells, int cells0,
                           global const real *restrict gates, int gates0,
                           global const real *c_before, int c_before0, global const uchar *mask,
                           int mask0, global const real *drop, int drop0,
                           global real *restrict carried, int carried0, global real *restrict dc,
                           int dc0, global real *restrict delta, int delta0,
                           global real *restrict now, int now0, int N, int T, int H, int t,
                           int before_row, int hard) {
    CELL const int W = 4 * H;
    global real *carry = PIECE(carried, n, H, 0), *carry_c = PIECE(dc, n, H, 0);
    global const real *y = PIECE(gates, at, W, 0);
    const realv i = LOADV(y), f = LOADV(y + H), g = LOADV(y + 2 * H), o = LOADV(y + 3 * H);
    const realv u = tanh(LOADV(PIECE(cells, at, H, 0)));
    const realv old = LOADV(c_before + c_before0 + n * before_row + j);
    realv dh = LOADV(PIECE(grad, at, H, 0)) + LOADV(carry), later = LOADV(carry_c);
    if (back) dh += DROPPED(LOADV(PIECE(back, n, H, 0)));
    const realv sum = later + dh * o * ((real)1 - u * u);
    realv d[4] = {(realv)0, (realv)0, (realv)0, (realv)0};
    if (exists) {
        d[0] = sum * g * gate_slope(i, hard);
        d[1] = sum * old * gate_slope(f, hard);
        d[2] = sum * i * ((real)1 - g * g);
        d[3] = dh * u * gate_slope(o, hard);
    }
    store_part(exists ? (realv)0 : dh, left, carry);
    store_part(exists ? sum * f : later, left, carry_c);
    for (int k = 0; k < 4; ++k) {
        store_part(d[k], left, PIECE(delta, at, W, k));
        store_part(d[k], left, PIECE(now, n, W, k));
    }
}

// Gates r and z. reset_after: s (N, 3H) holds the candidate's product too, and the step ends here;
// else s is (N, 2H), and inner = r * seen, also in `now` (N, H), goes into the next product.
kernel void gru_gate(global const real *restrict s, int s0, global const real *before, int before0,
                     global const uchar *mask, int mask0, global const real *drop, int drop0,
                     global real *gates, int gates0, global real *states, int states0,
                     global real *restrict inner, int inner0, global real *restrict seen, int seen0,
                     global real *restrict now, int now0, int N, int T, int H, int t,
                     int before_row, int reset_after, int hard) {
    CELL const int W = reset_after ? 3 * H : 2 * H;
    global real *a = PIECE(gates, at, 3 * H, 0);
    global const real *b = PIECE(s, n, W, 0);
    const realv r = gate(LOADV(a) + LOADV(b), hard);
    const realv z = gate(LOADV(a + H) + LOADV(b + H), hard);
    const realv own = reset_after ? LOADV(b + 2 * H) : r * LOADV(PIECE(seen, n, H, 0));
    store_part(r, left, a);
    store_part(z, left, a + H);
    store_part(own, left, PIECE(inner, at, H, 0));
    if (!reset_after) {
        store_part(own, left, PIECE(now, n, H, 0));
        return;
    }
    const realv old = LOADV(before + before0 + n * before_row + j);
    const realv c = tanh(LOADV(a + 2 * H) + r * own);
    const realv h = exists ? c + z * (old - c) : old;
    store_part(c, left, a + 2 * H);
    store_part(h, left, PIECE(states, at, H, 0));
    store_part(DROPPED(h), left, PIECE(seen, n, H, 0));
}

// The candidate from s = inner @ U_n, without reset_after.
kernel void gru_candidate(global const real *restrict s, int s0, global const real *before,
                          int before0, global const uchar *mask, int mask0, global const real *drop,
                          int drop0, global real *gates, int gates0, global real *states,
                          int states0, global real *restrict seen, int seen0, int N, int T, int H,
                          int t, int before_row) {
    CELL global real *a = PIECE(gates, at, 3 * H, 0);
    const realv old = LOADV(before + before0 + n * before_row + j), z = LOADV(a + H);
    const realv c = tanh(LOADV(a + 2 * H) + LOADV(PIECE(s, n, H, 0)));
    const realv h = exists ? c + z * (old - c) : old;
    store_part(c, left, a + 2 * H);
    store_part(h, left, PIECE(states, at, H, 0));
    store_part(DROPPED(h), left, PIECE(seen, n, H, 0));
}

// Gradients of z, n and, with reset_after, of r and inner; now (N, 3H) = (r, z, inner), without
// reset_after (N, H) = n.
kernel void gru_gate_back(global const real *restrict grad, int grad0, global const real *back,
                          int back0, global const real *restrict gates, int gates0,
                          global const real *restrict inner, int inner0, global const real *before,
                          int before0, global const uchar *mask, int mask0, global const real *drop,
                          int drop0, global real *restrict carried, int carried0,
                          global real *restrict delta, int delta0, global real *restrict grad_inner,
                          int grad_inner0, global real *restrict now, int now0, int N, int T, int H,
                          int t, int before_row, int reset_after, int hard) {
    CELL const int W = 3 * H;
    global real *carry = PIECE(carried, n, H, 0);
    global const real *y = PIECE(gates, at, W, 0);
    const realv r = LOADV(y), z = LOADV(y + H), c = LOADV(y + 2 * H);
    const realv old = LOADV(before + before0 + n * before_row + j);
    realv dh = LOADV(PIECE(grad, at, H, 0)) + LOADV(carry);
    if (back) dh += DROPPED(LOADV(PIECE(back, n, H, 0)));
    const realv dz = exists ? dh * (old - c) * gate_slope(z, hard) : (realv)0;
    const realv dn = exists ? dh * ((real)1 - z) * ((real)1 - c * c) : (realv)0;
    store_part(exists ? dh * z : dh, left, carry);
    store_part(dz, left, PIECE(delta, at, W, 1));
    store_part(dn, left, PIECE(delta, at, W, 2));
    if (!reset_after) {
        store_part(dn, left, PIECE(now, n, H, 0));
        return;
    }
    const realv dr = exists ? dn * LOADV(PIECE(inner, at, H, 0)) * gate_slope(r, hard) : (realv)0;
    const realv di = exists ? dn * r : (realv)0;
    store_part(dr, left, PIECE(delta, at, W, 0));
    store_part(di, left, PIECE(grad_inner, at, H, 0));
    store_part(dr, left, PIECE(now, n, W, 0));
    store_part(dz, left, PIECE(now, n, W, 1));
    store_part(di, left, PIECE(now, n, W, 2));
}

// The gradient of r from di = dL/d(r * h), without reset_after; now (N, 2H) = (r, z).
kernel void gru_reset_back(global const real *restrict di, int di0,
                           global const real *restrict gates, int gates0, global const real *before,
                           int before0, global const uchar *mask, int mask0,
                           global const real *drop, int drop0, global real *restrict carried,
                           int carried0, global real *restrict delta, int delta0,
                           global real *restrict grad_inner, int grad_inner0,
                           global real *restrict now, int now0, int N, int T, int H, int t,
                           int before_row, int hard) {
    CELL const realv r = LOADV(PIECE(gates, at, 3 * H, 0)), by = LOADV(PIECE(di, n, H, 0));
    const realv old = LOADV(before + before0 + n * before_row + j);
    const realv dr = exists ? by * DROPPED(old) * gate_slope(r, hard) : (realv)0;
    global real *carry = PIECE(carried, n, H, 0);
    if (exists) store_part(LOADV(carry) + DROPPED(by * r), left, carry);
    store_part(dr, left, PIECE(delta, at, 3 * H, 0));
    store_part(exists ? by : (realv)0, left, PIECE(grad_inner, at, H, 0));
    store_part(dr, left, PIECE(now, n, 2 * H, 0));
    store_part(LOADV(PIECE(delta, at, 3 * H, 1)), left, PIECE(now, n, 2 * H, 1));
}
