"""What is known of the series that an expression selects: which labels, with which values.

A Shape is a set of labels; a Label says which values it has, where that is known, and whether there are
series without it. Labels that an aggregation dropped are remembered with what dropped them, so that whoever
asks for one is told. A shape of which nothing is known (of a metric that does not exist: that is said once)
is `unknown` and has every label.
"""

from __future__ import annotations

import difflib
import functools
from dataclasses import dataclass, field, replace
from typing import Iterable, Mapping

NAME = "__name__"


@dataclass(frozen=True)
class Label:
    """The values of a label: None where they are not known; and whether series may be without it."""

    values: frozenset[str] | None = None
    optional: bool = False


@dataclass(frozen=True)
class Shape:
    """The labels of a vector; a scalar has none."""

    labels: Mapping[str, Label] = field(default_factory=dict)
    gone: Mapping[str, str] = field(default_factory=dict)
    unknown: bool = False
    scalar: bool = False

    def has(self, label: str) -> bool:
        """Whether a series of this shape may have the label."""
        return self.unknown or label in self.labels

    def get(self, label: str) -> Label:
        """The label; one of which nothing is known where the shape is unknown."""
        return self.labels.get(label, Label(optional=True))

    def without(self, labels: Iterable[str], why: str = "") -> Shape:
        """This shape less some labels, and what took them."""
        labels = set(labels)
        kept = {name: label for name, label in self.labels.items() if name not in labels}
        gone = {name: why for name in self.labels if name in labels and name != NAME and why}
        return replace(self, labels=kept, gone={**self.gone, **gone})

    def only(self, labels: Iterable[str], why: str) -> Shape:
        """These labels of this shape."""
        labels = set(labels)
        shape = self.without((name for name in self.labels if name not in labels), why)
        if self.unknown:
            shape = replace(shape, labels={name: self.get(name) for name in labels}, unknown=False)
        return shape

    def with_labels(self, labels: Mapping[str, Label]) -> Shape:
        """This shape with these labels in place of its own of the same names."""
        gone = {name: why for name, why in self.gone.items() if name not in labels}
        return replace(self, labels={**self.labels, **labels}, gone=gone)

    def nameless(self) -> Shape:
        """The same without the metric's name, which most functions and operators drop."""
        return self.without([NAME])

    def missing(self, label: str) -> str:
        """Why a label is not there, in words; "" where it is."""
        if self.has(label):
            return ""
        if label in self.gone:
            return f"`{label}` was dropped by `{self.gone[label]}`"
        has = ", ".join(sorted(name for name in self.labels if name != NAME)) or "none"
        return f"there is no label `{label}`{nearest(label, self.labels)} (there are: {has})"


SCALAR = Shape(scalar=True)
UNKNOWN = Shape(unknown=True)


def nearest(word: str, words: Iterable[str]) -> str:
    """`; nearest: …` for a word that is not among `words`, or nothing where none comes near."""
    found = _nearest(word, frozenset(words))
    return f"; nearest: `{found}`" if found else ""


@functools.lru_cache(maxsize=4096)  # a metric that is gone is asked for a hundred times
def _nearest(word: str, words: frozenset[str]) -> str:
    return next(iter(difflib.get_close_matches(word, sorted(words), n=1, cutoff=0.6)), "")


def union(shapes: Iterable[Shape]) -> Shape:
    """What a series may have that is of one of these shapes."""
    shapes = list(shapes)
    if len(shapes) == 1:
        return shapes[0]
    labels: dict[str, Label] = {}
    for name in dict.fromkeys(name for shape in shapes for name in shape.labels):
        of = [shape.labels[name] for shape in shapes if name in shape.labels]
        known = all(label.values is not None for label in of)
        labels[name] = Label(
            frozenset().union(*(label.values or () for label in of)) if known else None,
            len(of) < len(shapes) or any(label.optional for label in of),
        )
    gone = {name: why for shape in shapes for name, why in shape.gone.items() if name not in labels}
    return Shape(labels, gone, unknown=any(shape.unknown for shape in shapes))


def meets(one: Label, other: Label) -> bool:
    """Whether two series can have the same value of a label, or can both be without it."""
    if one.values is None or other.values is None or (one.optional and other.optional):
        return True
    return bool(one.values & other.values)
