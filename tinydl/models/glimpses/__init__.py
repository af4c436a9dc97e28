"""Glimpses: a network that sees a small part of a picture at a time, and chooses which."""
