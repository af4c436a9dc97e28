// Elementwise kernels: y[i] = f(a[i], b[i], ...), for every dtype that f is defined for.
//
// apply_<f>: contiguous operands; one work-item per vector of VW elements. A 0-d operand has step 0
// and is spread.
//
// apply_<f>_strided: any strides; one work-item per span of a row (see prelude.cl). Results are
// contiguous.

#define ZERO(T) ((T)0)
#define ONE(T) ((T)1)

#define UNARY(name, FORMULA)                                                                       \
    kernel void apply_##name(global const real *restrict x, int x0, global real *restrict y,       \
                             int n) {                                                              \
        const int i = get_global_id(0) * VW;                                                       \
        if (i >= n) return;                                                                        \
        const realv a = LOADV(x + x0 + i);                                                         \
        STOREV(FORMULA(realv, a), y + i);                                                          \
    }                                                                                              \
    kernel void apply_##name##_strided(global const real *restrict x, int x0,                      \
                                       global real *restrict y, int8 shape, int8 x_strides,        \
                                       int items, int spans, int span) {                           \
        SPAN_OF_A_ROW                                                                              \
        global const real *p = ROW_OF(x);                                                          \
        y += row * shape.s7;                                                                       \
        int j = first;                                                                             \
        if (x_strides.s7 == 1)                                                                     \
            for (; j + VW <= last; j += VW) {                                                      \
                const realv a = LOADV(p + j);                                                      \
                STOREV(FORMULA(realv, a), y + j);                                                  \
            }                                                                                      \
        for (; j < last; ++j) {                                                                    \
            const real a = p[j * x_strides.s7];                                                    \
            y[j] = FORMULA(real, a);                                                               \
        }                                                                                          \
    }

#define BINARY_TO(name, result, STORE_VECTOR, STORE_SCALAR, FORMULA)                               \
    kernel void apply_##name(global const real *restrict a, int a0, global const real *restrict b, \
                             int b0, global result *restrict y, int n, int a_step, int b_step) {   \
        const int i = get_global_id(0) * VW;                                                       \
        if (i >= n) return;                                                                        \
        const realv p = LOAD_STEP(a + a0, i, a_step), q = LOAD_STEP(b + b0, i, b_step);            \
        STOREV(STORE_VECTOR(FORMULA(realv, p, q)), y + i);                                         \
    }                                                                                              \
    kernel void apply_##name##_strided(global const real *restrict a, int a0,                      \
                                       global const real *restrict b, int b0,                      \
                                       global result *restrict y, int8 shape, int8 a_strides,      \
                                       int8 b_strides, int items, int spans, int span) {           \
        SPAN_OF_A_ROW                                                                              \
        global const real *a_row = ROW_OF(a), *b_row = ROW_OF(b);                                  \
        y += row * shape.s7;                                                                       \
        const int a_step = a_strides.s7, b_step = b_strides.s7;                                    \
        int j = first;                                                                             \
        if ((a_step | b_step | 1) == 1) /* both are 0 or 1 */                                      \
            for (; j + VW <= last; j += VW) {                                                      \
                const realv p = LOAD_STEP(a_row, j, a_step), q = LOAD_STEP(b_row, j, b_step);      \
                STOREV(STORE_VECTOR(FORMULA(realv, p, q)), y + j);                                 \
            }                                                                                      \
        for (; j < last; ++j) {                                                                    \
            const real p = a_row[j * a_step], q = b_row[j * b_step];                               \
            y[j] = STORE_SCALAR(FORMULA(real, p, q));                                              \
        }                                                                                          \
    }

#define SAME(v) (v)
#define BINARY(name, FORMULA) BINARY_TO(name, real, SAME, SAME, FORMULA)
#define COMPARISON(name, FORMULA) BINARY_TO(name, uchar, BOOLV, (uchar), FORMULA)

// -- one operand --------------------------------------------------------------------------------

#define NEGATIVE(T, x) (-(x))
#define SIGN(T, x) ((x) > ZERO(T) ? ONE(T) : ((x) < ZERO(T) ? -ONE(T) : (x))) // NaN stays NaN
#define RELU(T, x) ((x) < ZERO(T) ? ZERO(T) : (x))                            // so here
UNARY(negative, NEGATIVE)
UNARY(sign, SIGN)
UNARY(relu, RELU)

#ifdef FLOATING
#define ABS(T, x) fabs(x)
#define EXP(T, x) exp(x)
#define LOG(T, x) log(x)
#define SQRT(T, x) sqrt(x)
#define TANH(T, x) tanh(x)
// e^x / (1 + e^x) below 0: small results keep their digits, and nothing overflows.
#define SIGMOID(T, x) (exp(fmin(x, ZERO(T))) / (ONE(T) + exp(-fabs(x))))
#define LOG1P(T, x) log1p(x)
#define EXPM1(T, x) expm1(x)
#define SOFTPLUS(T, x) (fmax(x, ZERO(T)) + log1p(exp(-fabs(x)))) // cannot overflow
#define SIN(T, x) sin(x)
#define COS(T, x) cos(x)
#define ERF(T, x) erf(x)
#define FLOOR(T, x) floor(x)
#define ROUND(T, x) rint(x) // halves to the even integer
UNARY(exp, EXP)
UNARY(log, LOG)
UNARY(sqrt, SQRT)
UNARY(tanh, TANH)
UNARY(sigmoid, SIGMOID)
UNARY(log1p, LOG1P)
UNARY(expm1, EXPM1)
UNARY(softplus, SOFTPLUS)
UNARY(sin, SIN)
UNARY(cos, COS)
UNARY(erf, ERF)
UNARY(floor, FLOOR)
UNARY(round, ROUND)
#else
#define ABS(T, x) ((x) < ZERO(T) ? -(x) : (x))
#endif
UNARY(abs, ABS)

// -- two operands -------------------------------------------------------------------------------

#ifdef BOOL
#define ADD(T, a, b) ((a) | (b))
#else
#define ADD(T, a, b) ((a) + (b))
#endif
#define SUBTRACT(T, a, b) ((a) - (b))
#define MULTIPLY(T, a, b) ((a) * (b))
#define MAXIMUM(T, a, b) ((((a) >= (b)) | ((a) != (a))) ? (a) : (b)) // NaN if either is NaN
#define MINIMUM(T, a, b) ((((a) <= (b)) | ((a) != (a))) ? (a) : (b)) // so here
BINARY(add, ADD)
BINARY(subtract, SUBTRACT)
BINARY(multiply, MULTIPLY)
BINARY(maximum, MAXIMUM)
BINARY(minimum, MINIMUM)

#ifdef FLOATING
#define DIVIDE(T, a, b) ((a) / (b))
#define ATAN2(T, a, b) atan2(a, b)
#define RELU_GRAD(T, y, grad) ((y) > ZERO(T) ? (grad) : ZERO(T))
#define TANH_GRAD(T, y, grad) ((grad) * (ONE(T) - (y) * (y)))
#define SIGMOID_GRAD(T, y, grad) ((grad) * ((y) * (ONE(T) - (y))))
BINARY(divide, DIVIDE)
// Not through BINARY, which would hand on the macro that some drivers make of the name atan2.
BINARY_TO(atan2, real, SAME, SAME, ATAN2)
BINARY(relu_grad, RELU_GRAD)
BINARY(tanh_grad, TANH_GRAD)
BINARY(sigmoid_grad, SIGMOID_GRAD)
#endif

#if FLOATING == 32
#define POWER(T, a, b) pow(a, b)
BINARY(power, POWER)
#else
#if FLOATING == 64
// One by one: PoCL 3.1's pow of 8 doubles is wrong in the lanes beside an infinity or an overflow.
#define ONE_POWER(a, b) pow(a, b)
#else
#define ONE_POWER(a, b) integer_power(a, b)
// a^b for b >= 0 by repeated squaring: b = sum of bits 2^i, a^b = product of a^(2^i).
static inline real integer_power(real a, real b) {
    real y = 1;
    for (; b > 0; b >>= 1, a *= a)
        if (b & 1) y *= a;
    return y;
}
#endif
kernel void apply_power_strided(global const real *restrict a, int a0,
                                global const real *restrict b, int b0, global real *restrict y,
                                int8 shape, int8 a_strides, int8 b_strides, int items, int spans,
                                int span) {
    SPAN_OF_A_ROW
    global const real *a_row = ROW_OF(a), *b_row = ROW_OF(b);
    for (int j = first; j < last; ++j)
        y[row * shape.s7 + j] = ONE_POWER(a_row[j * a_strides.s7], b_row[j * b_strides.s7]);
}
#endif

#define EQUAL(T, a, b) ((a) == (b))
#define NOT_EQUAL(T, a, b) ((a) != (b))
#define LESS(T, a, b) ((a) < (b))
#define LESS_EQUAL(T, a, b) ((a) <= (b))
#define GREATER(T, a, b) ((a) > (b))
#define GREATER_EQUAL(T, a, b) ((a) >= (b))
COMPARISON(equal, EQUAL)
COMPARISON(not_equal, NOT_EQUAL)
COMPARISON(less, LESS)
COMPARISON(less_equal, LESS_EQUAL)
COMPARISON(greater, GREATER)
COMPARISON(greater_equal, GREATER_EQUAL)

// -- three operands, and other result types: the span loop only ---------------------------------

kernel void apply_where(global const uchar *restrict condition, int condition0,
                        global const real *restrict a, int a0, global const real *restrict b,
                        int b0, global real *restrict y, int8 shape, int8 condition_strides,
                        int8 a_strides, int8 b_strides, int items, int spans, int span) {
    SPAN_OF_A_ROW
    global const uchar *chosen = ROW_OF(condition);
    global const real *a_row = ROW_OF(a), *b_row = ROW_OF(b);
    y += row * shape.s7;
    const int a_step = a_strides.s7, b_step = b_strides.s7;
    int j = first;
    if (condition_strides.s7 == 1 && (a_step | b_step | 1) == 1)
        for (; j + VW <= last; j += VW) {
            const maskv first_one = CONVERTV(MASK)(LOADV(chosen + j)) != (maskv)0;
            STOREV(first_one ? LOAD_STEP(a_row, j, a_step) : LOAD_STEP(b_row, j, b_step), y + j);
        }
    for (; j < last; ++j)
        y[j] = chosen[j * condition_strides.s7] ? a_row[j * a_step] : b_row[j * b_step];
}

#define CONVERSION(name, result, FORMULA)                                                          \
    kernel void name(global const real *restrict x, int x0, global result *restrict y, int8 shape, \
                     int8 x_strides, int items, int spans, int span) {                             \
        SPAN_OF_A_ROW                                                                              \
        global const real *p = ROW_OF(x);                                                          \
        for (int j = first; j < last; ++j) {                                                       \
            const real a = p[j * x_strides.s7];                                                    \
            y[row * shape.s7 + j] = FORMULA;                                                       \
        }                                                                                          \
    }

CONVERSION(apply_logical_not, uchar, a == 0)
CONVERSION(to_bool, uchar, a != 0)
CONVERSION(to_uint8, uchar, (uchar)a)
CONVERSION(to_int32, int, (int)a)
CONVERSION(to_int64, long, (long)a)
CONVERSION(to_float32, float, (float)a)
#ifdef cl_khr_fp64
CONVERSION(to_float64, double, (double)a)
#endif
