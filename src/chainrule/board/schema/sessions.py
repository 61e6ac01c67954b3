"""The gallery, training and downloads, as JSON has them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class GalleryItem:
    """A forward pass to start from."""

    id: str
    title: str
    text: str
    level: str


@dataclass(frozen=True)
class GalleryGroup:
    """A heading and its forward passes."""

    title: str
    items: tuple[GalleryItem, ...]


@dataclass(frozen=True)
class DataInfo:
    """The data set that ships: its features and the names of its two classes."""

    name: str
    features: tuple[str, ...]
    labels: tuple[str, ...]


@dataclass(frozen=True)
class Gallery:
    """Forward passes to start from, and the data set that ships."""

    groups: tuple[GalleryGroup, ...]
    data: DataInfo


@dataclass(frozen=True)
class TrainArgs:
    """Two features and 0/1 labels, or two columns of the data set that ships.

    `C` is the inverse regularisation strength, as in scikit-learn; `batch` 0 means all examples.
    """

    columns: tuple[int, ...] = ()
    features: tuple[tuple[float, ...], ...] = ()
    labels: tuple[int, ...] = ()
    rate: float = 0.5
    steps: int = 200
    batch: int = 0
    seed: int = 0
    C: float = 1.0
    newton_steps: int = 12


@dataclass(frozen=True)
class Points:
    """Standardised features and labels."""

    x: tuple[float, ...]
    y: tuple[float, ...]
    label: tuple[int, ...]


@dataclass(frozen=True)
class Scale:
    """The mean and the standard deviation of each feature."""

    mean: tuple[float, ...]
    sd: tuple[float, ...]


@dataclass(frozen=True)
class TrainingPath:
    """The iterates of a method; `gap` is an upper bound of the distance of `cost` to the optimum.

    `gradient` holds the Euclidean norm of the gradient.
    """

    w: tuple[tuple[float, ...], ...]
    b: tuple[float, ...]
    cost: tuple[float | None, ...]
    gap: tuple[float | None, ...]
    gradient: tuple[float | None, ...]
    right: int
    diverged: bool


@dataclass(frozen=True)
class Optimum:
    """The best point found, with a bound on its distance to the optimum and the reason for it."""

    w: tuple[float, ...]
    b: float
    cost: float
    bound: float | None
    sentence: str
    method: str


@dataclass(frozen=True)
class Training:
    """Gradient descent and Newton's method on one problem."""

    m: int
    text: str
    features: tuple[str, ...]
    classes: tuple[str, ...]
    scale: Scale
    points: Points
    gradient: TrainingPath
    newton: TrainingPath
    optimum: Optimum


@dataclass(frozen=True)
class CertifyArgs:
    """The same problem for the engine."""

    columns: tuple[int, ...] = ()
    features: tuple[tuple[float, ...], ...] = ()
    labels: tuple[int, ...] = ()
    C: float = 1.0


@dataclass(frozen=True)
class CertificateInfo:
    """The fit of the engine with its certificate."""

    certificate: str
    lines: tuple[str, ...]
    w: tuple[float, ...]
    b: float
    cost: float
    bound: float | None


@dataclass(frozen=True)
class ExportArgs:
    """A derivation to download."""

    text: str
    to: Literal["html", "latex", "json", "text", "javascript", "numpy"]
    wrt: tuple[str, ...] = ()
    order: int = 1


@dataclass(frozen=True)
class Download:
    """A file for the browser to save."""

    name: str
    type: str
    content: str


@dataclass(frozen=True)
class Opened:
    """The forward pass that the board was started with; empty where there is none."""

    name: str
    text: str
