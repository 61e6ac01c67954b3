"""What an expression is: dimensions, interned nodes, the type of a row, the forward pass."""
