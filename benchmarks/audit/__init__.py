"""Derivations with one wrong line each, proven wrong without the audit that is measured."""
