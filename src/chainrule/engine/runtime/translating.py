"""numba as a translator: from Python to LLVM's code, which is optimised and assembled once.

numba by itself optimises every function that a kernel calls, then all of it again in each function
that calls them, and assembles each of these; and it adds what Python would need to call them. Only
the outermost function of a kernel is kept, so here the functions are joined first, then optimised,
and `native` assembles the result.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from numba.core.codegen import JITCodeLibrary
from numba.core.compiler_lock import global_compiler_lock
from numba.core.registry import cpu_target

_Assembled: Any = JITCodeLibrary  # numba ships no types


class _Translated(_Assembled):  # type: ignore[misc]
    """LLVM's code of a function and of all that it calls."""

    def _optimize_final_module(self) -> None:
        """Leave this to `optimised`, when nothing more is added."""

    def _finalize_final_module(self) -> None:
        self._finalize_dynamic_globals()
        self._verify_declare_only_symbols()
        self._finalized = True

    def get_pointer_to_function(self, _: str) -> int:
        """Return 0: there is no machine code."""
        return 0

    def optimised(self) -> str:
        """Return the code as text, after LLVM's optimisations."""
        self._ensure_finalized()
        super()._optimize_final_module()
        return str(self._final_module)


@contextmanager
def translating() -> Iterator[None]:
    """Let numba translate what is compiled in this context, and no more.

    Functions compiled here cannot be called from Python. Functions that are compiled later may call
    them, as they take over the translation.
    """
    with global_compiler_lock:
        codegen = cpu_target.target_context.codegen()
        assembled = codegen._library_class
        codegen._library_class, codegen.set_env = _Translated, _ignored
        try:
            yield
        finally:
            codegen._library_class = assembled
            del codegen.set_env


def _ignored(_: str, __: Any) -> None:  # noqa: ANN401
    """Stand in for the pointer to a function's Python objects, of which a kernel has none."""


def optimised(function: Any) -> str:  # noqa: ANN401
    """Return LLVM's optimised code of what `numba.cfunc` returned, in this context or outside."""
    library = function._library
    found: str = (
        library.optimised() if isinstance(library, _Translated) else function.inspect_llvm()
    )
    return found
