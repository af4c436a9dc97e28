#ifndef TINYDL_MATMUL_VECTOR_H
#define TINYDL_MATMUL_VECTOR_H

#include "matmul.h"
#include "vector.h"

/* What matmul.c and matmul_vector.c know of a product. Internal to matmul. */
#ifdef SUFFIX

/* c (M, N) = a (M, K) @ b (K, N) + bias (N,), then `epilogue` (vector.h); strides in elements. */
typedef struct {
    const real *a, *b, *bias;
    real *c;
    ptrdiff_t M, N, K, a_row, a_col, b_row, b_col;
    int epilogue, packed; /* packed: b comes from matmul_pack */
} Product;

/* bias and ReLU of n outputs; the bias of an N = 1 product is one number for all rows. */
static inline void finish(real *y, ptrdiff_t n, const real *bias, int step, int epilogue) {
    if (bias)
        for (ptrdiff_t j = 0; j < n; j++) y[j] += bias[j * step];
    if (epilogue)
        for (ptrdiff_t j = 0; j < n; j++) y[j] = clipped_one(y[j], epilogue);
}

/* True if the matrix has a contiguous axis, and so the vector where it is read as such. */
static inline int is_vector_product(const Product *p) {
    if (p->M == 1) return p->b_col == 1 || (p->b_row == 1 && p->a_col == 1);
    return p->N == 1 && (p->a_row == 1 || (p->a_col == 1 && p->b_row == 1));
}

/* A product with a vector: member `me` of a team takes its share of the outputs. */
void NAME(multiply_vector)(const Product *p, int team, int me);

#endif
#endif
