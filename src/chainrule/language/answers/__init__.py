"""Answers: what people write about a forward pass, into trees; what the names in them may mean."""

from __future__ import annotations

from chainrule.language.answers.lexicon import Lexicon, Taken, spelled
from chainrule.language.answers.syntax import parse_answer

__all__ = ["Lexicon", "Taken", "parse_answer", "spelled"]
