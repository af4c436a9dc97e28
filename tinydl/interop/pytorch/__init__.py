"""PyTorch's state_dicts: `load.load_torch` reads one, `parts` says how the layouts differ."""
