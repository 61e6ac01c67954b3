"""Lines judged by values: posted mathematics, parsed as it stands, at random points."""
