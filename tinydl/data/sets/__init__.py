"""The data sets: one file each, with its record (files, sums, licence) and its loader."""
