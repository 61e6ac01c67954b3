"""What all tests share: property-based tests without deadlines, for machines that are busy.

On a developer's machine every run tries other examples; continuous integration tries the same ones
each time, so that a change is judged by itself.
"""

from __future__ import annotations

import os

from hypothesis import settings

settings.register_profile(
    "chainrule",
    deadline=None,
    print_blob=True,
    derandomize="CI" in os.environ,
    max_examples=int(os.environ.get("HYPOTHESIS_MAX_EXAMPLES", "100")),
)
settings.load_profile("chainrule")
