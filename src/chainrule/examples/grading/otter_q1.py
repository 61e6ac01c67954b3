"""A question for Otter-Grader: put this file into the folder ``tests`` of the assignment.

The student's notebook sets ``answer_w`` to a text, in any notation.
"""

OK_FORMAT = True

test = {
    "name": "q1",
    "points": 2,
    "suites": [
        {
            "cases": [
                {
                    "code": (
                        ">>> import chainrule\n"
                        ">>> found = chainrule.grade('logistic-batch', answer_w, wrt='w')\n"
                        ">>> found.correct or print(found.said)\n"
                        "True"
                    ),
                    "hidden": False,
                    "locked": False,
                }
            ],
            "scored": True,
            "setup": "",
            "teardown": "",
            "type": "doctest",
        }
    ],
}
