"""Lists what users of the library and of its C, Perl and Python interfaces can name: a promise a line, so that a review sees each change of one.

    python3 tools/surface/surface.py            writes tools/surface/{c,perl,python,rust}.txt
    python3 tools/surface/surface.py --check    writes nothing; fails if a listing is stale, and says which promises are broken

C: functions, numbers, and layouts of structs where pointers have 64 bits, from include/ha.h; that the library exports just
these functions is compared by ha-ffi/tests/run. Perl: subs and named arguments. Python: names and signatures, of the native
module by its stubs. Rust: see rust.py.
"""

from __future__ import annotations

import ast
import difflib
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import rust

ROOT = Path(__file__).resolve().parents[2]
LISTINGS = Path(__file__).resolve().parent

SIZES = {"int32_t": 4, "uint32_t": 4, "int64_t": 8, "uint64_t": 8, "size_t": 8, "double": 8, "struct ha_str": 16}


def c_lines(header: str) -> Iterator[str]:
    """Functions, numbers and layouts of a header as cbindgen writes it."""
    code = re.sub(r"//[^\n]*|/\*.*?\*/|^#.*?$", "", header, flags=re.DOTALL | re.MULTILINE)
    code = " ".join(code.split())
    yield from re.findall(r"#define (HA_\w+ \d+)", header)
    for name, _, body in re.findall(r"enum (\w+)( : int32_t)? \{ (.*?) \}", code):
        yield from (f"{name}: {number}" for number in body.rstrip(", ").split(", "))
    yield from (f"{name}: opaque" for name in re.findall(r"typedef struct \w+ (\w+);", code))
    for name, body in re.findall(r"typedef struct (\w+) \{ (.*?) \} \w+;", code):
        yield from layout(name, body.rstrip("; ").split("; "))
    yield from (" ".join(found.split()) for found in re.findall(r"(?<=[;{}] )[\w *]+\bha_\w+\([^()]*\)(?=;)", code))


def layout(name: str, members: list[str]) -> Iterator[str]:
    offset, largest = 0, 1
    for member in members:
        size = 8 if "*" in member else SIZES[member.rsplit(" ", 1)[0]]
        alignment = min(size, 8)
        offset += -offset % alignment
        yield f"{name} +{offset:03}: {member}"
        offset, largest = offset + size, max(largest, alignment)
    yield f"{name}: {offset + -offset % largest} bytes"


def perl_lines(source: str) -> Iterator[str]:
    """Subs that are no secrets, and the arguments that are given by name."""
    package = ""
    for line in source.split("\n__END__")[0].splitlines():
        if found := re.match(r"package ([\w:]+);", line):
            package = found[1]
        elif package == "HA::FFI":
            continue  # nothing there is for users
        elif found := re.match(r"sub ([a-zA-Z]\w*)|use constant ([A-Z]\w+)", line):
            yield f"{package}::{found[1] or found[2]}"
    for what, names in re.findall(r"named\('([\w:]+)',\s*\[qw\(([^)]*)\)\]", source):
        yield f"{what}({' '.join(names.split())})"


def python_lines(module: str, body: list[ast.stmt]) -> Iterator[str]:
    """Names and signatures that do not begin with an underscore; of special methods those that are called with something."""
    for item in body:
        if isinstance(item, ast.ClassDef) and not item.name.startswith("_"):
            yield f"{module}.{item.name}({', '.join(map(ast.unparse, item.bases))})"
            yield from python_lines(f"{module}.{item.name}", item.body)
        elif isinstance(item, ast.FunctionDef | ast.AsyncFunctionDef) and is_promised(item.name):
            kind = "".join(f"@{ast.unparse(decorator)} " for decorator in item.decorator_list)
            kind += "async " if isinstance(item, ast.AsyncFunctionDef) else ""
            returns = f" -> {ast.unparse(item.returns)}" if item.returns else ""
            yield f"{module}.{kind}{item.name}({ast.unparse(item.args)}){returns}"
        elif isinstance(item, ast.AnnAssign) and not ast.unparse(item.target).startswith("_"):
            value = f" = {ast.unparse(item.value)}" if item.value else ""
            yield f"{module}.{ast.unparse(item.target)}: {ast.unparse(item.annotation)}{value}"
        elif isinstance(item, ast.Assign) and re.match("[a-zA-Z]|__all__", ast.unparse(item.targets[0])):
            yield f"{module}.{ast.unparse(item.targets[0])} = {ast.unparse(item.value)}"


def is_promised(function: str) -> bool:
    return not function.startswith("_") or function in ("__new__", "__init__")


def python_module(path: Path) -> str:
    parts = path.relative_to(ROOT / "ha-py/python").with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__")


def listings() -> dict[str, list[str]]:
    perl = sorted((ROOT / "ha-ffi/perl/lib").rglob("*.pm"))
    python = [path for path in (ROOT / "ha-py/python").rglob("*.py*") if path.suffix in (".py", ".pyi")]
    python = [path for path in python if path.suffix == ".pyi" or "._" not in python_module(path)]
    listed = {
        "c": sorted(c_lines((ROOT / "include/ha.h").read_text())),
        "perl": sorted(line for path in perl for line in perl_lines(path.read_text())),
        "python": sorted(
            line for path in python for line in python_lines(python_module(path), ast.parse(path.read_text()).body)
        ),
    }
    try:
        listed["rust"] = rust.rust_lines(ROOT, "ha-core")
    except rust.OtherFormat as other:
        print(f"tools/surface/rust.txt: not compared: {other}", file=sys.stderr)
    return listed


def main() -> int:
    check = "--check" in sys.argv[1:]
    status = 0
    for name, lines in listings().items():
        path = LISTINGS / f"{name}.txt"
        text = "".join(f"{line}\n" for line in lines)
        kept = path.read_text() if path.exists() else ""
        if text == kept:
            continue
        difference = difflib.unified_diff(kept.splitlines(), lines, lineterm="", n=0)
        changes = [line for line in difference if line[:2] not in ("--", "++", "@@")]
        broken = [line for line in changes if line.startswith("-")]
        counted = f"{len(changes) - len(broken)} new lines, {len(broken)} that are gone"
        print(f"{path.relative_to(ROOT)}: {counted}", file=sys.stderr)
        if check:
            status = 1
            print("\n".join(changes), file=sys.stderr)
            print("what is gone breaks users; what is new is a promise: 'cargo xtask generate' notes it", file=sys.stderr)
        else:
            path.write_text(text)
    return status


if __name__ == "__main__":
    sys.exit(main())
