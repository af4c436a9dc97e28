"""Networks along the branches of a tree."""
