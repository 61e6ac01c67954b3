"""Renderers: one file per medium. Each writes a tree of blocks and knows nothing else."""
