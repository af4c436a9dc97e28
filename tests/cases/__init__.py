"""Case rows shared by tests; those of operations live in the wheel: `tinydl.testing.cases`."""
