"""Pictures optimised to look like two others."""
