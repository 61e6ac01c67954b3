"""The chain rule over a forward pass, as steps that are pure data."""
