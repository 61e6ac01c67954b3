"""Object code put in its place in memory: the same functions as llvmlite's linker gives."""

from __future__ import annotations

import ctypes
import json
import math
import platform
import sys
from typing import Any

import numpy as np
import pytest

pytest.importorskip("numba")
if (sys.platform, platform.machine()) != ("linux", "x86_64"):
    pytest.skip("other machines link by llvmlite", allow_module_level=True)

from numba import cfunc, types

from chainrule.engine.runtime import linking, native

_POINTS = [0.0, -0.75, 1e-300, 0.5, 3.0, 709.0, 1e60]


def _functions() -> list[Any]:
    """Functions that call C's library, read constants, and choose by a table of jumps."""

    def library(x: float) -> float:
        return math.log1p(x) + math.hypot(x, 0.1) - math.expm1(-abs(x)) * math.tanh(x)

    def constants(x: float) -> float:
        total = 0.0
        for k, c in enumerate((0.1, 0.7, -1.3, 2.9, 1e-17)):
            total += c * x**k
        return total

    def chosen(x: float) -> float:
        k = int(min(max(x, 0.0), 7.0))
        if k == 0:
            return 1.5
        if k == 1:
            return x * 3
        if k == 2:
            return x - 7
        if k == 3:
            return x / 11
        if k == 4:
            return 13.25
        return x + k

    return [library, constants, chosen]


@pytest.mark.parametrize("function", _functions(), ids=lambda f: f.__name__)
def test_functions_are_those_that_llvmlite_links(function: Any) -> None:
    compiled = cfunc(types.float64(types.float64))(function)
    content = native._machine().object_of(compiled, "")
    head, _, code = content.partition(b"\n")
    told = json.loads(head)
    kind = ctypes.CFUNCTYPE(ctypes.c_double, ctypes.c_double)
    address = linking.linked(code, told["name"], told["absent"], native._abort())
    assert address is not None
    ours = kind(address)
    theirs = kind(native._machine().address_of(code, told["name"], told["absent"]))
    for x in _POINTS:
        assert ours(x).hex() == theirs(x).hex()
        assert np.isclose(ours(x), function(x), rtol=1e-13, atol=0)


@pytest.fixture(scope="module")
def an_object() -> tuple[bytes, str]:
    def twice(x: float) -> float:
        return 2 * x

    content = native._machine().object_of(cfunc(types.float64(types.float64))(twice), "")
    head, _, code = content.partition(b"\n")
    return code, json.loads(head)["name"]


def test_what_cannot_be_linked_here_is_left_to_llvmlite(an_object: tuple[bytes, str]) -> None:
    code, name = an_object
    assert linking.linked(code, "another name", native._INTERNAL, 0) is None
    for at, other in ((4, 1), (5, 2), (16, 2), (18, 183)):  # 32 bits, big-endian, linked, ARM
        assert linking.linked(code[:at] + bytes([other]) + code[at + 1 :], name, (), 0) is None
    assert linking.linked(b"", name, (), 0) is None
    assert linking.linked(b"\xcf\xfa\xed\xfe" + code[4:], name, (), 0) is None


@pytest.mark.parametrize("share", [0.2, 0.5, 0.9, 0.999])
def test_an_object_file_that_is_cut_short_is_refused(
    an_object: tuple[bytes, str], share: float
) -> None:
    code, name = an_object
    with pytest.raises(ValueError, match="cut short"):
        linking.linked(code[: int(share * len(code))], name, (), 0)


def test_another_model_of_code_is_left_to_llvmlite(an_object: tuple[bytes, str]) -> None:
    machine = native._machine()
    target = machine._target.create_target_machine(codemodel="small")

    def root(x: float) -> float:
        return math.log1p(x)

    compiled = cfunc(types.float64(types.float64))(root)
    code = bytes(target.emit_object(machine._llvm.parse_assembly(compiled.inspect_llvm())))
    assert linking.linked(code, compiled.native_name, native._INTERNAL, 1) is None
