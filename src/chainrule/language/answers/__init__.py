"""Answers: their syntax trees, and the meaning of the names in them."""

from __future__ import annotations

from chainrule.language.answers.lexicon import Lexicon, NameMeaning, spelled
from chainrule.language.answers.syntax import parse_answer

__all__ = ["Lexicon", "NameMeaning", "parse_answer", "spelled"]
