"""Networks that learn the way from noise back to pictures."""
