"""Learning to learn: beginnings for which few steps are enough, and a rule that makes the steps."""
