"""The bridge between the lecture's columns and the engine's rows: roles, sizes, data."""

from chainrule.lecture.binding import Array, Binding, Draw, Rows, bind
from chainrule.lecture.roles import (
    ONE_ROW,
    WHOLE_TABLE,
    InputRoles,
    assign_roles,
    examples_of,
    find_input,
)

__all__ = [
    "ONE_ROW",
    "WHOLE_TABLE",
    "Array",
    "Binding",
    "Draw",
    "InputRoles",
    "Rows",
    "assign_roles",
    "bind",
    "examples_of",
    "find_input",
]
