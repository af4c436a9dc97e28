"""Capsules: vectors that say how sure and in which pose, routed by agreement."""
