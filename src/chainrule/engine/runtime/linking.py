"""Object code put in its place in memory: what a linker does, for the little that kernels need.

The code of a kernel refers to its own parts and to a few functions of C by addresses of 64 bits,
so each address is written where the object file asks for it, and that is all. llvmlite, which
links any object file, takes a tenth of a second to import and 50 MB of memory; it is asked for
code of other machines, formats and kinds of references.

The layout of the file: System V Application Binary Interface, AMD64 Supplement.
"""

from __future__ import annotations

import ctypes
import mmap
import sys
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from struct import Struct
from typing import Any, Final

_HEADER: Final = Struct("<4sBB10xHH20xQ10xHHH")
_SECTION: Final = Struct("<IIQQQQIIQQ")
_SYMBOL: Final = Struct("<IBBHQQ")
_RELOCATION: Final = Struct("<QQq")

_ELF: Final = (b"\x7fELF", 2, 1, 1, 62)
"""An object file of 64 bits, little-endian, to be linked, for x86-64."""

_SYMBOLS, _RELOCATIONS, _NO_BITS, _UNWINDING = 2, 4, 8, 0x70000001
_IN_MEMORY: Final = 2
_ADDRESS: Final = 1
"""The one kind of reference: R_X86_64_64."""

_WORD: Final = 1 << 64

_ABSENT: Final = 0
_ABSOLUTE: Final = 0xFFF1

_placed: Final[list[mmap.mmap]] = []
"""Code stays where it is until the process ends."""


@dataclass(frozen=True)
class _Section:
    name: int
    kind: int
    flags: int
    address: int
    offset: int
    size: int
    link: int
    info: int
    alignment: int
    entry: int

    @property
    def is_placed(self) -> bool:
        """Whether it is a part of the process; what a debugger unwinds is not."""
        return bool(self.flags & _IN_MEMORY) and self.kind != _UNWINDING


def linked(code: bytes, name: str, absent: Collection[str], stand_in: int) -> int | None:
    """Return the address of a function of an object file, or None where this cannot be linked here.

    Parameters
    ----------
    code : bytes
        The object file.
    name : str
        The function.
    absent : collection of str
        Functions that exist nowhere and are never called.
    stand_in : int
        The address of what is called in their place.

    Raises
    ------
    ValueError
        When the file ends before its parts do.
    """
    if sys.platform != "linux" or len(code) < _HEADER.size:
        return None
    *kind, start, entry, count, _ = _HEADER.unpack_from(code)
    if tuple(kind) != _ELF or entry != _SECTION.size:
        return None
    if start + count * entry > len(code):
        raise ValueError("an object file that is cut short")
    sections = [_Section(*_SECTION.unpack_from(code, start + k * entry)) for k in range(count)]
    tables = [k for k, section in enumerate(sections) if section.kind == _SYMBOLS]
    if len(tables) != 1:
        return None
    places, size = _layout(sections)
    memory = mmap.mmap(-1, max(size, 1))
    base = ctypes.addressof(ctypes.c_char.from_buffer(memory))
    for k, place in places.items():
        section = sections[k]
        if section.kind != _NO_BITS:
            memory[place : place + section.size] = _bytes(code, section)
    table = sections[tables[0]]
    strings = _bytes(code, sections[table.link])
    libraries = _Libraries(frozenset(absent), stand_in)
    values: list[tuple[str, int | None]] = []
    for at in range(0, table.size, _SYMBOL.size):
        text, _, _, section_number, value, _ = _SYMBOL.unpack_from(code, table.offset + at)
        called = strings[text : strings.index(b"\0", text)].decode()
        if section_number in places:
            values.append((called, base + places[section_number] + value))
        elif section_number == _ABSENT and called:
            values.append((called, libraries.address(called)))
        else:
            values.append((called, value if section_number == _ABSOLUTE else None))
    for section in sections:
        if section.kind != _RELOCATIONS or section.info not in places:
            continue
        for at in range(0, section.size, _RELOCATION.size):
            where, what, addend = _RELOCATION.unpack_from(code, section.offset + at)
            target = values[what >> 32][1]
            if what & 0xFFFFFFFF != _ADDRESS or target is None:
                return None
            place = places[section.info] + where
            memory[place : place + 8] = ((target + addend) % _WORD).to_bytes(8, "little")
    found = next((value for called, value in values if called == name), None)
    if found is None or not _made_executable(base, len(memory)):
        return None
    _placed.append(memory)
    return found


def _layout(sections: list[_Section]) -> tuple[dict[int, int], int]:
    """Return where each section goes, and the size of all."""
    places, end = {}, 0
    for k, section in enumerate(sections):
        if section.is_placed:
            step = max(1, section.alignment)
            end = -(-end // step) * step
            places[k] = end
            end += section.size
    return places, end


def _bytes(code: bytes, section: _Section) -> bytes:
    found = code[section.offset : section.offset + section.size]
    if len(found) < section.size:
        raise ValueError("an object file that is cut short")
    return found


class _Libraries:
    """The functions of C and of Python that this process has."""

    def __init__(self, absent: frozenset[str], stand_in: int) -> None:
        self._absent, self._stand_in = absent, stand_in

    def address(self, name: str) -> int | None:
        """Return the address of a function or variable; None for one that is not there."""
        if name in self._absent:
            return self._stand_in
        for library in _opened():
            try:
                return ctypes.addressof(ctypes.c_char.in_dll(library, name))
            except ValueError:
                continue
        return None


@cache
def _opened() -> list[Any]:
    """Return this process, where most functions are, and the functions of mathematics."""
    found: list[Any] = [ctypes.CDLL(None)]
    with suppress(OSError):  # not every C library keeps them apart
        found.append(ctypes.CDLL("libm.so.6"))
    return found


def _made_executable(address: int, n_bytes: int) -> bool:
    """Make memory readable and executable, and no longer writable; False if that is forbidden."""
    protect: Any = ctypes.CDLL(None, use_errno=True).mprotect
    protect.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
    return bool(protect(address, n_bytes, mmap.PROT_READ | mmap.PROT_EXEC) == 0)
