"""Whether the API reference says something about everything: `docs/check.py BUILD_API abi.txt`, from the
library's folder.

Doxygen complains of what is undocumented as far as it looks: this looks at what it wrote. Each function
and variable that the library exports (abi.txt), each struct, member, enum, value, callback and macro of the
headers has a description in the XML and, where it has a page, a place in the HTML.
"""

import re
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path


def said(element: ElementTree.Element) -> bool:
    """Whether somebody described it."""
    return any("".join(part.itertext()).strip() for name in ("briefdescription", "detaileddescription")
               for part in element.findall(name))


def read(api: Path, complaints: list[str]) -> tuple[dict[str, str], set[str]]:
    """{name: id} of what has a description, and the headers; complains of what has none."""
    described: dict[str, str] = {}
    headers: set[str] = set()
    for file in sorted((api / "xml").glob("*.xml")):
        for compound in ElementTree.parse(file).getroot().iter("compounddef"):
            if compound.get("kind") not in ("file", "struct", "union"):
                continue
            name = compound.findtext("compoundname", "")
            if name.endswith(".md"):
                continue
            if compound.get("kind") == "file":
                headers.add(name)
            for element in [compound, *compound.iter("memberdef"), *compound.iter("enumvalue")]:
                full = element.findtext("compoundname") or element.findtext("name", "")
                full = full.rpartition("::")[2]
                if said(element):
                    described[full] = element.get("id", "")
                else:
                    complaints.append(f"{name}: nothing is said about {full}")
    return described, headers


def page_of(header: str) -> str:
    """The file that Doxygen calls a header's page."""
    return header.replace("_", "__").replace(".", "_8") + ".html"


def name_of(line: str) -> str:
    """The symbol or type that a line of abi.txt is about."""
    if line.startswith(("function", "variable", "callback")):
        found = re.search(r"\btel_\w+(?=\(|\[)", line)
        return found.group() if found else line
    return line.split(" ")[1].split(":")[0].split(".")[0]


def check(api: Path, abi: Path) -> list[str]:
    complaints: list[str] = []
    described, headers = read(api, complaints)
    complaints += [f"{header}: no page" for header in sorted(headers)
                   if not (api / "html" / page_of(header)).exists()]
    complaints += [f"{path.name} is in no reference" for path in sorted(Path("include/telemetry").glob("*.h"))
                   if path.name not in headers]
    named = {name for path in Path("include/telemetry").glob("*.h")
             for name in re.findall(r"\bstruct (tel_\w+)", path.read_text(encoding="utf-8"))}
    complaints += [f"struct {name} has no page" for name in sorted(named - set(described))]
    pages = "".join(path.read_text(encoding="utf-8") for path in (api / "html").glob("*.html"))
    for line in abi.read_text(encoding="utf-8").splitlines():
        name = name_of(line)
        if name not in described:
            complaints.append(f"{line}: nothing is said about it")
        elif line.startswith("function") and f'id="{described[name].rpartition("_1")[2]}"' not in pages:
            complaints.append(f"{name} is on no page")
    print(f"{len(headers)} headers, {len(described)} descriptions")
    return complaints


if __name__ == "__main__":
    found = check(Path(sys.argv[1]), Path(sys.argv[2]))
    print("\n".join(found))
    sys.exit(1 if found else 0)
