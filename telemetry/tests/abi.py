"""What a program that was linked with the shared library relies on, a line each: functions and
variables that it exports, layouts of the structs and values of the enums that its headers define,
types of callbacks.

    abi.py LIBRARY HEADERS_FOLDER >abi.txt

Read by `abidw` from the library's own debug information, so it is what was built, not what a header
promises. A struct that the headers only name is nobody's business and is left out. Sizes and offsets
are bytes, as the machine at hand has them. (abidw writes `const void *` as `void *`.)
"""

import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

Element = ElementTree.Element
TYPES = {"type-decl", "pointer-type-def", "qualified-type-def", "array-type-def", "typedef-decl",
         "class-decl", "union-decl", "enum-decl", "function-type"}


class Abi:
    """One library, as abidw sees it."""

    def __init__(self, corpus: Element, headers: str):
        self.headers = headers
        self.functions = list(corpus.iter("function-decl"))
        self.variables = [decl for unit in corpus.iter("abi-instr") for decl in unit
                          if decl.tag == "var-decl" and decl.get("elf-symbol-id")]
        self.types: dict[str, Element] = {}
        for unit in corpus.iter("abi-instr"):
            for element in unit.iter():
                # A definition wins over a declaration that only names it.
                if element.tag in TYPES and "id" in element.attrib and (
                        element.get("is-declaration-only") != "yes"
                        or element.get("id") not in self.types):
                    self.types[element.get("id", "")] = element

    def is_public(self, element: Element) -> bool:
        """Whether a type stands in one of the headers."""
        return self.headers in element.get("filepath", "")

    # ---- how C writes a type ------------------------------------------------------------------

    def write(self, identity: str | None, inner: str = "") -> str:
        """The type with this id around a declarator: ("x", pointer to int) is `int *x`."""
        element = self.types[identity or ""]
        return getattr(self, "write_" + element.tag.split("-")[0])(element, inner)

    def write_type(self, element: Element, inner: str) -> str:
        return f"{element.get('name')} {inner}".strip()

    write_typedef = write_type

    def write_class(self, element: Element, inner: str) -> str:
        return f"struct {element.get('name')} {inner}".strip()

    def write_union(self, element: Element, inner: str) -> str:
        return f"union {element.get('name')} {inner}".strip()

    def write_enum(self, element: Element, inner: str) -> str:
        return f"enum {element.get('name')} {inner}".strip()

    def write_pointer(self, element: Element, inner: str) -> str:
        target = self.types[element.get("type-id", "")]
        wrapped = f"(*{inner})" if target.tag in ("function-type", "array-type-def") else f"*{inner}"
        return self.write(element.get("type-id"), wrapped)

    def write_qualified(self, element: Element, inner: str) -> str:
        words = [word for word in ("const", "volatile", "restrict") if element.get(word) == "yes"]
        if self.types[element.get("type-id", "")].tag == "pointer-type-def":
            return self.write(element.get("type-id"), " ".join([*words, inner]).strip())
        return " ".join([*words, self.write(element.get("type-id"), inner)])

    def write_array(self, element: Element, inner: str) -> str:
        lengths = [part.get("length", "") for part in element.iter("subrange")]
        bounds = "".join(f"[{length}]" if length.isdigit() else "[]" for length in lengths)
        return self.write(element.get("type-id"), inner + bounds)

    def write_function(self, element: Element, inner: str) -> str:
        parameters = ["..." if part.get("is-variadic") == "yes" else self.write(part.get("type-id"))
                      for part in element.iter("parameter")]
        result = element.find("return")
        assert result is not None
        return self.write(result.get("type-id"), f"{inner}({', '.join(parameters) or 'void'})")

    # ---- lines --------------------------------------------------------------------------------

    def members(self, element: Element, prefix: str, base: int) -> list[str]:
        """A line a member; those of a struct or union within follow it."""
        lines = []
        for member in element.findall("data-member"):
            variable = member.find("var-decl")
            assert variable is not None
            offset = base + int(member.get("layout-offset-in-bits", "0")) // 8
            name = f"{prefix}.{variable.get('name')}"
            kind = self.types[variable.get("type-id", "")]
            if kind.get("is-anonymous") == "yes" or "__anonymous" in kind.get("name", ""):
                lines += self.members(kind, name, offset)
            else:
                lines.append(f"{name} at {offset}: {self.write(variable.get('type-id'))}")
        return lines

    def lines(self) -> list[str]:
        result = {f"function {self.write_function(decl, decl.get('name', ''))}"
                  for decl in self.functions}
        result |= {f"variable {self.write(decl.get('type-id'), decl.get('name', ''))}"
                   for decl in self.variables}
        for element in filter(self.is_public, self.types.values()):
            name = element.get("name", "")
            if element.tag == "typedef-decl":
                result.add(f"callback {self.write(element.get('type-id'), name)}")
            elif element.tag == "enum-decl":
                result |= {f"enum {name}: {item.get('name')} = {item.get('value')}"
                           for item in element.iter("enumerator")}
            elif element.tag in ("class-decl", "union-decl") and "size-in-bits" in element.attrib \
                    and "__anonymous" not in name:
                what = "struct" if element.tag == "class-decl" else "union"
                size = int(element.get("size-in-bits", "0")) // 8
                result.add(f"{what} {name}: {size} bytes")
                result |= set(self.members(element, f"{what} {name}", 0))
        return sorted(result, key=sort_key)


def sort_key(line: str) -> tuple[str, str, int, str]:
    """By kind and name; values of an enum by value, a struct's size and then its members by offset."""
    kind, _, rest = line.partition(" ")
    if kind == "enum":
        return kind, rest.partition(":")[0], int(rest.rpartition(" ")[2]), line
    if kind in ("struct", "union"):
        place = rest.partition(" at ")[2].partition(":")[0]
        return kind, rest.partition(":")[0].partition(".")[0], int(place or -1), line
    found = re.search(r"\btel_\w+(?=\(|\[)", rest)
    return kind, found.group() if found else "", 0, line


def main(library: str, headers: str) -> None:
    text = subprocess.run(["abidw", "--drop-undefined-syms", "--no-corpus-path", "--no-elf-needed",
                           library], check=True, capture_output=True, text=True).stdout
    folder = str(Path(headers).resolve())
    print("\n".join(Abi(ElementTree.fromstring(text), folder).lines()))


if __name__ == "__main__":
    main(*sys.argv[1:])
