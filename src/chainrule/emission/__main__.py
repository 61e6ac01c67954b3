"""``make emit``: write all generated kernels from their derivations."""

from __future__ import annotations

from chainrule.emission import files
from chainrule.emission.shipped import MODULES, SHIPPED, shipped_module


def main() -> None:
    """Write the modules of all losses, then the kernels of logistic and softmax regression."""
    for name in SHIPPED:
        (MODULES / f"{name}.py").write_text(shipped_module(name), encoding="utf-8")
    print(f"wrote {len(SHIPPED)} losses")
    files.write()


if __name__ == "__main__":
    main()
