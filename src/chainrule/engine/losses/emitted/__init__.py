"""Generated modules, one per loss: `make emit` writes them."""
