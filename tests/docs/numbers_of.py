"""Tables of numbers that follow from each other, calculated again. A row is

    | `P` | viewers at the peak | 375,000 | `A * 3` |

a name, what it is, its value, and how it is had: an expression in code over rows above it, or words (an
assumption, a source). The value may have a unit behind it, and be rounded to the digits that it shows. A row whose
expression is followed by ", at most `EXPRESSION`" may be no more than that, such as a sample than those it is taken from.
"""

import ast
import operator
import re
from pathlib import Path

LIMIT = re.compile(r", at most `([^`]+)`")
ROW = re.compile(r"^\| `(\w+)` \| ([^|]+) \| (-?[\d,]*\.?\d+)([^|]*) \| ([^|]+) \|$", re.M)
OPERATORS = {ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv,
             ast.Pow: operator.pow}


def value(node: ast.AST, known: dict[str, float]) -> float:
    """What an expression comes to. Only arithmetic, numbers, and names that are known."""
    match node:
        case ast.Expression(body):
            return value(body, known)
        case ast.Constant(number) if isinstance(number, (int, float)):
            return number
        case ast.Name(name) if name in known:
            return known[name]
        case ast.Name(name):
            raise ValueError(f"{name} is no row above it")
        case ast.BinOp(left, how, right) if type(how) in OPERATORS:
            return OPERATORS[type(how)](value(left, known), value(right, known))
    raise ValueError(f"no arithmetic: {ast.unparse(node)}")


def digits(number: str) -> float:
    """How far a value may be off: half of the last digit that it shows, trailing zeros left out."""
    plain = number.replace(",", "").lstrip("-")
    if "." in plain:
        return 0.5 * 10 ** -len(plain.split(".")[1])
    return 0.5 * 10 ** (len(plain) - len(plain.rstrip("0")))


def problems(text: str) -> tuple[int, list[str]]:
    """How many rows were calculated, and what is wrong with them."""
    known: dict[str, float] = {}
    found: list[str] = []
    calculated = 0
    for name, _, shown, _, how in ROW.findall(text):
        if name in known:
            found.append(f"{name} is there twice")
        said = float(shown.replace(",", ""))
        code = re.fullmatch(r"`([^`]+)`.*", how.strip())
        if code:
            calculated += 1
            try:
                due = value(ast.parse(code[1], mode="eval"), known)
                if abs(due - said) > digits(shown) * 1.0001:
                    found.append(f"{name} is {shown}, and {code[1]} comes to {due:,.6g}")
                for limit in LIMIT.findall(how):
                    most = value(ast.parse(limit, mode="eval"), known)
                    if said > most:
                        found.append(f"{name} is {shown}, and may be at most {limit}: {most:,.6g}")
            except (ValueError, SyntaxError) as error:
                found.append(f"{name}: {error}")
        known[name] = said
    return calculated, found


def read(path: Path) -> tuple[int, list[str]]:
    return problems(path.read_text(encoding="utf-8"))
