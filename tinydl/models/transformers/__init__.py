"""Language models made of transformer blocks, and files of such models."""
