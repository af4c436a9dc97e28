"""Where the time goes, and what the machine can do."""
