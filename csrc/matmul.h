#include "kernel.h"

/* c (batch, M, N) contiguous = a (batch, M, K) @ b (batch, K, N) + bias (N,), then `epilogue`
   (vector.h; its sum only of M, N > 1 with a packed b); see matmul.c.
   Returns 0, or -1 if there is no memory for the packed block of b. */
#define MATMUL_ARGS(real)                                                                          \
    (const real *a, const real *b, const real *bias, real *c, ptrdiff_t M, ptrdiff_t N,            \
     ptrdiff_t K, ptrdiff_t a_row, ptrdiff_t a_col, ptrdiff_t b_row, ptrdiff_t b_col, int axes,    \
     const ptrdiff_t *batch, const ptrdiff_t *a_batch, const ptrdiff_t *b_batch, int epilogue,     \
     int packed, int threads)
KERNEL(int, matmul, MATMUL_ARGS)

/* b (K, N) in the order in which it is multiplied, K * width elements: returns the width; writes
   them unless packed is NULL. At the same level, matmul with `packed` set takes them for b (which
   has no batch axes then, and M, N > 1 where the results are to be the same bit for bit). */
#define MATMUL_PACK_ARGS(real)                                                                     \
    (const real *b, real *packed, ptrdiff_t K, ptrdiff_t N, ptrdiff_t b_row, ptrdiff_t b_col)
KERNEL(ptrdiff_t, matmul_pack, MATMUL_PACK_ARGS)
