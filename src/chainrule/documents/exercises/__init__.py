"""Questions and problem sets as text, HTML and LaTeX."""
