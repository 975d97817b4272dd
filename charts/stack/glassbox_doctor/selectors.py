"""Label selectors, as the API server and the operator read them."""

from typing import Any, Optional

from .finding import lines_of

Selector = Optional[dict[str, Any]]


def meets(requirement: dict[str, Any], labels: dict[str, str]) -> bool:
    """One of matchExpressions."""
    key, given = requirement["key"], requirement.get("values") or []
    return {"In": key in labels and labels[key] in given,
            "NotIn": labels.get(key) not in given,
            "Exists": key in labels,
            "DoesNotExist": key not in labels}[requirement["operator"]]


def selects(selector: Selector, labels: dict[str, str]) -> bool:
    """An empty selector selects everything, one that is not there nothing."""
    if selector is None:
        return False
    return (contains(labels, selector.get("matchLabels") or {})
            and all(meets(one, labels) for one in selector.get("matchExpressions") or []))


def contains(labels: dict[str, str], wanted: dict[str, str]) -> bool:
    return wanted.items() <= labels.items()


def lacking(selector: Selector, labels: dict[str, str]) -> dict[str, str]:
    """The labels with which it would select: of matchLabels those that are not there, of an expression a value that
    would do. No label makes up for one that must not be there."""
    wanted = {name: value for name, value in ((selector or {}).get("matchLabels") or {}).items()
              if labels.get(name) != value}
    for one in (selector or {}).get("matchExpressions") or []:
        if not meets(one, labels) and one["operator"] in ("In", "Exists"):
            wanted.setdefault(one["key"], (one.get("values") or ["true"])[0])
    return wanted


def words(selector: Selector) -> str:
    """A selector as it is read aloud."""
    if selector is None:
        return "nothing (it is not set)"
    said = [lines_of(selector["matchLabels"])] if selector.get("matchLabels") else []
    for one in selector.get("matchExpressions") or []:
        given = f" ({', '.join(one['values'])})" if one.get("values") else ""
        said.append(f"{one['key']} {one['operator']}{given}")
    return ", ".join(said) or "everything"
