"""Few-shot learning: classes that were never trained on, told by one or a few examples."""
