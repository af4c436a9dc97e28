// Stands before the text of every <stem>.cl: names for the element type and its vectors.
//
// Set by -D, once per dtype and device:
//   REAL      element type, called real below (float, double, int, long, uchar)
//   MASK      signed integer of its size: what a vector comparison yields
//   VW        elements per vector: 8 or 16 floats on a CPU device, 1 on a GPU
//   FLOATING  32 for float, 64 for double, else undefined
//   BOOL      defined for bool, which is stored as uchar 0 or 1
//
// Vectors have at most 64 bytes, and 32 with pip's PoCL, which loses wider ones in calls of
// built-in functions.
//
// Every array argument is a buffer followed by `int name0`, the index of its first element; results
// are fresh buffers and start at 0. All buffers end in 256 bytes of padding, so that loading or
// storing one whole vector at the end of an array, or the columns beyond a register tile, never
// leaves the buffer.

#pragma OPENCL FP_CONTRACT ON
#ifdef cl_khr_fp64
#pragma OPENCL EXTENSION cl_khr_fp64 : enable
#endif

#define JOIN_(a, b) a##b
#define JOIN(a, b) JOIN_(a, b)

#if VW == 1
#define VECTOR(type) type
#define LOADV(p) (*(p))
#define STOREV(v, p) (*(p) = (v))
#define LANES ((maskv)0)
#define BOOLV(condition) ((uchar)((condition) != 0))
#else
#define VECTOR(type) JOIN(type, VW)
#define LOADV(p) JOIN(vload, VW)(0, p)
#define STOREV(v, p) JOIN(vstore, VW)(v, 0, p)
#define BOOLV(condition) CONVERTV(uchar)((condition) & (maskv)1)
#endif
#if VW == 2
#define LANES ((maskv)(0, 1))
#elif VW == 4
#define LANES ((maskv)(0, 1, 2, 3))
#elif VW == 8
#define LANES ((maskv)(0, 1, 2, 3, 4, 5, 6, 7))
#elif VW == 16
#define LANES ((maskv)(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15))
#endif
#define CONVERTV(type) JOIN(convert_, VECTOR(type))

typedef REAL real;
typedef VECTOR(REAL) realv;
typedef VECTOR(MASK) maskv;
typedef VECTOR(int) intv;

#define UNROLL _Pragma("unroll")

// Numbers that one running sum takes in at most: a sum of more is cut, and its parts are added up,
// as otherwise the small ones would be lost.
#define LONGEST 2048

// The first `count` lanes of v (all of them if count >= VW).
static inline void store_part(realv v, int count, global real *p) {
    if (count >= VW) {
        STOREV(v, p);
    } else {
        real lanes[VW];
        STOREV(v, lanes);
        for (int i = 0; i < count; ++i) p[i] = lanes[i];
    }
}

// The same back, zeros beyond: for an array that the kernel itself writes, where the lanes after a
// row may be another work-item's at that moment.
static inline realv load_own(int count, global const real *p) {
    if (count >= VW) return LOADV(p);
    real lanes[VW];
    for (int i = 0; i < VW; ++i) lanes[i] = i < count ? p[i] : (real)0;
    return LOADV(lanes);
}

static inline void scale_own(global real *p, real factor, int count) {
    store_part(load_own(count, p) * (realv)factor, count, p);
}

// Where row `row` of a strided array begins. shape and strides have 8 axes, size 1 in front; the
// rows are counted over all axes but the last.
static inline int row_start(int row, int8 shape, int8 strides) {
    int sizes[8], steps[8];
    vstore8(shape, 0, sizes);
    vstore8(strides, 0, steps);
    int start = 0;
    for (int axis = 6; row > 0; --axis) {
        start += row % sizes[axis] * steps[axis];
        row /= sizes[axis];
    }
    return start;
}

// Strided kernels cut every row (the last axis) into `spans` runs of `span` elements, one work-item
// each: long runs on a CPU device, where the loop over j from first to last is vectorised, runs of
// one element on a GPU.
#define SPAN_OF_A_ROW                                                                              \
    const int item = get_global_id(0);                                                             \
    if (item >= items) return;                                                                     \
    const int row = item / spans, first = item % spans * span;                                     \
    const int last = min(first + span, shape.s7);
// The first element of that row in one of the arrays.
#define ROW_OF(x) (x + x##0 + row_start(row, shape, x##_strides))
// Elements j ... j + VW - 1 of a row whose elements are `step` = 1 apart, or all the same (0).
#define LOAD_STEP(p, j, step) ((step) ? LOADV((p) + (j)) : (realv)(*(p)))

// A register tile: MR rows of NV vectors, accumulated over k as tile[i][v] += a[i * a_row] * b[v].
// The loops have constant bounds, so every tile[i][v] is a register.
#define TILE_ZERO(MR, NV)                                                                          \
    realv tile[MR][NV];                                                                            \
    UNROLL for (int i = 0; i < MR; ++i) UNROLL for (int v = 0; v < NV; ++v) tile[i][v] = (realv)0;

#define TILE_STEP(MR, NV, a, a_row, b)                                                             \
    {                                                                                              \
        realv line[NV];                                                                            \
        UNROLL for (int v = 0; v < NV; ++v) line[v] = LOADV((b) + v * VW);                         \
        UNROLL for (int i = 0; i < MR; ++i) {                                                      \
            const realv value = (realv)((a)[i * (a_row)]);                                         \
            UNROLL for (int v = 0; v < NV; ++v) tile[i][v] = value * line[v] + tile[i][v];         \
        }                                                                                          \
    }

// tile += the rows of c, `row` apart, of which `columns` columns exist from here on.
#define TILE_ADD(MR, NV, c, row, columns)                                                          \
    UNROLL for (int i = 0; i < MR; ++i)                                                            \
        UNROLL for (int v = 0; v < NV; ++v) if (v * VW < (columns)) tile[i][v] +=                  \
        load_own((columns) - v * VW, (c) + i * (row) + v * VW);

// Rows from ... to - 1 of the tile -> c. The first branch, without conditions between the stores,
// is the usual one.
#define TILE_STORE(MR, NV, c, row, columns, from, to)                                              \
    if ((columns) >= NV * VW && (from) == 0 && (to) >= MR) {                                       \
        UNROLL for (int i = 0; i < MR; ++i) UNROLL for (int v = 0; v < NV; ++v)                    \
            STOREV(tile[i][v], (c) + i * (row) + v * VW);                                          \
    } else {                                                                                       \
        UNROLL for (int i = 0; i < MR; ++i) if (i >= (from) && i < (to))                           \
            UNROLL for (int v = 0; v < NV; ++v) if (v * VW < (columns))                            \
                store_part(tile[i][v], (columns) - v * VW, (c) + i * (row) + v * VW);              \
    }

// An index kernel that meets a wrong index writes (op, value, size) here once, and POISON, which
// stays NaN in what is computed of it, where the wrong row would have an effect. Results that are no
// floats have no such value: their indices are checked on the host.
#ifdef FLOATING
#define POISON ((real)NAN)
#else
#define POISON ((real)0)
#endif
static inline int checked(long index, int size, int op, global int *error) {
    if (index >= 0 && index < size) return (int)index;
    if (atomic_cmpxchg(error, 0, op) == 0) {
        ((global long *)error)[1] = index;
        ((global long *)error)[2] = size;
    }
    return 0;
}
