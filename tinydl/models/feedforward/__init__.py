"""Networks without memory or geometry: every layer sees the whole one before."""
