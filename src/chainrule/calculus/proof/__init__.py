"""Verification: the methods of comparison, and certificates for every step."""
