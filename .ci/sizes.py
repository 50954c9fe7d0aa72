"""Measures functions and files against the house limits.

A function counts from its `fn` to its closing brace; a file counts without its `#[cfg(test)]` modules.
Exit status 1 when a hard limit is broken; the medians are warnings.
"""

import pathlib
import re
import statistics
import subprocess
import sys

LONGEST_FUNCTION = 70
LONGEST_FILE = 800
WANTED_FUNCTION_MEDIAN = 8
WANTED_FUNCTION_P90 = 30
WANTED_FILE_MEDIAN = 250

# Comments, strings, raw strings and characters; a lifetime is no character.
OPAQUE = re.compile(
    r"""//[^\n]*|/\*.*?\*/|\bb?r(\#*)".*?"\1|b?"(?:\\.|[^"\\])*"|b?'(?:\\(?:u\{[^}]*\}|x..|.)|[^'\\\n])'""",
    re.DOTALL,
)
FUNCTION = re.compile(r"\bfn\s+(\w+)")
TEST_MODULE = re.compile(r"#\[cfg\((?:test|all\(test[^\n]*)\)?\]\s*(?:#\[[^\n]*\]\s*)*mod\s+\w+\s*\{")


def blanked(source):
    """The source with everything opaque replaced by spaces, so that braces are code and lines stay."""
    return OPAQUE.sub(lambda m: re.sub(r"[^\n]", " ", m.group()), source)


def closing_brace(code, opening):
    depth = 0
    for at in range(opening, len(code)):
        if code[at] == "{":
            depth += 1
        elif code[at] == "}":
            depth -= 1
            if depth == 0:
                return at
    return len(code) - 1


def body_start(code, at):
    """The brace that opens a function's body, or None for a declaration."""
    nesting = 0
    while at < len(code):
        if code[at] in "([":
            nesting += 1
        elif code[at] in ")]":
            nesting -= 1
        elif nesting == 0 and code[at] == ";":
            return None
        elif nesting == 0 and code[at] == "{":
            return at
        at += 1
    return None


def functions(code):
    for found in FUNCTION.finditer(code):
        opening = body_start(code, found.end())
        if opening is not None:
            closing = closing_brace(code, opening)
            first = code.count("\n", 0, found.start()) + 1
            yield found.group(1), first, code.count("\n", found.start(), closing) + 1


def lines_without_tests(code):
    lines = code.count("\n")
    for found in TEST_MODULE.finditer(code):
        lines -= code.count("\n", found.start(), closing_brace(code, found.end() - 1))
    return lines


def percentile(values, share):
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


def main():
    listed = subprocess.run(["git", "ls-files", "*.rs"], capture_output=True, text=True, check=True)
    broken, lengths, files = [], [], []
    for path in map(pathlib.Path, listed.stdout.split()):
        code = blanked(path.read_text(encoding="utf-8"))
        size = lines_without_tests(code)
        in_library = path.parts[0] == "src"
        if in_library:
            files.append(size)
        if size > LONGEST_FILE and path.parts[0] != "tests":
            broken.append(f"{path}: {size} lines, at most {LONGEST_FILE}")
        for name, line, length in functions(code):
            if in_library:
                lengths.append(length)
            if length > LONGEST_FUNCTION:
                broken.append(f"{path}:{line}: {name} has {length} lines, at most {LONGEST_FUNCTION}")
    wanted = [
        ("function median", statistics.median(lengths), WANTED_FUNCTION_MEDIAN),
        ("function p90", percentile(lengths, 0.9), WANTED_FUNCTION_P90),
        ("file median", statistics.median(files), WANTED_FILE_MEDIAN),
    ]
    for name, value, limit in wanted:
        print(f"{'warning: ' if value > limit else ''}{name} {value}, wanted {limit}")
    print(f"{len(lengths)} functions in {len(files)} files of src, longest {max(lengths)} lines")
    print("\n".join(broken))
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
