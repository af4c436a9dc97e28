"""There is none: schedules are classes of `tinydl.optim`, which a callback of `fit` applies."""

from ..habits import missing_module

missing_module(__name__, "optim.lr_scheduler")
