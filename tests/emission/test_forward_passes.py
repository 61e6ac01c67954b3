"""The forward passes of the shipped losses, as a reader meets them."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from chainrule.cli.main import cli
from chainrule.deriving import derive
from chainrule.emission.shipped import SHIPPED
from chainrule.errors import ModelError
from chainrule.language.reading import load_model


@pytest.mark.parametrize("name", SHIPPED)
def test_the_lecture_of_a_loss_is_derived(name: str) -> None:
    result = CliRunner().invoke(cli, ["derive", f"losses/{name}"])
    assert result.exit_code == 0, result.output


@pytest.mark.parametrize("name", SHIPPED)
def test_its_gradients_are_those_of_the_weights(name: str) -> None:
    derivation = derive(load_model(f"losses/{name}"))
    assert set(derivation.gradients) == {"w", "b"}
    assert derivation.proven


@pytest.mark.parametrize("name", ["losses/no_such_loss", "losses/../board_b1", "losses/"])
def test_other_names_are_refused(name: str) -> None:
    with pytest.raises(ModelError, match="there is no file"):
        load_model(name)
