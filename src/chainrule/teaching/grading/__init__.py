"""Grading: a transcript audited line by line, an answer judged, the mistake named."""
