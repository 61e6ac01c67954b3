"""Questions and problem sets as a person reads them: in the terminal, on a page, in LaTeX."""
