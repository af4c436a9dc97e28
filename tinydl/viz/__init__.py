"""Layer 9: pictures. matplotlib is imported when the first one is drawn."""

from .curves import plot_curves
from .graph import autodiff_graph, model_graph, write_graph
from .grid import image_grid
from .roofline import plot_roofline

__all__ = [
    "autodiff_graph",
    "image_grid",
    "model_graph",
    "plot_curves",
    "plot_roofline",
    "write_graph",
]
