"""A model as an ONNX graph in double precision: one input per column, one output per result.

Numbers are standardised and multiplied as a matrix; a level looks up its row of weights. A missing
number is NaN, a missing string is empty. A row without a prediction gets NaN.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from chainrule.errors import DataError
from chainrule.tables.export.scoring import CategoryTerm, NumberTerm, ScoringPlan

OPSET: Final = 17
_ML_OPSET: Final = 3
_IR: Final = 8
_ML: Final = "ai.onnx.ml"


def write_onnx(plan: ScoringPlan) -> bytes:
    """Return the file of a model.

    Raises
    ------
    DataError
        When onnx is not installed, the link has no operator in double precision, or two names
        collide.
    """
    onnx = _onnx()
    taken = set(plan.columns) & set(plan.outputs)
    if taken:
        raise DataError(f"column {taken.pop()!r} has the name of a result: rename the column")
    graph = _Graph(onnx, plan)
    graph.build()
    model = onnx.helper.make_model(
        graph.finished(),
        producer_name="chainrule",
        doc_string=plan.certificate,
        ir_version=_IR,
        opset_imports=[
            onnx.helper.make_opsetid("", OPSET),
            onnx.helper.make_opsetid(_ML, _ML_OPSET),
        ],
    )
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())


def run_onnx(
    written: bytes, plan: ScoringPlan, rows: Sequence[Any]
) -> tuple[str, list[list[float] | None]]:
    """Run a graph, by onnxruntime or else by the reference implementation; return what ran it."""
    inputs: dict[str, Any] = {}
    for name in plan.columns:
        values = [row[name] for row in rows]
        if name in plan.number_columns:
            numbers = [math.nan if value is None else value for value in values]
            inputs[name] = np.array(numbers, dtype=np.float64)[:, None]
        else:
            words = ["" if value is None else value for value in values]
            inputs[name] = np.array(words, dtype=object)[:, None]
    by, results = _run(written, inputs)
    table = np.hstack(results)
    return by, [None if np.isnan(row).any() else [float(v) for v in row] for row in table]


def _run(written: bytes, inputs: dict[str, Any]) -> tuple[str, list[Any]]:
    try:
        import onnxruntime
    except ImportError:
        from onnx.reference import ReferenceEvaluator

        onnx = _onnx()
        evaluator = ReferenceEvaluator(onnx.load_from_string(written))
        with np.errstate(all="ignore"):  # it computes both branches of a stable sigmoid
            results = evaluator.run(None, inputs)
        return f"the reference implementation of ONNX {onnx.__version__}", list(results)
    session = onnxruntime.InferenceSession(written, providers=["CPUExecutionProvider"])
    return f"onnxruntime {onnxruntime.__version__}", session.run(None, inputs)


def _onnx() -> Any:  # noqa: ANN401
    try:
        import onnx
    except ImportError:
        raise DataError(
            "writing ONNX needs onnx. Install it with: pip install 'chainrule[onnx]'."
        ) from None
    return onnx


class _Graph:
    """Nodes, constants, inputs and outputs of a graph, while it is built."""

    def __init__(self, onnx: Any, plan: ScoringPlan) -> None:  # noqa: ANN401
        self._onnx, self._plan = onnx, plan
        self._nodes: list[Any] = []
        self._constants: list[Any] = []

    def node(self, kind: str, *inputs: str, domain: str = "", **attributes: Any) -> str:  # noqa: ANN401
        """Add a node; return the name of its result."""
        name = f"chainrule.{len(self._nodes)}.{kind}"
        self._nodes.append(
            self._onnx.helper.make_node(kind, list(inputs), [name], domain=domain, **attributes)
        )
        return name

    def constant(self, values: Any, dtype: Any = np.float64) -> str:  # noqa: ANN401
        """Add a constant; return its name."""
        name = f"chainrule.constant.{len(self._constants)}"
        array = np.asarray(values, dtype=dtype)
        self._constants.append(self._onnx.numpy_helper.from_array(array, name))
        return name

    def build(self) -> None:
        """Add the nodes of the whole plan."""
        plan = self._plan
        parts = [self._numbers([t for t in plan.terms if isinstance(t, NumberTerm)])]
        parts += [self._category(t) for t in plan.terms if isinstance(t, CategoryTerm)]
        if plan.offset is not None:
            parts.append(plan.offset)
        if plan.exposure is not None:
            parts.append(self.node("Log", plan.exposure))
        score = self.constant([plan.intercepts])
        for part in parts:
            if part is not None:
                score = self.node("Add", score, part)
        result = self._linked(score)
        for place, name in enumerate(plan.outputs):
            chosen = self.constant([place], np.int64)
            self._nodes.append(
                self._onnx.helper.make_node("Gather", [result, chosen], [name], axis=1)
            )

    def finished(self) -> Any:  # noqa: ANN401
        """Return the graph."""
        helper, kinds = self._onnx.helper, self._onnx.TensorProto
        numbers = self._plan.number_columns
        inputs = [
            helper.make_tensor_value_info(
                name, kinds.DOUBLE if name in numbers else kinds.STRING, ["rows", 1]
            )
            for name in self._plan.columns
        ]
        outputs = [
            helper.make_tensor_value_info(name, kinds.DOUBLE, ["rows", 1])
            for name in self._plan.outputs
        ]
        return helper.make_graph(self._nodes, "chainrule", inputs, outputs, self._constants)

    def _numbers(self, terms: list[NumberTerm]) -> str | None:
        """Add the standardised numbers times their weights, and what missing ones add."""
        if not terms:
            return None
        columns = [term.column for term in terms]
        whole = columns[0] if len(terms) == 1 else self.node("Concat", *columns, axis=1)
        shifted = self.node("Sub", whole, self.constant([[t.mean for t in terms]]))
        x = self.node("Div", shifted, self.constant([[t.scale for t in terms]]))
        weights = self.constant([t.weights for t in terms])
        filled = [t.if_missing for t in terms]
        if all(values is None for values in filled):
            return self.node("MatMul", x, weights)
        missing = self.node("IsNaN", whole)
        # Where a column may be missing, zero stands for it; elsewhere the NaN stays.
        may = self.constant([[values is not None for values in filled]], np.bool_)
        replaced = self.node("And", missing, may)
        x = self.node("Where", replaced, self.constant(0.0), x)
        flags = self.node("Cast", replaced, to=self._onnx.TensorProto.DOUBLE)
        nothing = (0.0,) * len(self._plan.intercepts)
        added = self.constant([nothing if values is None else values for values in filled])
        known = self.node("MatMul", x, weights)
        return self.node("Add", known, self.node("MatMul", flags, added))

    def _category(self, term: CategoryTerm) -> str:
        """Add the row of weights that a level looks up."""
        width = len(self._plan.intercepts)
        nan = (math.nan,) * width
        words = [word for word in term.levels if word]
        rows = [term.levels[word] for word in words]
        missing = term.levels.get("", term.if_missing)
        rows += [nan if missing is None else missing]
        rows += [nan if term.if_unknown is None else term.if_unknown]
        place = self.node(
            "LabelEncoder",
            term.column,
            domain=_ML,
            keys_strings=[*words, ""],
            values_int64s=list(range(len(words) + 1)),
            default_int64=len(words) + 1,
        )
        flat = self.node("Reshape", place, self.constant([-1], np.int64))
        return self.node("Gather", self.constant(rows), flat, axis=0)

    def _linked(self, score: str) -> str:
        link = self._plan.link
        kinds = {"logit": "Sigmoid", "log": "Exp", "identity": "Identity"}
        if link == "softmax":
            return self.node("Softmax", score, axis=1)
        if link not in kinds:
            raise DataError(
                f"ONNX has no operator in double precision for the link {link}: export to Python "
                "or C"
            )
        return self.node(kinds[link], score)
