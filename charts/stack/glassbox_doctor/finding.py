"""What a link's look comes to, and how a line to change is written."""

from dataclasses import dataclass

OK, BROKEN, SKIPPED = "ok", "broken", "skipped"


@dataclass(frozen=True)
class Finding:
    """A state, what was found, and, unless all is well, what to change: a line of values, or a command."""

    state: str
    found: str
    fix: str = ""


def broken(found: str, *fix: str) -> Finding:
    """Several lines where one of them, or both, will do: the found says which."""
    return Finding(BROKEN, found, "\n".join(fix))


def either(lines: list[str], other: str) -> list[str]:
    """Lines that mend it together, and one that does so in their place."""
    return [*lines, f"or {other}"] if lines else [other]


def skipped(found: str, *fix: str) -> Finding:
    return Finding(SKIPPED, found, "\n".join(fix))


def values(key: str, value: object, of: str = "glassbox") -> str:
    """A line of a chart's values, its path written with dots."""
    return f"values of {of}: {key}: {value}"


def stack(key: str, value: object) -> str:
    return values(key, value, "kube-prometheus-stack")


def upgrade(release: str, namespace: str) -> str:
    """The command that makes again what a release's values want. What a newer chart has besides comes in with its
    defaults, where --reuse-values would leave it out."""
    return f"helm upgrade {release} charts/glassbox -n {namespace} --reset-then-reuse-values"


def some(names: list[str], most: int = 3) -> str:
    """A list for a sentence."""
    shown = ", ".join(names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"


def lines_of(labels: dict[str, str]) -> str:
    """Labels as they are read aloud."""
    return ", ".join(f"{name}={value}" for name, value in sorted(labels.items())) or "no labels"


def peers(namespace: str) -> str:
    """Whoever is in a namespace, as a NetworkPolicy names them."""
    return f"[{{namespaceSelector: {{matchLabels: {{kubernetes.io/metadata.name: {namespace}}}}}}}]"
