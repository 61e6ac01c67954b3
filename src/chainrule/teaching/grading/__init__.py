"""Grading: transcripts audited line by line, and answers graded with a diagnosis."""
