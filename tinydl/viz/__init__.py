"""Layer 9: pictures. matplotlib is imported when the first one is drawn.

Functions take data and return the matplotlib figure; with a path they write it there as PNG too.
"""

from .animation import save_animation
from .attention import plot_attention
from .bands import plot_bands
from .boxes import plot_boxes, plot_masks
from .calibration import plot_calibration, plot_distributions, plot_rejection
from .callbacks import WriteImages
from .curves import plot_curves
from .graph import autodiff_graph, model_graph, write_graph
from .grid import image_grid
from .histograms import gradients_of, plot_histograms, weights_of
from .latent import plot_codes, plot_plane, plot_traversal
from .layers import plot_activations, plot_filters
from .pixels import draw_boxes, make_grid, save_image
from .points import plot_points
from .roofline import plot_roofline
from .scores import plot_confusion, plot_precision_recall, plot_roc, plot_thresholds
from .sheet import contact_sheet

__all__ = [
    "WriteImages",
    "autodiff_graph",
    "contact_sheet",
    "draw_boxes",
    "gradients_of",
    "image_grid",
    "make_grid",
    "model_graph",
    "plot_activations",
    "plot_attention",
    "plot_bands",
    "plot_boxes",
    "plot_calibration",
    "plot_codes",
    "plot_confusion",
    "plot_curves",
    "plot_distributions",
    "plot_filters",
    "plot_histograms",
    "plot_masks",
    "plot_plane",
    "plot_points",
    "plot_precision_recall",
    "plot_rejection",
    "plot_roc",
    "plot_roofline",
    "plot_thresholds",
    "plot_traversal",
    "save_animation",
    "save_image",
    "weights_of",
    "write_graph",
]
