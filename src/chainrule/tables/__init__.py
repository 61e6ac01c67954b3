"""Tables: from a CSV or Parquet file to a fitted model, and from a saved model to predictions."""
