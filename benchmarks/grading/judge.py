"""What became of a wrong answer: whether the mistakes made are named, alone or in a tie."""

from __future__ import annotations

from benchmarks.grading.mutants import Mutant, named
from chainrule.teaching.marking.verdicts import Grade

TIED = 3

ACCEPTED = "accepted as right"
ALONE = "named alone"
IN_TIE = "named in a tie of two or three"
IN_LARGER_TIE = "named in a larger tie, of which three are shown"
SIMPLER = "fewer mistakes give this very answer, and are named"
OTHER_TIE = "a tie is named, and those made are not among the three shown"
ASSERTED = "other mistakes are named alone"
UNEXPLAINED = "not explained"

OUTCOMES = (ACCEPTED, ALONE, IN_TIE, IN_LARGER_TIE, SIMPLER, OTHER_TIE, ASSERTED, UNEXPLAINED)
NAMED = (ALONE, IN_TIE)


def outcome(mutant: Mutant, grade: Grade) -> str:
    """Say what became of a wrong answer.

    The mistakes count as named only when one explanation holds all of them. An answer that is
    explained by as many other mistakes, and by nothing else, counts as asserted: there is a truth
    that the grader did not see.
    """
    if grade.correct:
        return ACCEPTED
    found = grade.diagnosis
    if not found.explanations:
        return UNEXPLAINED
    if any(named(mutant.labels, [m.name for m in each]) for each in found.explanations):
        if found.tied == 1:
            return ALONE
        return IN_TIE if found.tied <= TIED else IN_LARGER_TIE
    if min(map(len, found.explanations)) < len(mutant.labels):
        return SIMPLER
    return ASSERTED if found.tied == 1 else OTHER_TIE
