"""What all tests share: a practice log of their own, and property-based tests without deadlines.

On a developer's machine every run tries other examples; continuous integration tries the same ones
each time, so that a change is judged by itself.

Several test processes share the cores. Each would start one BLAS thread per core, and these threads
spin while they wait, so BLAS is limited to one thread before NumPy is loaded.
"""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator

import pytest
from hypothesis import settings

for _threads in ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS"):
    os.environ.setdefault(_threads, "1")

settings.register_profile(
    "chainrule",
    deadline=None,
    print_blob=True,
    derandomize="CI" in os.environ,
    max_examples=int(os.environ.get("HYPOTHESIS_MAX_EXAMPLES", "100")),
)
settings.load_profile("chainrule")


@pytest.fixture(scope="session", autouse=True)
def practice_log_of_the_tests(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep the practice log of whoever runs the tests out of them, also in child processes."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("practice log")
        patch.setenv("CHAINRULE_PROGRESS", str(folder / "progress.sqlite"))
        yield


@pytest.hookimpl(trylast=True)
def pytest_collection_finish() -> None:
    """Exempt the collected tests and loaded modules from garbage collection.

    They live until the end, and every full collection would visit them again. Young objects are
    collected less often than by default: derivations make many, most of which stay in caches.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)
