"""What the books talk about and do not run: comparisons, transfer learning, style transfer."""
