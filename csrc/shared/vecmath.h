/* exp, log, log1p, expm1, tanh, sigmoid, erf, sin and cos of one `real`, without calls, branches or
   tables, so that a plain loop under `#pragma omp simd` turns them into vector code on every level.

   Each is a range reduction (Cody and Waite 1980: the constant is cut into a short high part, whose
   product with a small integer is exact, and a low part) and a polynomial. The coefficients are our
   own: Remez exchange in 50 digits, minimising the relative error of the function, which is noted
   beside them. Errors in ulp are tested in tests/kernels/test_cpu_rooms.py.

   Comparisons are written so that a NaN fails them and passes through. */

#ifndef TINYDL_VECMATH_H
#define TINYDL_VECMATH_H

#include "kernel.h"
#include <math.h>
#include <string.h>

#define DOUBLE_float 0
#define DOUBLE_double 1
#define IS_DOUBLE PASTE(DOUBLE_, REAL)

#if IS_DOUBLE
typedef uint64_t bits;
#define SQRT sqrt
#define FABS fabs
#define COPYSIGN copysign
#define POW pow
#define SIN sin
#define COS cos
#define FLOOR floor
#define RINT rint
#define ATAN2 atan2
#define FMOD fmod
#define MANTISSA 52
#define BIAS 1023
#define SMALLEST_NORMAL 0x1p-1022
#define ROUNDER 0x1.8p52           /* x + ROUNDER holds x, rounded to an integer, in its low bits */
#define LN2_HIGH 0x1.62e42fefa3p-1 /* 41 bits: exact times any exponent (11 bits) */
#define LN2_LOW 2.8235290563031577e-13
#define HALF_PI_HIGH 0x1.921fb54442dp+0
#define HALF_PI_MIDDLE 0x1.8469898cc516p-48
#define HALF_PI_LOW 1.2706558760139879e-29
#define EXP_LOWEST -746.0  /* e^x rounds to 0 from here down */
#define EXP_HIGHEST 710.0  /* and to infinity from here up */
#define EXP_NORMAL -708.0  /* above it e^x is no denormal number */
#define EXPM1_LOWEST -40.0 /* e^x - 1 rounds to -1 from here down */
#define ERF_HIGHEST 6.0    /* erf(x) rounds to 1 from here up */
#define ERF_SCALE 14.4
#define ERF_MIDDLE 2.6
#define TANH_HIGHEST 40.0 /* tanh(x) rounds to 1 from 2x = 40 on */
#else
typedef uint32_t bits;
#define SQRT sqrtf
#define FABS fabsf
#define COPYSIGN copysignf
#define POW powf
#define SIN sinf
#define COS cosf
#define FLOOR floorf
#define RINT rintf
#define ATAN2 atan2f
#define FMOD fmodf
#define MANTISSA 23
#define BIAS 127
#define SMALLEST_NORMAL 0x1p-126f
#define ROUNDER 0x1.8p23f
#define LN2_HIGH 0.693115234375f /* 14 bits: exact times any exponent (8 bits) */
#define LN2_LOW 3.1946183e-05f
#define HALF_PI_HIGH 0x1.921fap+0f
#define HALF_PI_MIDDLE 0x1.54442p-20f
#define HALF_PI_LOW 7.443548e-13f
#define EXP_LOWEST -104.0f
#define EXP_HIGHEST 89.0f
#define EXP_NORMAL -86.6f
#define EXPM1_LOWEST -20.0f
#define ERF_HIGHEST 4.0f
#define ERF_SCALE 18.666666f
#define ERF_MIDDLE 3.6666667f
#define TANH_HIGHEST 20.0f
#endif

#define LOG2_E ((real)1.4426950408889634)
#define TWO_OVER_PI ((real)0.6366197723675814)
#define ONE ((real)1)
#define HALF ((real)0.5)
#define ROOT_HALF ((real)0.70710678118654752)
#define BELL ((real)0.3989422804014327) /* 1 / sqrt(2 pi) */

static inline bits bits_of(real x) {
    bits b;
    memcpy(&b, &x, sizeof b);
    return b;
}

static inline real real_of(bits b) {
    real x;
    memcpy(&x, &b, sizeof x);
    return x;
}

/* 2^n, n in the range of normal numbers. */
static inline real power_of_two(bits n) { return real_of((n + BIAS) << MANTISSA); }

/* q(r) = (e^r - 1 - r) / r^2 for |r| <= ln(2)/2; error of r + r^2 q relative to e^r - 1:
   1.4e-8 (float), 2.0e-17 (double). */
static inline real exp_tail(real r) {
#if IS_DOUBLE
    real q = 2.511570985135314e-08;
    q = q * r + 2.7627701017296115e-07;
    q = q * r + 2.7557224301040436e-06;
    q = q * r + 2.4801501113943423e-05;
    q = q * r + 0.00019841269906772525;
    q = q * r + 0.0013888888935027622;
    q = q * r + 0.008333333333313063;
    q = q * r + 0.041666666666565995;
    q = q * r + 0.16666666666666688;
    return q * r + 0.5000000000000007;
#else
    real q = 1.3947599e-03f;
    q = q * r + 8.367247e-03f;
    q = q * r + 4.1666266e-02f;
    q = q * r + 1.6666538e-01f;
    return q * r + 0.5f;
#endif
}

/* e^x = 2^n e^r with x = n ln 2 + r. 2^n is multiplied in two halves, so that results beyond the
   largest number overflow to infinity and denormal ones are rounded once. */
static inline real exp_one(real x) {
    x = x > EXP_HIGHEST ? EXP_HIGHEST : x;
    x = x < EXP_LOWEST ? EXP_LOWEST : x;
    const real shifted = x * LOG2_E + ROUNDER;
    const real n = shifted - ROUNDER;
    const real r = (x - n * LN2_HIGH) - n * LN2_LOW;
    const bits biased = bits_of(shifted) - bits_of(ROUNDER) + 4096; /* n + 4096 > 0 */
    const bits half = biased >> 1;
    const real y = ONE + (r + r * r * exp_tail(r));
    return y * power_of_two(half - 2048) * power_of_two(biased - half - 2048);
}

/* e^x for x <= 88 (709), with 0 for what would be a denormal number: what a softmax asks for, at
   two thirds of the price. */
static inline real exp_softmax(real x) {
    const real above = x < EXP_NORMAL ? EXP_NORMAL : x;
    const real shifted = above * LOG2_E + ROUNDER;
    const real n = shifted - ROUNDER;
    const real r = (above - n * LN2_HIGH) - n * LN2_LOW;
    const real y = ONE + (r + r * r * exp_tail(r));
    const real e = y * power_of_two(bits_of(shifted) - bits_of(ROUNDER));
    return x < EXP_NORMAL ? 0 : e;
}

/* log x = e ln 2 + log m with x = m 2^e, sqrt(1/2) <= m < sqrt(2). With f = m - 1, s = f / (2 + f):
   log m = 2 atanh(s) = f - (f^2/2 - s (f^2/2 + s^2 T(s^2))),  T(z) = (2 atanh(s) - 2 s) / s^3.
   Error of s^3 T relative to 2 s: 8.1e-10 (float), 1.2e-18 (double). */
static inline real log_one(real x) {
    const int denormal = x < SMALLEST_NORMAL;
    const real scaled = denormal ? x * (real)0x1p60 : x;
    /* Counted from the bits of sqrt(1/2), the exponent field holds e and the rest is m. */
    const bits root = bits_of((real)0.70710678118654752);
    const bits from_root = bits_of(scaled) - root;
    const bits exponent = (from_root + ((bits)BIAS << MANTISSA)) >> MANTISSA;
    const real m = real_of((from_root & (((bits)1 << MANTISSA) - 1)) + root);
    /* The integer goes through the low bits of ROUNDER: AVX2 cannot convert 64-bit ones. */
    const real e = (real_of(exponent + bits_of(ROUNDER)) - ROUNDER) - (denormal ? BIAS + 60 : BIAS);
    const real f = m - ONE;
    const real s = f / (f + 2);
    const real z = s * s;
#if IS_DOUBLE
    real t = 0.14797507887260364;
    t = t * z + 0.15313903225628756;
    t = t * z + 0.18183569740789068;
    t = t * z + 0.22222198475963337;
    t = t * z + 0.28571428743262955;
    t = t * z + 0.3999999999941109;
    t = t * z + 0.6666666666666735;
#else
    real t = 2.9873073e-01f;
    t = t * z + 3.9977497e-01f;
    t = t * z + 6.6666776e-01f;
#endif
    const real square = HALF * f * f;
    const real y = e * LN2_HIGH - ((square - (s * (square + z * t) + e * LN2_LOW)) - f);
    const real outside = x == 0 ? -(real)INFINITY : (real)NAN;
    return x > 0 ? (x < (real)INFINITY ? y : x) : outside;
}

/* tanh |x| = u / (u + 2) with u = e^(2|x|) - 1 = 2^n (e^r - 1) + (2^n - 1), which keeps its
   relative accuracy down to the denormals: there n = 0 and u = e^r - 1. */
static inline real tanh_one(real x) {
    real a = 2 * FABS(x);
    a = a > TANH_HIGHEST ? TANH_HIGHEST : a;
    const real shifted = a * LOG2_E + ROUNDER;
    const real n = shifted - ROUNDER;
    const real r = (a - n * LN2_HIGH) - n * LN2_LOW;
    const real scale = power_of_two(bits_of(shifted) - bits_of(ROUNDER));
    const real u = scale * (r + r * r * exp_tail(r)) + (scale - ONE);
    return COPYSIGN(u / (u + 2), x);
}

/* log(1 + x). The rounding error of u = 1 + x is made good by the factor x / (u - 1) (Kahan;
   Goldberg 1991, theorem 4), which is 1 in exact arithmetic. */
static inline real log1p_one(real x) {
    const real u = ONE + x, d = u - ONE;
    const real y = log_one(u) * (x / (d == 0 ? ONE : d));
    return ((d == 0) | (x == (real)INFINITY)) ? x : y;
}

/* e^x - 1 = 2^n (e^r - 1) + (2^n - 1) with x = n ln 2 + r, in halves so that 2^1024 does not
   overflow too soon. */
static inline real expm1_one(real x) {
    real a = x > EXP_HIGHEST ? EXP_HIGHEST : x;
    a = a < EXPM1_LOWEST ? EXPM1_LOWEST : a;
    const real shifted = a * LOG2_E + ROUNDER;
    const real n = shifted - ROUNDER;
    const real r = (a - n * LN2_HIGH) - n * LN2_LOW;
    const real half = power_of_two(bits_of(shifted) - bits_of(ROUNDER) - 1);
    const real y = 2 * (half * (r + r * r * exp_tail(r)) + (half - HALF));
    return FABS(x) < SMALLEST_NORMAL * 4 ? x : y; /* half a denormal would lose its last bit */
}

/* 1 / (1 + e^-x); written with e^-|x| so that it is accurate relative to itself at both ends. */
static inline real sigmoid_one(real x) {
    const real e = exp_one(-FABS(x));
    return (x < 0 ? e : ONE) / (ONE + e);
}

/* erf. Up to 1: x P(x^2). Beyond: 1 - e^(-x^2) Q(t), Q = erfc(x) e^(x^2) as a polynomial in t,
   which runs from -1 to 1 as 1 / (x + 3) does for x from ERF_HIGHEST to 1. Both interpolate at
   Chebyshev points. Relative errors of P and Q: 1.3e-9 and 5.5e-8 (float), 8.1e-18 and 1.1e-16
   (double), where those of Q are multiplied by erfc(1) = 0.16 or less. */
static inline real erf_given(real x, real e) { /* e = e^(-x^2) */
    real a = FABS(x);
    a = a > ERF_HIGHEST ? ERF_HIGHEST : a;
    const real z = a * a;
    const real t = ERF_SCALE / (a + 3) - ERF_MIDDLE;
#if IS_DOUBLE
    real p = -7.795898827002142e-10;
    p = p * z + 1.3720064546777686e-08;
    p = p * z + -1.6208483801871705e-07;
    p = p * z + 1.6447424703317362e-06;
    p = p * z + -1.492473690741966e-05;
    p = p * z + 0.00012055294904839707;
    p = p * z + -0.0008548325975389692;
    p = p * z + 0.0052239776071164225;
    p = p * z + -0.02686617064323777;
    p = p * z + 0.11283791670945006;
    p = p * z + -0.37612638903183543;
    p = p * z + 1.1283791670955126;
    real q = 6.0857915906870915e-12;
    q = q * t + -6.047405945991704e-12;
    q = q * t + -2.571511429603255e-10;
    q = q * t + 2.6381508985080735e-10;
    q = q * t + 1.1339538061744706e-08;
    q = q * t + 4.526700764248741e-09;
    q = q * t + -5.541274478467714e-07;
    q = q * t + -2.4255574719050315e-06;
    q = q * t + 1.9563583246137112e-05;
    q = q * t + 0.0003316029605764125;
    q = q * t + 0.002479314697078186;
    q = q * t + 0.012713147695692198;
    q = q * t + 0.04969844540339464;
    q = q * t + 0.15436117429436919;
    q = q * t + 0.20798329133342885;
#else
    real p = 7.875875e-05f;
    p = p * z + -0.00080168643f;
    p = p * z + 0.0051890872f;
    p = p * z + -0.026854211f;
    p = p * z + 0.11283594f;
    p = p * z + -0.37612626f;
    p = p * z + 1.1283791f;
    real q = 3.024774e-06f;
    q = q * t + 9.613115e-05f;
    q = q * t + 0.0010173421f;
    q = q * t + 0.0069590206f;
    q = q * t + 0.035250023f;
    q = q * t + 0.13823691f;
    q = q * t + 0.24602112f;
#endif
    const real y = a < 1 ? a * p : ONE - e * q;
    return COPYSIGN(y, x);
}

static inline real erf_one(real x) {
    const real a = FABS(x) > ERF_HIGHEST ? ERF_HIGHEST : FABS(x);
    return erf_given(x, exp_one(-a * a));
}

/* x Phi(x), and its derivative Phi(x) + x phi(x): one e^(-x^2 / 2) serves erf and phi. */
static inline real gelu_one(real x) {
    const real s = x * ROOT_HALF;
    return HALF * x * (ONE + erf_given(s, exp_softmax(-s * s)));
}

static inline real gelu_slope_one(real x) {
    const real s = x * ROOT_HALF, e = exp_softmax(-s * s);
    return HALF * (ONE + erf_given(s, e)) + x * (BELL * e);
}

/* sin and cos of 0 <= x <= 2 pi: x = k pi/2 + r, |r| <= pi/4, then k picks polynomial and sign.
   pi/2 in three parts: next to its multiples r is a small difference. Relative errors 3.6e-9 and
   1e-10 (float), 3.5e-18 and 5e-20 (double). */
static inline void sin_cos_one(real x, real *sine, real *cosine) {
    const real shifted = x * TWO_OVER_PI + ROUNDER;
    const real n = shifted - ROUNDER;
    const bits k = bits_of(shifted) - bits_of(ROUNDER);
    const real r = ((x - n * HALF_PI_HIGH) - n * HALF_PI_MIDDLE) - n * HALF_PI_LOW;
    const real z = r * r;
#if IS_DOUBLE
    real s = 1.589666650112468e-10;
    s = s * z + -2.5050755961265162e-08;
    s = s * z + 2.7557313678664547e-06;
    s = s * z + -0.00019841269829771162;
    s = s * z + 0.00833333333332237;
    s = s * z + -0.16666666666666632;
    real c = -1.1359559329882773e-11;
    c = c * z + 2.0875721623655564e-09;
    c = c * z + -2.7557314340658475e-07;
    c = c * z + 2.4801587289443475e-05;
    c = c * z + -0.0013888888888874064;
    c = c * z + 0.0416666666666666;
#else
    real s = -1.9516978e-04f;
    s = s * z + 8.332176e-03f;
    s = s * z + -1.6666655e-01f;
    real c = 2.4438092e-05f;
    c = c * z + -1.3887364e-03f;
    c = c * z + 4.1666646e-02f;
#endif
    s = r + r * z * s;
    c = (ONE - HALF * z) + z * z * c;
    const real sin_k = k & 1 ? c : s;
    const real cos_k = k & 1 ? s : c;
    *sine = k & 2 ? -sin_k : sin_k;
    *cosine = (k + 1) & 2 ? -cos_k : cos_k;
}

#endif
