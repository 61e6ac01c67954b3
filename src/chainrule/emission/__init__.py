"""From a derivation to the kernels of a loss."""
