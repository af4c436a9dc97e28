"""Layer 12: recipes on a person's own data, `tinydl train RECIPE --on PATH`.

`bind(recipe, path, options)` reads what lies at a path, divides it, learns from the training part
how samples are prepared, and gives the recipe for it. A run keeps that as data (`Own`): classes,
preparation, division, and a fingerprint of the files, so that its folder alone takes new files.
"""
