"""What walks a graph through its rows: values, typesetting, reading, code, differences."""
