"""Tables: from a CSV or Parquet file to a fitted model, and from a saved model to predictions.

`reading` opens files, `encoding` turns columns into numbers, `model`
fits, saves and loads, `metrics` measures on held-out rows.
"""
