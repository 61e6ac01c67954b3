"""Posted code judged by values: a walk over its syntax tree, and differences of its loss."""
