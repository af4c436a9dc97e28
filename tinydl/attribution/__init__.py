"""Layer 7: what a network's answer depends on, and how little it takes to change it.

One file per method, arrays in, arrays out: maps of gradients and of what hiding a part changes, the
picture that a class likes best, attacks, and the test that maps have to pass.
"""

from .activation_maximization import activation_maximization
from .box_occlusion import box_occlusion
from .fgsm import fgsm
from .grad_cam import grad_cam, last_convolution
from .guided_backpropagation import guided_backpropagation
from .integrated_gradients import IntegratedGradients, integrated_gradients
from .occlusion import occlusion
from .pgd import pgd
from .rollout import attention_rollout
from .saliency import saliency
from .sanity import Randomized, cascading_randomization, rank_correlation

__all__ = [
    "IntegratedGradients",
    "Randomized",
    "activation_maximization",
    "attention_rollout",
    "box_occlusion",
    "cascading_randomization",
    "fgsm",
    "grad_cam",
    "guided_backpropagation",
    "integrated_gradients",
    "last_convolution",
    "occlusion",
    "pgd",
    "rank_correlation",
    "saliency",
]
