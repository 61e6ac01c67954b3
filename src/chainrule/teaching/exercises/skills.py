"""The skills of a first course, and which mistakes and derivative rules belong to each.

A derivative rule is what a line uses; a skill is what a student can or cannot do. A named mistake
counts against the one skill that it belongs to, and against no rule.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache

from chainrule.calculus.graph.dims import SCALAR
from chainrule.calculus.graph.model import Model
from chainrule.calculus.graph.node import Apply, Expr, walk
from chainrule.calculus.graph.op import Op
from chainrule.calculus.ops import TABLE


@dataclass(frozen=True)
class Skill:
    """One skill.

    Parameters
    ----------
    name : str
        The name that a student sees.
    fault : str
        What a student did when it went wrong, as in "you ...".
    mistakes : tuple of str
        The beginnings of the names of its mistakes in the catalogue.
    rules : tuple of str
        The derivative rules whose use exercises it.
    """

    name: str
    fault: str
    mistakes: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()


TRANSPOSES = Skill(
    "transposes and shapes",
    "misplaced a transpose or got a shape wrong",
    (
        "transpose",
        "a transpose",
        "an inverse where a transpose belongs",
        "indices swapped",
        "a wrong index",
        "not reshaped back",
        "laid out column by column",
        "operands swapped, answer transposed",
        "letters of the result",
        "shape ",
    ),
    ("transpose rule", "product rule for matrices", "reshape rule", "einsum rule"),
)
SUMS = Skill(
    "sum over examples",
    "lost or added a sum or a mean",
    (
        "sum ",
        "a sum ",
        "mean and sum confused",
        "1/m missing",
        "a constant factor: 1/m",
        "a constant factor: m",
        "every entry counted",
        "the rows summed",
        "not added up where they came from",
        "windows not added up",
        "not read by windows",
        "repeated in every row",
    ),
    ("sum rule", "mean rule", "window rule", "scatter rule"),
)
BROADCASTING = Skill(
    "broadcasting",
    "did not add over a repeated value",
    ("un-broadcast", "broadcast "),
    ("un-broadcast",),
)
MASKS = Skill(
    "mask of ReLU",
    "lost the mask of a ReLU or a maximum",
    (
        "mask",
        "the mask",
        "value in place of the mask",
        "one bound forgotten",
        "taken for ReLU",
        "tie ",
    ),
    ("ReLU rule", "maximum rule", "minimum rule", "mask", "clip rule", "leaky ReLU rule"),
)
SLOPES = Skill(
    "slope of an activation",
    "lost or changed the slope of an activation",
    (
        "activation derivative",
        "half of the activation",
        "the other half of the activation",
        "slope",
        "taken for",
        "value in place of the slope",
        "value in place of the argument",
        "the factor z dropped",
        "the α dropped",
        "the inner slope dropped",
        "the function for its slope",
    ),
    (
        "sigmoid rule",
        "tanh rule",
        "softplus rule",
        "SiLU rule",
        "GELU rule",
        "ELU rule",
        "normal distribution rule",
    ),
)
PATHS = Skill(
    "reused value: paths add",
    "did not add the paths of a value that is used twice",
    (
        "a path",
        "sign of one path",
        "an additive term",
        "a term of the product rule",
        "the other term of the product rule",
        "a term got lost",
        "the shared part dropped",
        "path ",
    ),
)
ORDER = Skill(
    "chain order",
    "put the factors of the chain rule in a wrong order, or stopped early",
    (
        "operands swapped",
        "matrix product where elementwise",
        "elementwise where a matrix product",
        "gradient for another variable",
        "a factor dropped",
        "a factor counted twice",
        "a factor too many",
        "upstream ",
        "blocks exchanged",
        "the whole gradient for every block",
        "put back in the wrong place",
        "not moved back",
        "sorted once more",
        "zeros forgotten",
    ),
    ("chain rule",),
)
SIGNS = Skill(
    "signs",
    "lost a sign",
    ("sign", "a minus sign"),
    ("sign rule", "absolute-value rule"),
)
FACTORS = Skill(
    "constants and powers",
    "lost a constant or an exponent",
    (
        "a constant factor",
        "the factor 2",
        "the 2 dropped",
        "1/2 doubled",
        "the exponent",
        "a wrong exponent",
        "wrong exponent",
        "a term with a wrong factor",
        "square missing",
        "square root taken",
        "regulariser",
        "the half dropped",
        "the root of",
        "the order kept",
    ),
    ("power rule", "squared-norm rule", "root rule"),
)
QUOTIENTS = Skill(
    "quotients, logarithms, exponentials",
    "lost a reciprocal or a denominator",
    (
        "reciprocal missing",
        "argument squared",
        "a denominator",
        "treated as a power",
        "treated as a number",
        "the logarithm dropped",
        "the base on the wrong side",
        "determinant",
        "left as it is",
        "the sum forgotten below",
        "the distribution function dropped",
        "the argument dropped",
        "a term of the quotient rule",
        "the entry itself not left out",
    ),
    (
        "quotient rule",
        "log rule",
        "exp rule",
        "log-sum-exp rule",
        "inverse rule",
        "determinant rule",
        "log-determinant rule",
    ),
)
SOFTMAX = Skill(
    "softmax and cross-entropy",
    "left out the entries that a softmax couples",
    ("diagonal only", "softmax "),
    ("softmax rule",),
)
LETTERS = Skill(
    "which value stands where",
    "took one value for another",
    ("wrong letter", "wrong variable", "wrong value", "the other factor dropped"),
    ("product rule",),
)
FORWARD = Skill("forward values", "computed a forward value wrongly", ("forward ",))
CODE = Skill(
    "backward code and its cache",
    "made or overlooked a mistake in backward code or its cache",
    ("code ",),
)
MEANING = Skill("what backpropagation computes", "mistook what backpropagation computes")
COUNTING = Skill("counting parameters and cost", "miscounted", ("count ",))
CHECKING = Skill("gradient checking", "checked a gradient wrongly", ("check ",))
DESCENT = Skill("steps of gradient descent", "took a wrong step", ("step ",))
INITIALISATION = Skill("initialization and symmetry", "overlooked a symmetry", ("symmetry ",))
FLOW = Skill("vanishing and exploding gradients", "misjudged how gradients grow", ("flow ",))
SATURATION = Skill("saturation", "misjudged a saturated unit", ("saturation ",))
STABILITY = Skill("numerical stability", "overlooked an overflow", ("stability ",))
REGULARIZATION = Skill("regularization and normalization", "mistook a regularizer")

SKILLS: tuple[Skill, ...] = (
    MEANING,
    FORWARD,
    SIGNS,
    FACTORS,
    QUOTIENTS,
    LETTERS,
    SLOPES,
    MASKS,
    PATHS,
    ORDER,
    TRANSPOSES,
    SUMS,
    BROADCASTING,
    SOFTMAX,
    CODE,
    COUNTING,
    CHECKING,
    DESCENT,
    INITIALISATION,
    FLOW,
    SATURATION,
    STABILITY,
    REGULARIZATION,
)
"""The skills, in the order of the course."""

OF_KIND = {
    "shape": (TRANSPOSES.name,),
    "cache": (CODE.name,),
    "code-to-maths": (CODE.name,),
    "maths-to-code": (CODE.name,),
}
"""The skill that a kind of question adds to those of its exercise."""

IN_CODE = dict.fromkeys(
    ("code-to-maths", "maths-to-code"), (TRANSPOSES.name, SUMS.name, BROADCASTING.name)
)
"""The skills of an exercise that a kind of question asks for, where it does not ask for all.

Who writes a given gradient as code, or reads one from code, derives nothing: what differs between
the two are transposes, the axes of sums, and broadcasting.
"""


def skill_named(name: str) -> Skill | None:
    """Return the skill of a name; None where there is none."""
    return next((skill for skill in SKILLS if skill.name == name), None)


@cache
def skill_of_mistake(name: str) -> str:
    """Return the skill of a mistake by its name; empty where none is known.

    Examples
    --------
    >>> skill_of_mistake("transpose missing inside a product")
    'transposes and shapes'
    >>> skill_of_mistake("a constant factor: 1/m"), skill_of_mistake("a constant factor: 2")
    ('sum over examples', 'constants and powers')
    """
    if skill_named(name) is not None:
        return name
    first = name.partition("; ")[0]  # names of one mistake are joined by semicolons
    begins = [
        (len(b), skill.name) for skill in SKILLS for b in skill.mistakes if first.startswith(b)
    ]
    return max(begins)[1] if begins else ""


def blamed(explanations: Sequence[Sequence[str]]) -> tuple[str, ...]:
    """Return the skills that every explanation of a wrong answer has in common.

    Parameters
    ----------
    explanations : sequence of sequence of str
        The names of mistakes; each explanation by itself gives the answer.

    Examples
    --------
    >>> blamed([("sign",), ("sign of one term", "transpose missing")])
    ('signs',)
    >>> blamed([("sign",), ("transpose missing",)])
    ()
    """
    found = [{skill_of_mistake(name) for name in each} - {""} for each in explanations]
    common = set.intersection(*found) if found else set()
    return tuple(skill.name for skill in SKILLS if skill.name in common)


@cache
def skill_of_rule(rule: str) -> str:
    """Return the skill that the use of a derivative rule exercises; empty where none does."""
    return next((s.name for s in SKILLS if rule in s.rules), "")


def skill_of_operation(op: Op) -> str:
    """Return the skill that the derivative of an operation exercises; empty where none does.

    ``a + b`` and a sum over an axis have one derivative rule; only the second adds over examples.
    """
    return "" if op is TABLE["add"] else skill_of_rule(op.rule)


def adds_over_entries(model: Model) -> bool:
    """Whether a forward pass has a sum or a mean over entries, and not only ``a + b``."""
    nodes = (node for definition in model.definitions for node in walk(definition.value))
    return any(isinstance(n, Apply) and skill_of_operation(n.op) == SUMS.name for n in nodes)


def skills_of_rules(rules: Iterable[str]) -> tuple[str, ...]:
    """Return the skills that some derivative rules exercise, in the order of the course."""
    found = {skill_of_rule(rule) for rule in rules}
    return tuple(skill.name for skill in SKILLS if skill.name in found)


def skills_of_model(model: Model) -> tuple[str, ...]:
    """Return the skills that the gradients of a forward pass take, without deriving them."""
    moved: set[Expr] = set(model.parameters())
    uses: dict[Expr, int] = {}
    found: set[str] = set()
    for definition in model.definitions:
        for node in walk(definition.value):
            if not isinstance(node, Apply):
                continue
            for arg in set(node.args) & moved:
                uses[arg] = uses.get(arg, 0) + 1
            if moved.intersection(node.args):
                moved.add(node)
                if skill := skill_of_operation(node.op):
                    found.add(skill)
        if definition.value in moved:
            moved.add(definition.target)
    if any(count > 1 for count in uses.values()):
        found.add(PATHS.name)
    if all(symbol.shape == SCALAR for symbol in model.symbols):
        found.discard(TRANSPOSES.name)
    return tuple(skill.name for skill in SKILLS if skill.name in found)
