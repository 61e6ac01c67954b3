"""One pass over a block of rows: scores, transposed products, sandwiches."""
