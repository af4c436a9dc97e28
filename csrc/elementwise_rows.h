/* The elementwise operations of the CPU backend, one row each: this is the only place below csrc/
   that knows their names.

       UNARY(name, cost, formula of x)
       BINARY(name, cost, formula of a and b)
       COMPARISON(name, cost, formula of a and b)     the result is a bool
       CAST(name, source)                             from an element of that type
       BY_HAND(name, cost, operands)                  name_row is a function of elementwise.c

   cost: the time of one element in units of an addition of arrays in the L2 cache, rounded, which
   decides from which size on threads pay (python benchmarks/elementwise_cost.py; above 4 it decides
   nothing). A file that includes this one defines the macros first; they are undefined at the end.
   From the names, setup.py also writes the methods of csrc/_elementwise.pyx;
   backend/reference/elementwise.py has the specification. */

UNARY(negative, 1, -x)
UNARY(exp, 2, exp_one(x))
UNARY(log, 3, log_one(x))
UNARY(sqrt, 1, SQRT(x))
UNARY(abs, 1, FABS(x))
UNARY(sign, 1, x > 0 ? ONE : x < 0 ? -ONE : x == 0 ? 0 : x)
UNARY(tanh, 3, tanh_one(x))
UNARY(sigmoid, 3, sigmoid_one(x))
UNARY(relu, 1, x <= 0 ? 0 : x)
UNARY(log1p, 4, log1p_one(x))
UNARY(expm1, 3, expm1_one(x))
UNARY(softplus, 6, (x > 0 ? x : 0) + log1p_one(exp_one(-FABS(x))))
UNARY(erf, 5, erf_one(x))
UNARY(gelu, 5, gelu_one(x))
UNARY(floor, 1, FLOOR(x))
UNARY(round, 1, RINT(x))
/* One call of the C library per element. */
UNARY(sin, 16, SIN(x))
UNARY(cos, 16, COS(x))

BINARY(add, 1, a + b)
BINARY(subtract, 1, a - b)
BINARY(multiply, 1, a *b)
BINARY(divide, 1, a / b)
BINARY(maximum, 1, ((a >= b) | (a != a)) ? a : b)
BINARY(minimum, 1, ((a <= b) | (a != a)) ? a : b)
BINARY(atan2, 32, ATAN2(a, b))
BINARY(floor_divide, 16, floor_divide_one(a, b))
BINARY(remainder, 16, remainder_one(a, b))

/* a is the output y of the operation, b the incoming gradient. */
BINARY(relu_grad, 1, a <= 0 ? 0 : b)
BINARY(tanh_grad, 1, b *(ONE - a * a))
BINARY(sigmoid_grad, 1, a *(ONE - a) * b)
/* a is its input. */
BINARY(gelu_grad, 5, b *gelu_slope_one(a))

COMPARISON(equal, 1, a == b)
COMPARISON(not_equal, 1, a != b)
COMPARISON(less, 1, a < b)
COMPARISON(less_equal, 1, a <= b)
COMPARISON(greater, 1, a > b)
COMPARISON(greater_equal, 1, a >= b)

BY_HAND(power, 16, 2)
BY_HAND(where, 1, 3)

CAST(from_f32, float)
CAST(from_f64, double)
CAST(from_i32, int32_t)
CAST(from_i64, int64_t)
CAST(from_u8, uint8_t)

#undef UNARY
#undef BINARY
#undef COMPARISON
#undef CAST
#undef BY_HAND
