"""What users of the Rust crate can name, from what rustdoc knows of it: a promise a line.

rustdoc gives its knowledge as JSON, in a form that belongs to the version of the compiler: FORMAT is that of the one that the listing was
made with. Another one is not compared, and that is said.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

FORMAT = 57

Item = dict[str, Any]


class OtherFormat(Exception):
    """The compiler is not the one that the listing was made with."""


def known_of(root: Path, crate: str) -> Item:
    """What rustdoc knows of a crate."""
    environment = os.environ | {"RUSTDOC": str(root / "tools/surface/rustdoc")}
    command = ["cargo", "rustdoc", "--quiet", "--locked", "--lib", "-p", crate, "--", "-Z", "unstable-options", "--output-format", "json"]
    subprocess.run(command, cwd=root, env=environment, check=True)
    target = Path(os.environ.get("CARGO_TARGET_DIR", "target"))
    known: Item = json.loads((root / target / f"doc/{crate.replace('-', '_')}.json").read_text())
    if known["format_version"] != FORMAT:
        raise OtherFormat(f"rustdoc says it in format {known['format_version']}, and this was made with {FORMAT}")
    return known


class Listing:
    def __init__(self, known: Item) -> None:
        self.items: dict[str, Item] = known["index"]
        self.root = self.items[str(known["root"])]
        # What can be named by several paths is listed by the shortest one.
        self.path_of: dict[int, str] = {}
        for path, item in self.named_in(self.root, self.root["name"]):
            before = self.path_of.get(item["id"])
            if before is None or (len(path), path) < (len(before), before):
                self.path_of[item["id"]] = path

    def lines(self) -> Iterator[str]:
        for path, item in self.named_in(self.root, self.root["name"]):
            listed_as = self.path_of[item["id"]]
            if path == listed_as:
                yield from self.item(item, path)
            else:
                yield f"{path} = {listed_as}"

    def child(self, number: int) -> Item | None:
        return self.items.get(str(number))

    def named_in(self, module: Item, path: str) -> Iterator[tuple[str, Item]]:
        """All items of a module and of those in it, each with a path by which it can be named."""
        for number in module["inner"]["module"]["items"]:
            item = self.child(number)
            if item is None:
                continue
            name = item["name"]
            if use := item["inner"].get("use"):
                target, name = self.child(use["id"]), use["name"]
                if target is None:
                    continue  # of another crate
                item = target
                if use["is_glob"]:
                    yield from self.named_in(item, path)
                    continue
            yield f"{path}::{name}", item
            if "module" in item["inner"]:
                yield from self.named_in(item, f"{path}::{name}")

    def item(self, item: Item, path: str) -> Iterator[str]:
        ((kind, inner),) = item["inner"].items()
        # Whoever makes one of these, or takes one apart in a match, is broken by a field or a variant more.
        open_end = " (non-exhaustive)" if "non_exhaustive" in item["attrs"] else ""
        match kind:
            case "module":
                yield f"mod {path}"
            case "struct":
                yield f"struct {path}{generics(inner)}{open_end}"
                yield from self.fields(inner["kind"], path)
                yield from self.impls(inner, path)
            case "enum":
                yield f"enum {path}{generics(inner)}{open_end}"
                for number in inner["variants"]:
                    if variant := self.child(number):
                        yield f"{path}::{variant['name']}"
                        yield from self.fields(variant["inner"]["variant"]["kind"], f"{path}::{variant['name']}")
                yield from self.impls(inner, path)
            case "trait":
                bounds = " + ".join(bound(each) for each in inner["bounds"])
                yield f"trait {path}{generics(inner)}" + (f": {bounds}" if bounds else "")
                for member in filter(None, map(self.child, inner["items"])):
                    default = " (has a default)" if member["inner"].get("function", {}).get("has_body") else ""
                    yield f"{self.member(member, path)}{default}"
            case "function":
                yield self.member(item, path.rpartition("::")[0])
            case "constant":
                yield f"const {path}: {shown(inner['type'])}"
            case "type_alias":
                yield f"type {path} = {shown(inner['type'])}"
            case _:
                yield f"{kind} {path}"

    def fields(self, kind: Any, path: str) -> Iterator[str]:
        if not isinstance(kind, dict):
            return
        ((form, inner),) = kind.items()
        numbers = inner if form == "tuple" else inner["fields"]
        for number in numbers:
            if number is not None and (field := self.child(number)):
                yield f"{path}.{field['name']}: {shown(field['inner']['struct_field'])}"
        if form != "tuple" and inner["has_stripped_fields"]:
            yield f"{path} has private fields"

    def impls(self, inner: Item, path: str) -> Iterator[str]:
        traits = []
        for item in filter(None, map(self.child, inner["impls"])):
            impl = item["inner"]["impl"]
            if impl["trait"] is None:
                yield from (self.member(member, path) for member in map(self.child, impl["items"]) if member)
            elif not impl["is_synthetic"] and impl["blanket_impl"] is None:
                traits.append(named(impl["trait"]))
        # Which the compiler makes for its own use.
        traits = sorted(set(traits) - {"StructuralPartialEq"})
        if traits:
            yield f"{path}: {', '.join(traits)}"

    def member(self, item: Item, path: str) -> str:
        ((kind, inner),) = item["inner"].items()
        name = f"{path}::{item['name']}"
        if kind == "function":
            arguments = ", ".join(f"{word}: {shown(kind)}" for word, kind in inner["sig"]["inputs"])
            output = inner["sig"]["output"]
            const = "const " if inner["header"]["is_const"] else ""
            return f"{const}fn {name}{generics(inner)}({arguments})" + (f" -> {shown(output)}" if output else "")
        return f"{kind} {name}" + (f": {shown(inner['type'])}" if inner.get("type") else "")


def generics(inner: Item) -> str:
    parameters = []
    for parameter in inner["generics"]["params"]:
        ((kind, about),) = parameter["kind"].items()
        if kind == "type" and about["is_synthetic"]:
            continue
        bounds = " + ".join(bound(each) for each in about.get("bounds", ()))
        parameters.append(parameter["name"] + (f": {bounds}" if bounds else ""))
    wheres = []
    for where in inner["generics"]["where_predicates"]:
        if about := where.get("bound_predicate"):
            wheres.append(f"{shown(about['type'])}: {' + '.join(bound(each) for each in about['bounds'])}")
    return (f"<{', '.join(parameters)}>" if parameters else "") + (f" where {', '.join(wheres)} " if wheres else "")


def bound(each: Item) -> str:
    if about := each.get("trait_bound"):
        maybe = "?" if about["modifier"] == "maybe" else ""
        return maybe + named(about["trait"])
    return str(each.get("outlives", each))


def named(path: Item) -> str:
    """A path, by its last name: where it is declared is no matter of who names it."""
    name = path["path"].rpartition("::")[2]
    about = path["args"] or {}
    if inner := about.get("angle_bracketed"):
        arguments = []
        for each in inner["args"]:
            ((kind, argument),) = each.items() if isinstance(each, dict) else (("infer", "_"),)
            arguments.append(shown(argument) if kind == "type" else str(argument["expr"] if kind == "const" else argument))
        for constraint in inner["constraints"]:
            ((kind, value),) = constraint["binding"].items()
            if kind == "equality":
                arguments.append(f"{constraint['name']} = {shown(value['type'])}")
            else:
                arguments.append(f"{constraint['name']}: {' + '.join(bound(each) for each in value)}")
        return f"{name}<{', '.join(arguments)}>" if arguments else name
    if inner := about.get("parenthesized"):
        output = f" -> {shown(inner['output'])}" if inner["output"] else ""
        return f"{name}({', '.join(map(shown, inner['inputs']))}){output}"
    return name


def shown(kind: Item) -> str:
    """A type."""
    ((form, inner),) = kind.items()
    match form:
        case "resolved_path":
            return named(inner)
        case "generic" | "primitive":
            return str(inner)
        case "borrowed_ref":
            lifetime = f"{inner['lifetime']} " if inner["lifetime"] else ""
            return f"&{lifetime}{'mut ' if inner['is_mutable'] else ''}{shown(inner['type'])}"
        case "slice":
            return f"[{shown(inner)}]"
        case "array":
            return f"[{shown(inner['type'])}; {inner['len']}]"
        case "tuple":
            return f"({', '.join(map(shown, inner))})"
        case "impl_trait":
            return f"impl {' + '.join(map(bound, inner))}"
        case "dyn_trait":
            traits = [named(each["trait"]) for each in inner["traits"]]
            return f"dyn {' + '.join(traits + [inner['lifetime']] * bool(inner['lifetime']))}"
        case "qualified_path":
            return f"{shown(inner['self_type'])}::{inner['name']}"
        case "function_pointer":
            inputs = ", ".join(shown(each) for _, each in inner["sig"]["inputs"])
            output = inner["sig"]["output"]
            return f"fn({inputs})" + (f" -> {shown(output)}" if output else "")
        case _:
            return form


def rust_lines(root: Path, crate: str) -> list[str]:
    def path(line: str) -> tuple[str, str]:
        """What a line is about: so what belongs together stands together."""
        return next(word for word in line.split() if "::" in word), line

    return sorted(set(Listing(known_of(root, crate)).lines()), key=path)
