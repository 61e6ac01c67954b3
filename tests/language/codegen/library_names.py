"""The names that emitted modules use of Torch and of JAX, as their documentation lists them.

A name that is not recorded here fails `test_targets` also where the library is not installed; where
it is, the same test looks every recorded name up.
"""

from __future__ import annotations

from collections.abc import Mapping

RECORDED: Mapping[str, frozenset[str]] = {
    "numpy": frozenset(),  # always installed: the code is run instead
    "torch": frozenset(
        {
            "torch.abs",
            "torch.amax",
            "torch.amin",
            "torch.arange",
            "torch.broadcast_to",
            "torch.clamp",
            "torch.concatenate",
            "torch.cos",
            "torch.cosh",
            "torch.diag",
            "torch.diagonal",
            "torch.e",
            "torch.exp",
            "torch.expm1",
            "torch.eye",
            "torch.float64",
            "torch.full",
            "torch.linalg.det",
            "torch.linalg.inv",
            "torch.linalg.slogdet",
            "torch.log",
            "torch.log1p",
            "torch.mean",
            "torch.pi",
            "torch.ravel",
            "torch.reshape",
            "torch.sign",
            "torch.sin",
            "torch.sinh",
            "torch.special.log_ndtr",
            "torch.special.ndtr",
            "torch.sqrt",
            "torch.square",
            "torch.stack",
            "torch.sum",
            "torch.tanh",
            "torch.where",
            "torch.zeros",
        }
    ),
    "jax": frozenset(
        {
            "jax.scipy.special.log_ndtr",
            "jax.scipy.special.ndtr",
            "jnp.abs",
            "jnp.amax",
            "jnp.amin",
            "jnp.arange",
            "jnp.broadcast_to",
            "jnp.concatenate",
            "jnp.cos",
            "jnp.cosh",
            "jnp.diag",
            "jnp.diagonal",
            "jnp.e",
            "jnp.exp",
            "jnp.expm1",
            "jnp.eye",
            "jnp.full",
            "jnp.linalg.det",
            "jnp.linalg.inv",
            "jnp.linalg.slogdet",
            "jnp.log",
            "jnp.log1p",
            "jnp.max",
            "jnp.maximum",
            "jnp.mean",
            "jnp.minimum",
            "jnp.pi",
            "jnp.ravel",
            "jnp.reshape",
            "jnp.sign",
            "jnp.sin",
            "jnp.sinh",
            "jnp.sqrt",
            "jnp.square",
            "jnp.stack",
            "jnp.sum",
            "jnp.tanh",
            "jnp.where",
            "jnp.zeros",
        }
    ),
}
METHODS = frozenset({"T", "add", "at", "dtype", "index_add_", "reshape", "shape"})
"""Attributes of arrays that the emitted code uses, on every target."""
