"""Index forms: reading entries, and collapsing them to matrix forms in named steps."""
