"""Networks that learn a distribution by a bound on its likelihood: variational autoencoders."""
