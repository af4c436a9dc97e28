"""What a recipe that is in none of the five books says in its place (`Recipe.book`)."""

from __future__ import annotations

#: The paper of a model that a book names and does not build, or the one after it.
PAPERS = "the papers"
#: What came after the books: transformers, diffusion. The recipe's chapter names the paper.
BEYOND = "beyond the books"
