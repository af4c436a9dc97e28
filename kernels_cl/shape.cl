// Filling and copying: the only kernels that move elements without computing.

// y[i] = value for i < n; one work-item per vector.
kernel void fill(global real *restrict y, int n, real value) {
    const int i = get_global_id(0) * VW;
    if (i < n) STOREV((realv)value, y + i);
}

// y[...] = x[...] for two strided arrays of one shape; one work-item per span of a row (see
// prelude.cl).
kernel void copy_strided(global const real *restrict x, int x0, global real *restrict y, int y0,
                         int8 shape, int8 x_strides, int8 y_strides, int items, int spans,
                         int span) {
    SPAN_OF_A_ROW
    x = ROW_OF(x);
    y = ROW_OF(y);
    for (int j = first; j < last; ++j) y[j * y_strides.s7] = x[j * x_strides.s7];
}
