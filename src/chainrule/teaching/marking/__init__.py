"""Marking: transcripts and answers read, and every equals sign judged."""
