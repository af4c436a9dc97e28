"""Models that write sequences: an encoder reads, a decoder writes and looks back."""
