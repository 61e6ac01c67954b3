"""What an expression is and what is true of it."""
