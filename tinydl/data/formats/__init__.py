"""What reads a file format that others write: containers, pictures, tables, annotations."""
