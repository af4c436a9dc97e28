"""What a person has: a folder of pictures, tables, texts or sounds, listed and read lazily."""
