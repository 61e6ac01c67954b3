"""From a derivation to the generated kernels, with the facts of each loss proven."""

from chainrule.emission.deriving import derive_loss
from chainrule.emission.shipped import SHIPPED, shipped_loss

__all__ = ["SHIPPED", "derive_loss", "shipped_loss"]
