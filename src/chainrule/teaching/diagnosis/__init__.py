"""Which mistakes reproduce a wrong answer or a wrong line."""
