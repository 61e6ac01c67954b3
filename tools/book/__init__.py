"""The documentation site: ``python -m tools.book`` builds it into ``site/``.

Pages that people write stand in ``docs/``. Pages about what the program has (commands, names,
operations, rules, losses, errors, files) are generated from it at build time and never committed.
"""
