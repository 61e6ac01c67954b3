"""Where rows come from: sources, blocks, samples."""
