"""Tells Doxygen what the plain comments of a header belong to: `doxygen_filter.py HEADER`.

A comment is about what follows it, or, at the end of a line of code, about what stands before it; one above
several lines of declarations is about each of them. That is how people read them, and Doxygen wants it said:

    /* at the beginning of a file          ->  /** @file
    /* above a declaration                 ->  /**          once more before each that follows it directly
    declaration; /* behind it              ->  /**<
    struct tel_x; /* what it is            ->  a struct without members, so that it has a page
    /* ---- a heading ---- */              ->  stays what it is

In what opens a file, `Threads:`, `Memory:` and their like begin a paragraph each. Drawings, tables and examples are lines that stand further in than the text: they are kept as they are.
Lines keep their numbers, so that a warning points to where it comes from.
"""

import re
import sys
from pathlib import Path

HEADING = re.compile(r"/\* ?-{3}")
OPAQUE = re.compile(r"struct (tel_\w+);(?:\s*/\*(.*)\*/)?$")
ELSEWHERE = re.compile(r"\s*\w+\.h\b")  # `struct tel_logger; /* logs.h */`
TERM = re.compile(r"^ \* ([A-Z][a-z]+(?: [a-z]+){0,3}):(?= )")  # ` * Threads: none`
NO_COMMENT = ("#include", "#endif", "#if", 'extern "C"')


def keep_drawings(lines: list[str]) -> list[str]:
    """Marks the lines of a comment that stand further in: four more columns are code to Markdown, which
    wants an empty line before; where there is none, Doxygen's own command does."""
    result: list[str] = []
    drawn = False
    for number, line in enumerate(lines):
        text = re.sub(r"^\s*(/\*\*?<?|\*)", "", line)
        deeper = text.startswith("   ") and number > 0
        if deeper and not drawn:
            after_blank = re.fullmatch(r"\s*\*\s*", lines[number - 1]) is not None
            drawn, verbatim = True, not after_blank
        if deeper:
            indent = line.index("*") + 1
            if verbatim:
                last = number + 1 == len(lines) or not re.match(r"\s*\*    ", lines[number + 1])
                first = not re.match(r"\s*\*    ", lines[number - 1])
                line = (line[:indent] + (" @verbatim" if first else "") + line[indent:].replace("*/", "")
                        + (" @endverbatim" if last else "") + ("*/" if "*/" in line else ""))
            else:
                line = line[:indent] + "    " + line[indent:]
        else:
            drawn = False
        result.append(line)
    return result


def flatten(lines: list[str]) -> str:
    """A comment's text on one line, without its marks."""
    text = " ".join(re.sub(r"^\s*(/\*+|\*(?!/))|\*/\s*$", "", line).strip() for line in lines)
    return re.sub(r"\s+", " ", text).strip()


class Filter:
    def __init__(self, text: str):
        self.lines = text.splitlines()
        self.out: list[str] = []
        self.shared = ""  # what the comment above says of all declarations that follow it directly
        self.fresh = False  # and whether the first of them is still to come

    def comment_at(self, number: int) -> list[str]:
        """The lines of the comment that opens in line `number`."""
        end = number
        while "*/" not in self.lines[end]:
            end += 1
        return self.lines[number:end + 1]

    def run(self) -> str:
        number = 0
        guard = None
        while number < len(self.lines):
            line = self.lines[number]
            if line.lstrip().startswith("/*"):
                number += self.whole_comment(number)
            elif guard is None and line.startswith("#ifndef "):
                guard = line.split()[1]
                self.out.append("")
                number += 1
            elif guard and line == f"#define {guard}":
                self.out.append("")
                number += 1
            elif number == len(self.lines) - 1 and line == "#endif":
                self.out.append("")
                number += 1
            else:
                number += self.code(number)
        return "\n".join(self.out) + "\n"

    def whole_comment(self, number: int) -> int:
        lines = self.comment_at(number)
        if HEADING.match(lines[0].lstrip()):
            self.out += lines
            self.shared, self.fresh = "", False
        else:
            mark = "/** @file" if number == 0 else "/**"
            lines = [TERM.sub(r" * <p><b>\1:</b>", line) for line in lines] if number == 0 else lines
            self.shared = flatten(lines) if number > 0 else ""
            self.out += keep_drawings([lines[0].replace("/*", mark, 1), *lines[1:]])
            self.fresh = number > 0
        return len(lines)

    def code(self, number: int) -> int:
        """A declaration, which may go on over several lines, and the comment behind it. Returns how many
        lines were used."""
        line = self.lines[number]
        opaque = OPAQUE.fullmatch(line)
        if not line.strip() or line.startswith(NO_COMMENT):
            self.shared = ""
        elif opaque:
            line = self.page_of(line, *opaque.groups())
        else:
            return self.declaration(number)
        self.out.append(line)
        return 1

    def page_of(self, line: str, name: str, said: str | None) -> str:
        """A struct that is only named gets a page where something is said of it."""
        if said and ELSEWHERE.match(said):
            return ""
        doc = f"/** {said.strip()} */ " if said else ""
        return f"{doc}struct {name} {{}};" if said or self.fresh else line

    def declaration(self, number: int) -> int:
        end, text = number, ""
        while True:
            code, mark, _ = self.lines[end].partition("/*")
            text += code
            if line_ends(text) or mark or end + 1 == len(self.lines):
                break
            end += 1
        first = self.lines[number]
        if self.shared and not self.fresh and not mark and not first.strip().startswith("}"):
            first = f"/** {self.shared} */ {first}"  # the first after the comment has it already
        used = [first, *self.lines[number + 1:end + 1]]
        if mark:
            used[-1] = used[-1].replace("/*", "/**<", 1)
            used += self.comment_at(end)[1:]
        self.out += used
        if "{" in text or "}" in text:
            self.shared = ""
        self.fresh = False
        return len(used)


def line_ends(text: str) -> bool:
    """Whether a declaration is over with what has been read of it."""
    text = text.rstrip()
    if text.lstrip().startswith("#"):
        return not text.endswith("\\")
    return text.count("(") == text.count(")") and (text.endswith((";", "{", "}", ","))
                                                   or re.fullmatch(r"\s*\w+( = [^;]*)?", text) is not None)


if __name__ == "__main__":
    sys.stdout.write(Filter(Path(sys.argv[1]).read_text(encoding="utf-8")).run())
