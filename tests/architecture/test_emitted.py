"""The engine's kernels are what the derivation says, byte for byte."""

from __future__ import annotations

from types import ModuleType

import pytest

from chainrule.calculus.ops import argmin
from chainrule.emission import files, softmax
from chainrule.errors import ProofError
from chainrule.language.typeset import plain


@pytest.fixture(scope="module")
def tool() -> ModuleType:
    """The module that writes the kernels."""
    return files


def test_the_file_is_what_the_tool_writes(tool: ModuleType) -> None:
    assert tool.TARGET.read_text(encoding="utf-8") == tool.emitted()
    assert tool.SCALAR_TARGET.read_text(encoding="utf-8") == tool.emitted_scalar()
    assert tool.CLASSES_TARGET.read_text(encoding="utf-8") == tool.emitted_classes()


def test_the_files_say_that_they_are_generated(tool: ModuleType) -> None:
    for target in (tool.TARGET, tool.SCALAR_TARGET, tool.CLASSES_TARGET):
        assert "do not edit" in target.read_text(encoding="utf-8")[:200]


def test_the_loss_passes_through_the_form_that_is_taught(tool: ModuleType) -> None:
    kernels, _ = tool.binary()
    forms = [plain(step.after) for step in kernels.traces["loss"]]
    assert "softplus(z_i) - y_i z_i" in forms


def test_a_top_class_whose_score_is_not_the_shift_is_refused(
    tool: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(softmax, "argmax", argmin)
    with pytest.raises(ProofError, match="the top class apart could not be certified"):
        tool.softmax()


def test_every_stabilisation_has_a_name_and_a_reason(tool: ModuleType) -> None:
    for kernels, _ in (tool.binary(), tool.softmax()):
        for trace in kernels.traces.values():
            for step in trace:
                assert step.rule.name
                assert step.rule.because
                assert step.before is not step.after
