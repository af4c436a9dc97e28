"""There is none: operations are functions of `tinydl`, losses of `tinydl.nn`."""

from ..habits import missing_module

missing_module(__name__, "nn.functional")
