#!/usr/bin/env python3
"""tools/abidoc.py - writes doc/abi.md from the .def files: operations, protocols, errors, trace records.

`make doc` runs it; with --check it says whether doc/abi.md is what it would write.
"""
import re
import sys

import project

TARGET = project.ROOT / "doc/abi.md"
TOP = """# The ABI

Written by tools/abidoc.py from `abi/*.def` and `abi/proto/*.def`; do not edit. Structs and flags are in the headers of the
same names. Every operation answers with a result of 0 or more, or a negated error.
"""


def comment_of(text):
    """What the file says of itself: its first comment without the path line's path."""
    body = re.match(r"/\*(.*?)\*/", text, re.DOTALL)[1]
    lines = [re.sub(r"^\s*\* ?", "", line).rstrip() for line in body.splitlines()]
    return re.sub(r"^\s*\S+\.def - ", "", "\n".join(lines)).strip()


def split_arguments(text):
    """The arguments of a macro call, on commas outside of strings and parentheses."""
    parts, depth, quoted, part = [], 0, False, ""
    for at, char in enumerate(text):
        if char == '"' and text[at - 1] != "\\":
            quoted = not quoted
        depth += (char == "(") - (char == ")") if not quoted else 0
        if char == "," and not quoted and depth == 0:
            parts.append(part)
            part = ""
        else:
            part += char
    return [" ".join(word.split()) for word in [*parts, part]]


def entries(path, macro):
    """[[argument]] of every call of a macro in a .def file; strings without their quotes."""
    text = re.sub(r"/\*.*?\*/", "", (project.ROOT / path).read_text(), flags=re.DOTALL)
    calls = re.findall(rf'^{macro}\(((?:[^"\n;]|"(?:\\.|[^"\\])*"|\n(?=\s))*)\)\s*$', text, re.MULTILINE)
    return [["".join(re.findall(r'"((?:\\.|[^"\\])*)"', word)) if word.startswith('"') else word for word in split_arguments(call)] for call in calls]


def cell(text):
    return text.replace("|", "\\|").replace('\\"', '"')


def table(titles, rows):
    lines = [f"| {' | '.join(titles)} |", f"|{'---|' * len(titles)}"]
    return "\n".join(lines + [f"| {' | '.join(cell(str(word)) for word in row)} |" for row in rows]) + "\n"


def operations():
    rows = []
    for number, _, name, *arguments, summary in entries("abi/ops.def", r"OP\d"):
        pairs = [f"`{kind} {word}`".replace("* ", "*") for kind, word in zip(arguments[::2], arguments[1::2])]
        rows.append((number, f"`{name}`", ", ".join(pairs), summary))
    return table(("number", "operation", "arguments beside handle and flags", "what it does"), rows)


def protocols():
    for path in sorted((project.ROOT / "abi/proto").glob("*.def")):
        rows = [(number, f"`{name}`", data_in, data_out, word, summary)
                for number, name, data_in, data_out, word, summary in entries(path.relative_to(project.ROOT), "CODE")]
        yield f"## Protocol: {path.stem}\n\n{comment_of(path.read_text())}\n\n" + table(("code", "name", "sent", "answered", "word", "what it does"), rows)


def document():
    parts = [TOP, f"## Operations\n\n{comment_of((project.ROOT / 'abi/ops.def').read_text())}\n\n{operations()}", *protocols()]
    parts.append("## Errors\n\n" + comment_of((project.ROOT / "abi/error.def").read_text()) + "\n\n" +
                 table(("number", "name", "meaning"), [(number, f"`ERR_{name}`", words) for number, name, words in entries("abi/error.def", "ERR")]))
    parts.append("## Trace records\n\n" + table(("number", "name", "a", "b", "c"), entries("abi/trace.def", "TRACE")))
    return "\n".join(parts)


def main(arguments):
    text = document()
    if arguments == ["--check"]:
        if not TARGET.exists() or TARGET.read_text() != text:
            sys.exit("doc/abi.md is older than the .def files: run `make doc`")
    else:
        sys.stdout.write(text)


if __name__ == "__main__":
    main(sys.argv[1:])
