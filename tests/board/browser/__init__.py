"""The board in a real browser, offline: every feature by pointer and by keyboard."""
