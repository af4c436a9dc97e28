"""How recipes are trained and measured: one program per kind of training."""
