"""Tic-tac-toe against a player who knows every game that is left."""

from __future__ import annotations

from functools import cache

import numpy as np

from ..arguments import probability
from .environment import Environment
from .spaces import Box, Discrete

#: Nine fields row by row: 1 the side that the board is seen from, -1 the other, 0 free.
Board = tuple[int, ...]
LINES = (*((3 * r, 3 * r + 1, 3 * r + 2) for r in range(3)), *((c, c + 3, c + 6) for c in range(3)),
         (0, 4, 8), (2, 4, 6))  # fmt: skip
EMPTY: Board = (0,) * 9
CELL = 40  # pixels


def winner(board: Board) -> int:
    """1 or -1, whoever has three in a line; 0: nobody."""
    for a, b, c in LINES:
        if board[a] != 0 and board[a] == board[b] == board[c]:
            return board[a]
    return 0


def after(board: Board, field: int) -> Board:
    """The board once 1 has moved, as the other side sees it, whose turn it is."""
    return tuple(-side for side in (*board[:field], 1, *board[field + 1 :]))


@cache
def value(board: Board) -> int:
    """What 1, who is to move, gets if both play as well as can be: 1, 0 or -1. Minimax: the best of
    the moves, each worth the opposite of what it leaves to the other side."""
    if won := winner(board):
        return won
    free = [field for field in range(9) if board[field] == 0]
    return max((-value(after(board, field)) for field in free), default=0)


@cache
def best_moves(board: Board) -> tuple[int, ...]:
    """All free fields that keep the value of the board."""
    free = [field for field in range(9) if board[field] == 0]
    return tuple(f for f in free if -value(after(board, f)) == value(board))


class TicTacToe(Environment):
    """The agent's side is 1 and moves by the number of a field, 0 ... 8; a coin says who begins.

    Observations (9,) float32: 1 own, -1 the other's, 0 free. The reward at the end is 1 for three
    in a line, 0 for a full board, -1 if the other side has the line or the field was not free,
    which ends the game too. The other side draws from the moves that are best by minimax, with
    probability `careless` from all that are free. Against a perfect one 0 is the most there is.
    """

    def __init__(self, careless: float = 0.0) -> None:
        super().__init__(9)
        self.careless = probability("TicTacToe", "careless", careless)
        self.observation_space, self.action_space = Box(-1.0, 1.0, (9,)), Discrete(9)
        self.board: Board = EMPTY

    def _begin(self) -> np.ndarray:
        self.board = EMPTY
        if self.rng.integers(0, 2):
            self._answer()
        return self._seen()

    def _seen(self) -> np.ndarray:
        return np.array(self.board, np.float32)

    def _answer(self) -> None:
        """The other side's move."""
        turned = tuple(-side for side in self.board)
        careless = float(self.rng.uniform(1, dtype=np.float64)[0]) < self.careless
        free = tuple(field for field in range(9) if turned[field] == 0)
        moves = free if careless else best_moves(turned)
        self.board = after(turned, moves[int(self.rng.integers(0, len(moves)))])

    def _move(self, action: int) -> tuple[np.ndarray, float, bool]:
        field = int(action)
        if self.board[field] != 0:
            return self._seen(), -1.0, True
        self.board = (*self.board[:field], 1, *self.board[field + 1 :])
        if winner(self.board) == 0 and 0 in self.board:
            self._answer()
        won = winner(self.board)
        return self._seen(), float(won), won != 0 or 0 not in self.board

    def render(self) -> np.ndarray:
        """Own marks are blue crosses, the other's red squares."""
        image = np.full((3 * CELL, 3 * CELL, 3), 235, np.uint8)
        image[::CELL] = image[:, ::CELL] = 255
        row, column = np.mgrid[:CELL, :CELL] - CELL // 2
        cross = (np.abs(np.abs(row) - np.abs(column)) <= 2) & (np.abs(row) < 13)
        largest = np.maximum(np.abs(row), np.abs(column))
        square = (largest <= 12) & (largest >= 9)
        for field, side in enumerate(self.board):
            top, left = CELL * (field // 3), CELL * (field % 3)
            cell = image[top : top + CELL, left : left + CELL]
            if side:
                cell[cross if side == 1 else square] = (38, 92, 166) if side == 1 else (190, 70, 60)
        return image
