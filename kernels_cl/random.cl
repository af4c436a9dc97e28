// Philox4x32-10 (Salmon et al. 2011): block i of a stream is a function of (key, offset + i).
//
// A block is four 32-bit words: 4 floats or bools, or 2 doubles. One work-item computes VW blocks
// side by side, one per vector lane, and writes their 4 * VW (or 2 * VW) elements in the order of
// the blocks.

typedef VECTOR(uint) uintv;

// words[w]: word w of blocks counter ... counter + VW - 1
static inline void philox(ulong key, ulong counter, uintv words[4]) {
    const uintv lanes = CONVERTV(uint)(LANES), low = (uintv)(uint)counter;
    uintv c0 = low + lanes;
    uintv c1 = (uintv)(uint)(counter >> 32) + (c0 < low ? (uintv)1 : (uintv)0); // the carry
    uintv c2 = (uintv)0, c3 = (uintv)0;
    uint k0 = (uint)key, k1 = (uint)(key >> 32);
    // 32-bit products: pip's PoCL loses vectors of 64 bytes, such as ulong8, in calls of built-in
    // functions.
    UNROLL for (int round = 0; round < 10; ++round) {
        const uintv m0 = (uintv)0xD2511F53u, m1 = (uintv)0xCD9E8D57u;
        const uintv high0 = mul_hi(m0, c0), low0 = m0 * c0, high1 = mul_hi(m1, c2), low1 = m1 * c2;
        c0 = high1 ^ c1 ^ (uintv)k0;
        c1 = low1;
        c2 = high0 ^ c3 ^ (uintv)k1;
        c3 = low0;
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    words[0] = c0;
    words[1] = c1;
    words[2] = c2;
    words[3] = c3;
}

// kept[i]: element i of those blocks has word >> 8 < threshold
static inline void keep(ulong key, ulong counter, uint threshold, uchar kept[4 * VW]) {
    uintv words[4];
    philox(key, counter, words);
    UNROLL for (int w = 0; w < 4; ++w) {
        uint lanes[VW];
        STOREV(words[w] >> (uintv)8, lanes);
        UNROLL for (int lane = 0; lane < VW; ++lane) kept[4 * lane + w] = lanes[lane] < threshold;
    }
}

kernel void bernoulli(global uchar *restrict y, ulong key, ulong offset, int n, int threshold) {
    const int block = get_global_id(0) * VW, i = block * 4;
    if (i >= n) return;
    uchar kept[4 * VW];
    keep(key, offset + block, threshold, kept);
    for (int j = 0; j < 4 * VW; ++j) y[i + j] = kept[j];
}

#ifdef FLOATING
#define PER_BLOCK ((int)(16 / sizeof(real))) // elements of one block

// u[j]: uniform number j of each block; 24 bits per float, 53 bits per double
static inline void uniforms(ulong key, ulong counter, realv u[PER_BLOCK]) {
    uintv words[4];
    philox(key, counter, words);
    UNROLL for (int j = 0; j < PER_BLOCK; ++j) {
        if (sizeof(real) == 4) {
            u[j] = CONVERTV(REAL)(words[j] >> (uintv)8) * (realv)5.9604644775390625e-8f; // 2^-24
        } else { // (high * 2^26 + low) * 2^-53
            const realv high = CONVERTV(REAL)(words[2 * j & 3] >> (uintv)5);
            const realv low = CONVERTV(REAL)(words[(2 * j + 1) & 3] >> (uintv)6);
            u[j] = (high * (realv)67108864.0f + low) * (realv)1.1102230246251565e-16f;
        }
    }
}

static inline void store_blocks(const realv v[PER_BLOCK], global real *y) {
    UNROLL for (int j = 0; j < PER_BLOCK; ++j) {
        real lanes[VW];
        STOREV(v[j], lanes);
        UNROLL for (int lane = 0; lane < VW; ++lane) y[PER_BLOCK * lane + j] = lanes[lane];
    }
}

kernel void uniform_numbers(global real *restrict y, ulong key, ulong offset, int n) {
    const int block = get_global_id(0) * VW, i = block * PER_BLOCK;
    if (i >= n) return;
    realv u[PER_BLOCK];
    uniforms(key, offset + block, u);
    store_blocks(u, y + i);
}

// Box and Muller (1958): sqrt(-2 log(1 - u1)) * (cos 2 pi u2, sin 2 pi u2)
kernel void normal_numbers(global real *restrict y, ulong key, ulong offset, int n, real two_pi) {
    const int block = get_global_id(0) * VW, i = block * PER_BLOCK;
    if (i >= n) return;
    realv u[PER_BLOCK];
    uniforms(key, offset + block, u);
    UNROLL for (int j = 0; j < PER_BLOCK; j += 2) {
        const realv radius = sqrt((realv)-2 * log((realv)1 - u[j])),
                    angle = (realv)two_pi * u[j + 1];
        u[j] = radius * cos(angle);
        u[j + 1] = radius * sin(angle);
    }
    store_blocks(u, y + i);
}

// y = x * scale where kept, else 0
kernel void dropout(global const real *restrict x, int x0, global real *restrict y, ulong key,
                    ulong offset, int n, int threshold, real scale) {
    const int block = get_global_id(0) * VW, i = block * 4;
    if (i >= n) return;
    uchar kept[4 * VW];
    keep(key, offset + block, threshold, kept);
    const int count = min(4 * VW, n - i);
    for (int j = 0; j < count; ++j) y[i + j] = kept[j] ? x[x0 + i + j] * scale : 0;
}
#endif
