"""Files that hold tables: found, opened, read as Arrow columns."""
