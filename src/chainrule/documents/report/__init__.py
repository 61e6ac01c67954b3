"""The report of a fit, and the card of a model: blocks, section by section."""
