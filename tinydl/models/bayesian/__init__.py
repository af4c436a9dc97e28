"""Classifiers that know how much they do not know: distributions over weights."""
