"""Time the first answer to every question, in a process that has derived none of them before.

It reads ``[exercise, variable, answer]`` from its input and prints the seconds.
"""

from __future__ import annotations

import json
import sys
import time

from chainrule.teaching.exercises.grading import grade
from chainrule.teaching.exercises.loading import exercises


def main() -> None:
    """Grade every answer once, each of them the first for its question."""
    exercises()  # reading the files of the bank is no part of an answer
    seconds = []
    for exercise, wrt, answer in json.load(sys.stdin):
        begun = time.perf_counter()
        grade(exercise, answer, wrt)
        seconds.append(time.perf_counter() - begun)
    json.dump(seconds, sys.stdout)


if __name__ == "__main__":
    main()
