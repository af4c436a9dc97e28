"""The command `tinydl`."""
