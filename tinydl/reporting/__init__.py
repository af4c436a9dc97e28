"""Layer 13: `tinydl report RUN`: what a run did, what its model gets wrong and what it looks at, on
one page that needs nothing else."""
