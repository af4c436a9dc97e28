/* Philox4x32-10 (Salmon et al. 2011): block i of a stream is ten rounds of multiplication and
   exclusive or over the counter offset + i, four 32-bit words. */

#ifndef TINYDL_PHILOX_H
#define TINYDL_PHILOX_H

#include "kernel.h"

#define PHILOX_BATCH 64 /* blocks that are computed side by side */

/* words[4*i + w] of the blocks first ... first + blocks - 1, at most PHILOX_BATCH. */
static inline void philox(uint64_t key, uint64_t first, int blocks, uint32_t *words) {
    uint32_t c0[PHILOX_BATCH], c1[PHILOX_BATCH], c2[PHILOX_BATCH], c3[PHILOX_BATCH];
    for (int i = 0; i < blocks; i++) {
        c0[i] = (uint32_t)(first + i);
        c1[i] = (uint32_t)((first + i) >> 32);
        c2[i] = c3[i] = 0;
    }
    uint32_t k0 = (uint32_t)key, k1 = (uint32_t)(key >> 32);
    for (int round = 0; round < 10; round++) {
#pragma omp simd
        for (int i = 0; i < blocks; i++) {
            const uint64_t p0 = (uint64_t)0xD2511F53 * c0[i], p1 = (uint64_t)0xCD9E8D57 * c2[i];
            const uint32_t old1 = c1[i], old3 = c3[i];
            c0[i] = (uint32_t)(p1 >> 32) ^ old1 ^ k0;
            c1[i] = (uint32_t)p1;
            c2[i] = (uint32_t)(p0 >> 32) ^ old3 ^ k1;
            c3[i] = (uint32_t)p0;
        }
        k0 += 0x9E3779B9;
        k1 += 0xBB67AE85;
    }
    for (int i = 0; i < blocks; i++) {
        words[4 * i] = c0[i];
        words[4 * i + 1] = c1[i];
        words[4 * i + 2] = c2[i];
        words[4 * i + 3] = c3[i];
    }
}

#endif
