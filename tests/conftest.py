"""What all tests share: property-based tests without deadlines, for machines that are busy."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("chainrule", deadline=None, print_blob=True)
settings.load_profile("chainrule")
