"""Networks that slide small windows over images."""
