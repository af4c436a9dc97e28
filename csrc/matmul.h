#include "kernel.h"

/* c (batch, M, N) contiguous = relu?(a (batch, M, K) @ b (batch, K, N) + bias (N,)); see matmul.c.
   Returns 0, or -1 if there is no memory for the packed block of b. */
#define MATMUL_ARGS(real)                                                                          \
    (const real *a, const real *b, const real *bias, real *c, ptrdiff_t M, ptrdiff_t N,            \
     ptrdiff_t K, ptrdiff_t a_row, ptrdiff_t a_col, ptrdiff_t b_row, ptrdiff_t b_col, int axes,    \
     const ptrdiff_t *batch, const ptrdiff_t *a_batch, const ptrdiff_t *b_batch, int relu,         \
     int threads)
KERNEL(int, matmul, MATMUL_ARGS)
