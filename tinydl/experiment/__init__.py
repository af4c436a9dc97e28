"""What a recipe is (card.py), and from its data set to arrays."""
