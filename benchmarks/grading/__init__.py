"""How far the grader can be trusted: right answers in other forms, wrong answers, and noise."""
