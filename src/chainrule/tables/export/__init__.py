"""A fitted model as SQL, Python, C, ONNX or PMML. Every export is run and compared."""
