"""Marking: what somebody wrote is read, judged, and the mistake in it is named."""
