// One time step of the vanilla recurrent network; the products over all steps are GEMMs of
// matmul.cl.
//
// One work-item = MR sequences x one vector of the H hidden units, accumulated in registers:
// [N x H] @ [H x H], and then the pointwise rest of the step.

#define STEP_LOOP(MR, a, a_row)                                                                    \
    const int column = get_global_id(1) * VW;                                                      \
    const int own = get_global_id(0) * MR, start = min(own, N - MR);                               \
    TILE_ZERO(MR, 1)                                                                               \
    if (a) {                                                                                       \
        a += a##0 + start * a_row;                                                                 \
        weight += weight0 + column;                                                                \
        for (int k = 0; k < H; ++k, ++a, weight += H) TILE_STEP(MR, 1, a, a_row, weight)           \
    }

// states_t = tanh(projected_t + previous @ weight): rows of projected and states are `row` elements
// apart.
#define RNN_STEP(MR)                                                                               \
    kernel void rnn_step_##MR(                                                                     \
        global const real *previous, int previous0, global const real *restrict weight,            \
        int weight0, global const real *restrict projected, int projected0, global real *states,   \
        int states0, int N, int H, int previous_row, int row) {                                    \
        STEP_LOOP(MR, previous, previous_row)                                                      \
        projected += projected0 + start * row + column;                                            \
        states += states0 + start * row + column;                                                  \
        UNROLL for (int i = 0; i < MR; ++i) if (start + i >= own) store_part(                      \
            tanh(LOADV(projected + i * row) + tile[i][0]), H - column, states + i * row);          \
    }                                                                                              \
    /* delta_t = (grad_t + next @ weight) * (1 - states_t^2); next = delta_{t+1}, null for the     \
     * last step */                                                                                \
    kernel void rnn_step_back_##MR(                                                                \
        global const real *next, int next0, global const real *restrict weight, int weight0,       \
        global const real *restrict grad, int grad0, global const real *restrict states,           \
        int states0, global real *delta, int delta0, int N, int H, int next_row, int row) {        \
        STEP_LOOP(MR, next, next_row)                                                              \
        grad += grad0 + start * row + column;                                                      \
        states += states0 + start * row + column;                                                  \
        delta += delta0 + start * row + column;                                                    \
        UNROLL for (int i = 0; i < MR; ++i) {                                                      \
            const realv h = LOADV(states + i * row);                                               \
            if (start + i >= own)                                                                  \
                store_part((LOADV(grad + i * row) + tile[i][0]) * ((realv)1 - h * h), H - column,  \
                           delta + i * row);                                                       \
        }                                                                                          \
    }

RNN_STEP(1)
RNN_STEP(2)
RNN_STEP(4)
RNN_STEP(8)
