"""Networks that read one step after the other."""
