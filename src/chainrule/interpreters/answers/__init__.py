"""Answers: what people write about a forward pass, into trees; what the names in them may mean."""

from __future__ import annotations

from chainrule.interpreters.answers.lexicon import Lexicon, Taken, spelled
from chainrule.interpreters.answers.syntax import parse_answer

__all__ = ["Lexicon", "Taken", "parse_answer", "spelled"]
