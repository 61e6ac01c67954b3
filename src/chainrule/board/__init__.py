"""The board: calls with JSON in and out, a loopback server, and an export as static files."""
