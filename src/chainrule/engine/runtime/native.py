"""Compiled functions without their compiler: machine code kept on disk, loaded in milliseconds.

numba compiles a kernel once per machine and type of arguments; what it wrote is linked here from
then on, and called through ctypes, which releases Python's lock. So a process that fits one table
imports neither numba nor, on Linux and x86-64, llvmlite. A kernel allocates no memory and raises
nothing: room for results, and for what lies between, comes as arguments.

A file is named by the digest of all that is compiled into it: the sources, the versions of compiler
and arrays, the processor.
"""

from __future__ import annotations

import ctypes
import hashlib
import json
import os
import platform
import re
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import cache, cached_property
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import numpy as np

from chainrule.engine.runtime.arguments import Kind, flattened, kinds_of, places
from chainrule.engine.runtime.linking import linked
from chainrule.engine.runtime.once import LOCK, once

_ENGINE: Final = Path(__file__).resolve().parent.parent
_COMPILED_IN: Final = (
    "passes/kernels/*.py",
    "losses/vectorised.py",
    "losses/pointwise.py",
    "losses/*roundings.py",
)
_EMITTED: Final = "losses/_emitted*.py"
_COMPILERS: Final = ("runtime/arguments.py", "runtime/native.py", "runtime/translating.py")
_PROCESSOR: Final = re.compile(r"^(?:vendor_id|cpu family|model|model name|flags)\s*:.*$", re.M)
_ONE_PROCESSOR: Final = 1 << 14
_INTERNAL: Final = ("numba_", "NRT_")


@cache
def can_compile() -> bool:
    """Tell whether kernels can be had here at all."""
    return all(find_spec(name) is not None for name in ("llvmlite", "numba"))


def kept_folder() -> Path:
    """Return where machine code is kept."""
    given = os.environ.get("NUMBA_CACHE_DIR")
    if given:
        return Path(given) / "chainrule"
    base: Any = os.environ.get("LOCALAPPDATA" if sys.platform == "win32" else "XDG_CACHE_HOME")
    return Path(base or Path.home() / ".cache") / "chainrule" / "kernels"


def keep(path: Path, content: bytes) -> None:
    """Write a file, if that is possible, so that no other process sees a part of it."""
    draft = path.with_name(f"{path.stem}.{os.getpid()}.tmp")
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        draft.write_bytes(content)
        draft.replace(path)


class NativeModule:
    """The kernels of a module, as functions that are compiled or loaded when they are called.

    Parameters
    ----------
    module : str
        In `chainrule.engine.passes.kernels`, or anywhere by its full name.
    """

    def __init__(self, module: str) -> None:
        self._module = module if "." in module else f"chainrule.engine.passes.kernels.{module}"

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401
        if name.startswith("__"):
            raise AttributeError(name)
        found = _Native(self._module, name)
        setattr(self, name, found)
        return found


class _Native:
    """One kernel: a function of arrays, numbers, and tuples of arrays."""

    def __init__(self, module: str, name: str) -> None:
        self._module, self._name = module, name
        self._entries: dict[tuple[int, ...], _Entry] = {}

    def __call__(self, *arguments: Any) -> Any:  # noqa: ANN401
        key, flat = flattened(arguments)
        entry = self._entries.get(key)
        if entry is None:
            with LOCK:
                entry = self._entries.get(key) or self._entry(arguments)
                self._entries[key] = entry
        return entry(flat)

    def _entry(self, arguments: Sequence[Any]) -> _Entry:
        return _entry(self._module, self._name, kinds_of(arguments))

    def is_at_hand(self, *arguments: Any) -> bool:  # noqa: ANN401
        """Tell whether the kernel for such arguments is loaded, or kept on disk."""
        if flattened(arguments)[0] in self._entries:
            return True
        return is_kept(_described(self._module, self._name, kinds_of(arguments)))


class _Entry:
    """A kernel for arguments of known types."""

    def __init__(self, address: int, kinds: Sequence[Kind], returns: str) -> None:
        taken = [place for kind in kinds for place in places(kind)]
        self._function = ctypes.CFUNCTYPE(None, *taken, ctypes.c_void_p)(address)
        self._returns = returns

    def __call__(self, flat: list[Any]) -> Any:  # noqa: ANN401
        if not self._returns:
            self._function(*flat, 0)
            return None
        out = (ctypes.c_double * len(self._returns))()
        self._function(*flat, ctypes.addressof(out))
        values = [_OF[code](value) for code, value in zip(self._returns, out, strict=True)]
        return values[0] if len(values) == 1 else tuple(values)


_OF: Final[dict[str, Callable[[float], Any]]] = {"f": float, "i": int, "b": bool}


def _entry(module: str, name: str, kinds: tuple[Kind, ...]) -> _Entry:
    code = loaded(_described(module, name, kinds), lambda: _compiled(module, name, kinds))
    return _Entry(code.address, kinds, code.returns)


def _described(module: str, name: str, kinds: tuple[Kind, ...]) -> str:
    return f"{module}.{name}{kinds}"


class Code:
    """Machine code in the process: where it begins, and what it returns, a letter a number."""

    def __init__(self, address: int, returns: str) -> None:
        self.address, self.returns = address, returns


def loaded(what: str, compile_it: Callable[[], tuple[Any, str]]) -> Code:
    """Return what is kept on disk under a description, or compile it and keep it.

    Parameters
    ----------
    what : str
        All that the code depends on, beside the engine's own sources.
    compile_it : callable
        Returns a function that `numba.cfunc` has compiled, and its letters for `Code.returns`.
    """
    path = _kept_path(what)
    with suppress(OSError, ValueError, KeyError):
        return _code_of(path.read_bytes())
    from chainrule.engine.runtime.translating import translating

    with translating():
        content = _machine().object_of(*compile_it())
    keep(path, content)
    return _code_of(content)


def is_kept(what: str) -> bool:
    """Tell whether the machine code under a description is on disk."""
    return _kept_path(what).is_file()


def _kept_path(what: str) -> Path:
    return kept_folder() / f"{hashlib.sha256((_digest() + what).encode()).hexdigest()[:32]}.o"


@cache
def _digest() -> str:
    """Return the digest of everything that any kernel is compiled from."""
    found = hashlib.sha256()
    for name in ("numba", "llvmlite"):
        found.update(f"{_release(name)}\0".encode())
    found.update(f"{sys.version_info[:2]} {_processor()}\0".encode())
    for pattern in (*_COMPILED_IN, _EMITTED, *_COMPILERS):
        for path in sorted(_ENGINE.glob(pattern)):
            found.update(path.name.encode() + b"\0" + path.read_bytes())
    return found.hexdigest()


def _release(name: str) -> str:
    """Return name and version of a package, by the folder beside it that records them.

    `importlib.metadata` reads the version in that folder, and takes longer than linking a kernel.
    """
    package = find_spec(name)
    if package is not None and package.origin is not None:
        beside = list(Path(package.origin).parent.parent.glob(f"{name}-*.dist-info"))
        if len(beside) == 1:
            return beside[0].stem
    from importlib.metadata import version

    return f"{name}-{version(name)}"


def _processor() -> str:
    """Return what machine code depends on: as Linux tells it, or else as llvmlite does."""
    with suppress(OSError):
        told = dict.fromkeys(_PROCESSOR.findall(_first_bytes("/proc/cpuinfo")))
        if any(line.startswith("flags") for line in told):
            return f"{platform.machine()} {sorted(told)}"
    return _machine().processor


def _first_bytes(path: str) -> str:
    """Return what a file says of the first of all processors."""
    with open(path, encoding="utf-8", errors="replace") as file:
        return file.read(_ONE_PROCESSOR).partition("\n\n")[0]


def _code_of(content: bytes) -> Code:
    """Link what `object_of` returned; ValueError or KeyError where it was damaged since."""
    line, _, code = content.partition(b"\n")
    head = json.loads(line)
    if not isinstance(head, dict) or head["digest"] != hashlib.sha256(code).hexdigest():
        raise ValueError("damaged machine code")
    with LOCK:
        # what numba calls where a function raises: no kernel does
        address = linked(code, head["name"], head["absent"], _abort())
        if address is None:
            address = _machine().address_of(code, head["name"], head["absent"])
        return Code(address, head["returns"])


@once
def _machine() -> _Machine:
    return _Machine()


class _Machine:
    """llvmlite's part: what writes machine code for this processor, and what links any code."""

    def __init__(self) -> None:
        import llvmlite.binding as llvm

        self._llvm: Any = llvm
        llvm.initialize_native_target()
        llvm.initialize_native_asmprinter()
        self._target = llvm.Target.from_triple(llvm.get_process_triple())

    @cached_property
    def processor(self) -> str:
        return " ".join((self._llvm.get_process_triple(), *self._kind))

    @cached_property
    def _kind(self) -> tuple[str, str]:
        """Name and features of the processor that code is compiled for, as numba chooses them."""
        name, features = map(os.environ.get, ("NUMBA_CPU_NAME", "NUMBA_CPU_FEATURES"))
        if name in (None, "host"):
            name = self._llvm.get_host_cpu_name()
        if features is None:
            own = name == self._llvm.get_host_cpu_name()
            features = self._llvm.get_host_cpu_features().flatten() if own else ""
        return name, features

    @cached_property
    def _engine(self) -> Any:  # noqa: ANN401
        target = self._target.create_target_machine(codemodel="jitdefault")
        return self._llvm.create_mcjit_compiler(self._llvm.parse_assembly(""), target)

    def object_of(self, function: Any, returns: str) -> bytes:  # noqa: ANN401
        """Return what is kept of a compiled function: one line about it, and its object code."""
        from chainrule.engine.runtime.translating import optimised

        text = optimised(function)
        if "@NRT_MemInfo_alloc" in text or "@NRT_Allocate" in text:
            raise RuntimeError(f"{function.__name__} allocates memory; a kernel must not")
        module = self._llvm.parse_assembly(text)
        absent = []
        for called in module.functions:
            if called.is_declaration and called.name.startswith(_INTERNAL):
                called.name = f"chainrule_{called.name}"  # numba itself needs the other name
                absent.append(called.name)
        target = self._target.create_target_machine(
            cpu=self._kind[0],
            features=self._kind[1],
            opt=3,
            codemodel="jitdefault",
        )
        code = bytes(target.emit_object(module))
        head = {
            "name": function.native_name,
            "returns": returns,
            "absent": absent,
            "digest": hashlib.sha256(code).hexdigest(),
        }
        return json.dumps(head).encode() + b"\n" + code

    def address_of(self, code: bytes, name: str, absent: Sequence[str]) -> int:
        """Link an object file and return the address of a function in it."""
        for called in absent:
            self._llvm.add_symbol(called, _abort())
        self._engine.add_object_file(self._llvm.ObjectFileRef.from_data(code))
        self._engine.finalize_object()
        return int(self._engine.get_function_address(name))


def _abort() -> int:
    return int(ctypes.cast(ctypes.CDLL(None).abort, ctypes.c_void_p).value or 0)


def _compiled(module: str, name: str, kinds: tuple[Kind, ...]) -> tuple[Any, str]:
    """Compile a kernel, behind a function of pointers and numbers."""
    _announce()
    import numba
    from numba import cfunc, types
    from numba.np.numpy_support import carray, farray

    numba_types: Any = types
    dispatcher: Any = getattr(import_module(module), name)
    of_dtype = {k[0]: numba.from_dtype(np.dtype(k[0])) for k in _arrays(kinds)}
    inner = tuple(_numba_type(kind, of_dtype, numba_types) for kind in kinds)
    dispatcher.compile(inner)
    returned = dispatcher.overloads[inner].signature.return_type
    parts = list(returned.types) if isinstance(returned, numba_types.BaseTuple) else [returned]
    parts = [] if returned == numba_types.none else parts
    letters = "".join(_letter(part, numba_types) for part in parts)
    names: list[str] = []
    places: list[Any] = []
    values = [_value(kind, names, places, of_dtype, numba_types) for kind in kinds]
    lines = [f"def {name}({', '.join([*names, 'out'])}):", f"    r = inner({', '.join(values)})"]
    results = ["r"] if len(letters) == 1 else [f"r[{k}]" for k in range(len(letters))]
    lines += [f"    out[{k}] = {result}" for k, result in enumerate(results if letters else [])]
    space = {"inner": dispatcher, "carray": carray, "farray": farray}
    space |= {f"type_{char}": kind for char, kind in of_dtype.items()}
    exec("\n".join(lines), space)
    signature = numba_types.void(*places, numba_types.CPointer(numba_types.float64))
    return cfunc(signature, error_model="numpy")(space[name]), letters


@cache
def _announce() -> None:
    """Say in a terminal, once, what takes so long."""
    if sys.stderr is not None and sys.stderr.isatty():
        print("chainrule compiles its passes for this processor, once ...", file=sys.stderr)


def _arrays(kinds: Sequence[Kind]) -> list[Kind]:
    found: list[Kind] = []
    for kind in kinds:
        if kind[0] == "tuple":
            found += _arrays(kind[1:])
        elif len(kind) == 3:
            found.append(kind)
    return found


def _numba_type(kind: Kind, of_dtype: dict[str, Any], types: Any) -> Any:  # noqa: ANN401
    if kind[0] == "tuple":
        return types.Tuple([_numba_type(part, of_dtype, types) for part in kind[1:]])
    if len(kind) == 3:
        return types.Array(of_dtype[kind[0]], kind[1], kind[2])
    return {"bool": types.boolean, "int": types.int64, "float": types.float64}[kind[0]]


def _letter(kind: Any, types: Any) -> str:  # noqa: ANN401
    if kind == types.boolean:
        return "b"
    return "i" if isinstance(kind, types.Integer) else "f"


def _value(
    kind: Kind,
    names: list[str],
    places: list[Any],
    of_dtype: dict[str, Any],
    types: Any,  # noqa: ANN401
) -> str:
    """Return an argument as an expression in the parameters that it takes, which are added."""
    if kind[0] == "tuple":
        parts = [_value(part, names, places, of_dtype, types) for part in kind[1:]]
        return f"({', '.join(parts)},)"
    name = f"a{len(names)}"
    names.append(name)
    if len(kind) < 3:
        places.append(types.float64 if kind[0] == "float" else types.intp)
        return f"({name} != 0)" if kind[0] == "bool" else name
    places.append(types.CPointer(of_dtype[kind[0]]))
    sizes = [f"{name}_{axis}" for axis in range(kind[1])]
    if kind[2] == "A":
        sizes.append(f"{name}_apart")
    names += sizes
    places += [types.intp] * len(sizes)
    if kind[2] == "A" and kind[1] == 1:
        return f"carray({name}, ({sizes[0]} * {sizes[1]},))[::{sizes[1]}]"
    if kind[2] == "A":
        return f"farray({name}, ({sizes[2]}, {sizes[1]}))[:{sizes[0]}]"
    view = "farray" if kind[2] == "F" else "carray"
    return f"{view}({name}, ({', '.join(sizes)},))"
