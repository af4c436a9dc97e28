// Elementwise kernels: y[i] = f(a[i], b[i], ...), for every dtype that f is defined for.
// One row each:
//
//   UNARY(name, formula of x)
//   BINARY(name, formula of a and b)
//   COMPARISON(name, formula of a and b), whose result is a bool
//   FLOAT_UNARY, FLOAT_BINARY: float32 and float64 only
//   BINARY_BODY, CAREFUL_BINARY: statements instead of a formula
//
// In a formula, T is the type of its operands: a number, or a vector of VW of them. The methods of
// tinydl/backend/opencl/elementwise.py are made of these rows.
//
// apply_<f>: contiguous operands; one work-item per vector of VW elements. A 0-d operand has step 0
// and is spread.
//
// apply_<f>_strided: any strides; one work-item per span of a row (see prelude.cl). Results are
// contiguous.

#define ZERO(T) ((T)0)
#define ONE(T) ((T)1)

#define UNARY_KERNELS(apply, of_vector, of_number)                                                 \
    kernel void apply(global const real *restrict x, int x0, global real *restrict y, int n) {     \
        const int i = get_global_id(0) * VW;                                                       \
        if (i >= n) return;                                                                        \
        const realv a = LOADV(x + x0 + i);                                                         \
        STOREV(of_vector(a), y + i);                                                               \
    }                                                                                              \
    kernel void apply##_strided(global const real *restrict x, int x0, global real *restrict y,    \
                                int8 shape, int8 x_strides, int items, int spans, int span) {      \
        SPAN_OF_A_ROW                                                                              \
        global const real *p = ROW_OF(x);                                                          \
        y += row * shape.s7;                                                                       \
        int j = first;                                                                             \
        if (x_strides.s7 == 1)                                                                     \
            for (; j + VW <= last; j += VW) {                                                      \
                const realv a = LOADV(p + j);                                                      \
                STOREV(of_vector(a), y + j);                                                       \
            }                                                                                      \
        for (; j < last; ++j) {                                                                    \
            const real a = p[j * x_strides.s7];                                                    \
            y[j] = of_number(a);                                                                   \
        }                                                                                          \
    }

#define BINARY_KERNELS(apply, of_vector, of_number, result)                                        \
    kernel void apply(global const real *restrict a, int a0, global const real *restrict b,        \
                      int b0, global result *restrict y, int n, int a_step, int b_step) {          \
        const int i = get_global_id(0) * VW;                                                       \
        if (i >= n) return;                                                                        \
        const realv p = LOAD_STEP(a + a0, i, a_step), q = LOAD_STEP(b + b0, i, b_step);            \
        STOREV(of_vector(p, q), y + i);                                                            \
    }                                                                                              \
    kernel void apply##_strided(global const real *restrict a, int a0,                             \
                                global const real *restrict b, int b0, global result *restrict y,  \
                                int8 shape, int8 a_strides, int8 b_strides, int items, int spans,  \
                                int span) {                                                        \
        SPAN_OF_A_ROW                                                                              \
        global const real *a_row = ROW_OF(a), *b_row = ROW_OF(b);                                  \
        y += row * shape.s7;                                                                       \
        const int a_step = a_strides.s7, b_step = b_strides.s7;                                    \
        int j = first;                                                                             \
        if ((a_step | b_step | 1) == 1) /* both are 0 or 1 */                                      \
            for (; j + VW <= last; j += VW) {                                                      \
                const realv p = LOAD_STEP(a_row, j, a_step), q = LOAD_STEP(b_row, j, b_step);      \
                STOREV(of_vector(p, q), y + j);                                                    \
            }                                                                                      \
        for (; j < last; ++j) {                                                                    \
            const real p = a_row[j * a_step], q = b_row[j * b_step];                               \
            y[j] = of_number(p, q);                                                                \
        }                                                                                          \
    }

// The formula as a function of vectors and as one of numbers.
#define OF_ONE(name, type, result, body)                                                           \
    static inline result name(const type x) {                                                      \
        typedef type T;                                                                            \
        body                                                                                       \
    }
#define OF_TWO(name, type, result, body)                                                           \
    static inline result name(const type a, const type b) {                                        \
        typedef type T;                                                                            \
        body                                                                                       \
    }
// Names are joined here, in the first macro that sees them: PoCL's `exp` is a macro itself.
#define UNARY(name, formula)                                                                       \
    OF_ONE(name##_vector, realv, realv, return formula;)                                           \
    OF_ONE(name##_number, real, real, return formula;)                                             \
    UNARY_KERNELS(apply_##name, name##_vector, name##_number)
#define BINARY_BODY(name, body)                                                                    \
    OF_TWO(name##_vector, realv, realv, body)                                                      \
    OF_TWO(name##_number, real, real, body)                                                        \
    BINARY_KERNELS(apply_##name, name##_vector, name##_number, real)
#define BINARY(name, formula)                                                                      \
    OF_TWO(name##_vector, realv, realv, return formula;)                                           \
    OF_TWO(name##_number, real, real, return formula;)                                             \
    BINARY_KERNELS(apply_##name, name##_vector, name##_number, real)
#define COMPARISON(name, formula)                                                                  \
    OF_TWO(name##_vector, realv, VECTOR(uchar), return BOOLV(formula);)                            \
    OF_TWO(name##_number, real, uchar, return (uchar)(formula);)                                   \
    BINARY_KERNELS(apply_##name, name##_vector, name##_number, uchar)
// Lane by lane: PoCL 3.1's pow and fmod of 8 doubles are wrong, and integers have no pow.
#define BINARY_BY_LANES(name, body)                                                                \
    OF_TWO(name##_number, real, real, body)                                                        \
    static inline realv name##_vector(const realv a, const realv b) {                              \
        real p[VW], q[VW];                                                                         \
        STOREV(a, p);                                                                              \
        STOREV(b, q);                                                                              \
        for (int i = 0; i < VW; ++i) p[i] = name##_number(p[i], q[i]);                             \
        return LOADV(p);                                                                           \
    }                                                                                              \
    BINARY_KERNELS(apply_##name, name##_vector, name##_number, real)
#if FLOATING == 32
#define CAREFUL_BINARY BINARY_BODY
#else
#define CAREFUL_BINARY BINARY_BY_LANES
#endif
#ifdef FLOATING
#define FLOAT_UNARY UNARY
#define FLOAT_BINARY BINARY
#else
#define FLOAT_UNARY(name, formula)
#define FLOAT_BINARY(name, formula)
#endif

#if FLOATING == 64
#define ROOT_HALF M_SQRT1_2
#define BELL 0.3989422804014327 // 1 / sqrt(2 pi)
#else
#define ROOT_HALF M_SQRT1_2_F
#define BELL 0.3989422804014327f
#endif

// -- one operand --------------------------------------------------------------------------------

#ifdef FLOATING
#define ABSOLUTE(x) fabs(x)
#else
#define ABSOLUTE(x) ((x) < ZERO(T) ? -(x) : (x))
#endif

UNARY(negative, -x)
UNARY(abs, ABSOLUTE(x))
UNARY(sign, x > ZERO(T) ? ONE(T) : (x < ZERO(T) ? -ONE(T) : x)) // NaN stays NaN
UNARY(relu, x <= ZERO(T) ? ZERO(T) : x)                         // so here
FLOAT_UNARY(exp, exp(x))
FLOAT_UNARY(log, log(x))
FLOAT_UNARY(sqrt, sqrt(x))
FLOAT_UNARY(tanh, tanh(x))
// e^x / (1 + e^x) below 0: small results keep their digits, and nothing overflows.
FLOAT_UNARY(sigmoid, exp(fmin(x, ZERO(T))) / (ONE(T) + exp(-fabs(x))))
FLOAT_UNARY(log1p, log1p(x))
FLOAT_UNARY(expm1, expm1(x))
FLOAT_UNARY(softplus, fmax(x, ZERO(T)) + log1p(exp(-fabs(x)))) // cannot overflow
FLOAT_UNARY(sin, sin(x))
FLOAT_UNARY(cos, cos(x))
FLOAT_UNARY(erf, erf(x))
FLOAT_UNARY(gelu, x *(ONE(T) + erf(x * (T)ROOT_HALF)) * (T)0.5f)
FLOAT_UNARY(floor, floor(x))
FLOAT_UNARY(round, rint(x)) // halves to the even integer

// -- two operands -------------------------------------------------------------------------------

#ifdef BOOL
BINARY(add, a | b)
#else
BINARY(add, a + b)
#endif
BINARY(subtract, a - b)
BINARY(multiply, a *b)
BINARY(maximum, ((a >= b) | (a != a)) ? a : b) // NaN if either is NaN
BINARY(minimum, ((a <= b) | (a != a)) ? a : b) // so here
FLOAT_BINARY(divide, a / b)
FLOAT_BINARY(atan2, atan2(a, b))
FLOAT_BINARY(relu_grad, a <= ZERO(T) ? ZERO(T) : b) // a: the output y; b: its gradient
FLOAT_BINARY(tanh_grad, b *(ONE(T) - a * a))
FLOAT_BINARY(sigmoid_grad, b *(a *(ONE(T) - a)))
FLOAT_BINARY(gelu_grad, b *((ONE(T) + erf(a * (T)ROOT_HALF)) * (T)0.5f +
                            a * (exp(a * a * (T)-0.5f) * (T)BELL))) // a: the input

// The quotient rounded down, and what is left, which has the sign of b, as in Python.
#ifdef FLOATING
#define IS_BELOW(rest) ((rest != ZERO(T)) & ((rest < ZERO(T)) != (b < ZERO(T))))
CAREFUL_BINARY(remainder, const T rest = fmod(a, b);
               return rest == ZERO(T) ? copysign(rest, b) : (IS_BELOW(rest) ? rest + b : rest);)
// (a - rest) / b is a whole number but for rounding; a / b may have been rounded to the next one.
CAREFUL_BINARY(floor_divide, const T quotient = a / b; const T rest = fmod(a, b);
               const T near = (a - rest) / b - (IS_BELOW(rest) ? ONE(T) : ZERO(T));
               const T low = floor(near); const T whole = near - low > (T)0.5f ? low + ONE(T) : low;
               return b == ZERO(T) ? quotient
                                   : (whole == ZERO(T) ? copysign(whole, quotient) : whole);)
#else
// 0 for b = 0; by -1 the smallest integer wraps. Neither may reach the processor's division.
#define IS_MINUS_ONE ((b == -ONE(T)) & ((T)(-ONE(T)) < ZERO(T)))
#define DIVISOR ((b == ZERO(T)) | IS_MINUS_ONE ? ONE(T) : b)
#define REST (a - a / DIVISOR * DIVISOR)
#define IS_BELOW ((REST != ZERO(T)) & ((REST < ZERO(T)) != (b < ZERO(T))))
BINARY(remainder, b == ZERO(T) ? ZERO(T) : (IS_BELOW ? REST + b : REST))
BINARY(floor_divide,
       b == ZERO(T) ? ZERO(T) : (IS_MINUS_ONE ? -a : (a / DIVISOR - (IS_BELOW ? ONE(T) : ZERO(T)))))
#endif

#ifdef FLOATING
#define POWER(a, b) pow(a, b)
#else
#define POWER(a, b) integer_power(a, b)
// a^b for b >= 0 by repeated squaring: b = sum of bits 2^i, a^b = product of a^(2^i).
static inline real integer_power(real a, real b) {
    real y = 1;
    for (; b > 0; b >>= 1, a *= a)
        if (b & 1) y *= a;
    return y;
}
#endif
CAREFUL_BINARY(power, return POWER(a, b);)

COMPARISON(equal, a == b)
COMPARISON(not_equal, a != b)
COMPARISON(less, a < b)
COMPARISON(less_equal, a <= b)
COMPARISON(greater, a > b)
COMPARISON(greater_equal, a >= b)

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
