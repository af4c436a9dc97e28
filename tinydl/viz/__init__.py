"""Layer 9: pictures. matplotlib is imported when the first one is drawn."""

from .curves import plot_curves
from .grid import image_grid
from .roofline import plot_roofline

__all__ = ["image_grid", "plot_curves", "plot_roofline"]
