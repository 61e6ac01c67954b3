"""The equality ladder, and certificates for every step of a derivation."""
