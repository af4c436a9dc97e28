"""Layer 7: worlds that agents act in, with the interface of gymnasium."""

from .cart_pole import CartPole
from .catch import Catch
from .environment import Environment
from .mountain_car import MountainCar
from .playing import Played, play_together
from .spaces import Box, Discrete, drawn, features, width
from .tic_tac_toe import TicTacToe
from .walk import GridWorld, Walk
from .width_search import WidthSearch
from .wrapped import Clipped, Held, Scaled

__all__ = [
    "Box",
    "CartPole",
    "Catch",
    "Clipped",
    "Discrete",
    "Environment",
    "GridWorld",
    "Held",
    "MountainCar",
    "Played",
    "Scaled",
    "TicTacToe",
    "Walk",
    "WidthSearch",
    "drawn",
    "features",
    "play_together",
    "width",
]
