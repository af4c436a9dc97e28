// Reading and adding rows by index. Rows have D contiguous elements. A wrong index is recorded (see
// `checked`).

// y[s, d] = x[indices[s], d]; one work-item per span of a row.
#define GATHER(name, index_type)                                                                   \
    kernel void name(global const real *restrict x, int x0,                                        \
                     global const index_type *restrict indices, int indices0,                      \
                     global real *restrict y, global int *error, int rows, int D, int items,       \
                     int spans, int span) {                                                        \
        const int item = get_global_id(0);                                                         \
        if (item >= items) return;                                                                 \
        const int s = item / spans, first = item % spans * span, last = min(first + span, D);      \
        const long index = indices[indices0 + s];                                                  \
        const int place = checked(index, rows, 1, error);                                          \
        for (int d = first; d < last; ++d)                                                         \
            y[s * D + d] = place == index ? x[x0 + place * D + d] : POISON;                        \
    }

// y[indices[s], d] += x[s, d] for s = 0, 1, ... S - 1 in this order; y is zero before.
// One work-item per (run of rows of y, vector of d): it walks over all indices and adds those of
// its rows.
#define SCATTER_ADD(name, index_type)                                                              \
    kernel void name(global const real *restrict x, int x0,                                        \
                     global const index_type *restrict indices, int indices0,                      \
                     global real *restrict y, global int *error, int rows, int D, int S,           \
                     int parts) {                                                                  \
        const int d = get_global_id(0) * VW, part = get_global_id(1);                              \
        const int low = (long)rows * part / parts, high = (long)rows * (part + 1) / parts;         \
        int wrong = 0;                                                                             \
        for (int s = 0; s < S; ++s) {                                                              \
            const long index = indices[indices0 + s];                                              \
            const int place = checked(index, rows, 2, error);                                      \
            wrong |= place != index;                                                               \
            if (place < low || place >= high || place != index) continue;                          \
            global real *p = y + place * D + d;                                                    \
            global const real *q = x + x0 + s * D + d;                                             \
            if (d + VW <= D)                                                                       \
                STOREV(LOADV(p) + LOADV(q), p);                                                    \
            else                                                                                   \
                for (int i = 0; i < D - d; ++i) p[i] += q[i];                                      \
        }                                                                                          \
        for (int row = low; wrong && row < high; ++row)                                            \
            for (int i = d; i < min(d + VW, D); ++i) y[row * D + i] = POISON;                      \
    }

// y[s, d] = 1 if indices[s] == d, else 0; one work-item per span of a row.
#define ONE_HOT(name, index_type)                                                                  \
    kernel void name(global const index_type *restrict indices, int indices0,                      \
                     global real *restrict y, global int *error, int D, int items, int spans,      \
                     int span) {                                                                   \
        const int item = get_global_id(0);                                                         \
        if (item >= items) return;                                                                 \
        const int s = item / spans, first = item % spans * span, last = min(first + span, D);      \
        const long index = indices[indices0 + s];                                                  \
        const int place = checked(index, D, 3, error);                                             \
        for (int d = first; d < last; ++d) y[s * D + d] = place == index ? d == place : POISON;    \
    }

GATHER(gather_int32, int)
GATHER(gather_int64, long)
SCATTER_ADD(scatter_add_int32, int)
SCATTER_ADD(scatter_add_int64, long)
ONE_HOT(one_hot_int32, int)
ONE_HOT(one_hot_int64, long)
