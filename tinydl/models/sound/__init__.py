"""Networks that hear, and one that speaks."""
