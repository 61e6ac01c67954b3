"""A fitted model as code that stands alone: SQL, Python, C. Every export is run and compared."""
