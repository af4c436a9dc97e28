"""Vectors of words, learnt from the company they keep."""
