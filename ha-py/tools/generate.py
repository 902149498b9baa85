"""Writes the Python classes that mirror plain data of the Rust crates, from the Rust source.

Events, words (small enums), and records have one source: the Rust types, with their documentation. This script reads
them and writes `python/pyha/{words,events,fates,changes,outcomes,records}.py` and `sim/events.py`. With `--check` it
writes nothing and fails if a file is stale.

It understands the forms that these types have, and stops at anything else.
"""

from __future__ import annotations

import argparse
import re
import sys
import textwrap
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CORE = ROOT / "ha-core/src"
OUT = Path(__file__).resolve().parents[1] / "python/pyha"

# Where the words are, by Rust file; in brackets those of another name in Python.
WORDS = {
    "config/resources.rs": ["RequestedState"],
    "config/rules.rs": ["Affinity", "RuleType"],
    "config/datacenter.rs": [
        "ShutdownPolicy",
        "SchedulerMode",
        "BalanceMethod",
        "ImbalanceScale",
        "FencingMode",
        ("Setting", "DatacenterSetting"),
    ],
    "rules/check.rs": ["Reason"],
    "placement/select.rs": ["Preference", "Decider"],
    "placement/findings.rs": ["FindingKind"],
    "status/manager.rs": ["NodeState", "DisarmState", "StateName", "Motion"],
    "status/command.rs": ["DisarmMode"],
    "status/lrm.rs": ["LrmState", "LrmMode"],
    "status/view/mod.rs": ["Liveness", "WatchdogState", "FencingState", "ShownLrm"],
    "status/view/text.rs": ["LineKind"],
    "timing/check.rs": ["Inequality"],
    "event/words.rs": [
        "DaemonState",
        "RemovalReason",
        "MoveCause",
        "NodeRecord",
        "RejectionReason",
        "IgnoreReason",
        "MoveIgnoreReason",
        "MigrationObstacle",
        "NoEffectReason",
        "MoveBackReason",
        "AgentOperation",
        "ShutdownKind",
        "ShutdownMode",
    ],
    "event/severity.rs": ["Severity"],
    "host/lock.rs": ["Hand"],
    "event/operation.rs": ["HostOperation"],
    "host/mod.rs": ["LockAnswer", "FeedOutcome", "FenceProgress"],
    "time.rs": ["WaitReason"],
    "lrm/shutdown.rs": ["StopRequest"],
}
SIM_WORDS = {
    "world/mod.rs": ["DaemonKind"],
    "world/fence.rs": ["DeviceBehaviour"],
    "world/guest.rs": ["Operation", ("Outcome", "FailureKind")],
    "../../ha-py/src/sim/faults.rs": ["FaultKind"],
}

# The records, by Rust file.
RECORDS = {
    "config/datacenter.rs": ["SchedulerConfig", "DatacenterConfig"],
    "placement/explain/mod.rs": ["NodeUsage", "NodeExplanation", "Explanation"],
    "placement/explain/counterfactual.rs": ["Counterfactual"],
    "plan/situation.rs": ["Recovery"],
    "placement/findings.rs": ["SituationFinding"],
    "placement/balance/mod.rs": ["BalanceMove", "Balance"],
    "status/view/mod.rs": ["QuorumView", "MasterView", "DisarmView", "FencingView", "LrmView"],
    "status/view/service.rs": ["ServiceView"],
    "host/statistics.rs": ["NodeStatistics", "ServiceStatistics", "UnmanagedService"],
    "host/agent.rs": ["Job"],
    "timing/recovery.rs": ["RecoveryTimes"],
}

ALL_WORDS = {name for names in WORDS.values() for name in names if isinstance(name, str)}
TEXT_TYPES = {
    "ServiceId",
    "NodeName",
    "RuleId",
    "GroupId",
    "Uid",
    "String",
    "SmolStr",
    "&'static str",
    "Lock",
    "ShownState",
}
NUMBER_TYPES = {"u32", "u64", "usize", "i32", "i64", "Timestamp", "JobId"}
KEYWORDS = {"from", "try", "with"}


EXTRAS = {
    "NodeExplanation": '    _flatten = "fate"\n',
    "Explanation": """    def of(self, node: str) -> NodeExplanation | None:
        \"\"\"What became of a node.\"\"\"
        return next((found for found in self.nodes if found.node == node), None)

    def __str__(self) -> str:
        from pyha import _native

        return _native.describe_explanation(self)
""",
    "Balance": """    @property
    def chosen(self) -> BalanceMove | None:
        \"\"\"The move that is made, if one is.\"\"\"
        return self.candidates[0] if self.outcome.tag == "move" else None

    def __str__(self) -> str:
        from pyha import _native

        return _native.describe_balance(self)
""",
}


class SourceError(Exception):
    """The Rust source has a form that is not understood."""


@dataclass
class Field:
    name: str
    type: str
    doc: str
    attributes: str

    @property
    def python(self) -> str:
        return self.name + "_" if self.name in KEYWORDS else self.name


@dataclass
class Variant:
    name: str
    doc: str
    fields: list[Field]

    @property
    def word(self) -> str:
        return snake(self.name)


def snake(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


def sentence(lines: list[str]) -> str:
    """Rust documentation as Python documentation: links become code."""
    text = "\n".join(lines).strip()
    text = re.sub(r"\[`((?:[^`\]])+)`\](?:\([^)]*\))?", lambda found: "``" + found[1].replace("::", ".") + "``", text)
    text = re.sub(r"\[([^\]`]+)\]\([^)]*\)", r"\1", text)
    return re.sub(r"(?<!`)`([^`]+)`(?!`)", r"``\1``", text)


def body(source: str, header: str) -> tuple[list[str], str]:
    """The documentation above an item, and what is between its braces."""
    found = re.search(rf"^(\s*){re.escape(header)} \{{\n", source, re.MULTILINE)
    if not found:
        raise SourceError(f"no '{header}'")
    end = source.index("\n" + found[1].replace("\n", "") + "}", found.end() - 1)
    above = source[: found.start()].rstrip("\n").split("\n")
    doc: list[str] = []
    for line in reversed(above):
        stripped = line.strip()
        if stripped.startswith("///"):
            doc.insert(0, stripped[3:].removeprefix(" "))
        elif not stripped.startswith("#["):
            break
    return doc, source[found.end() : end + 1]


def fields(text: str) -> list[Field]:
    result: list[Field] = []
    doc: list[str] = []
    attributes = ""
    for line in text.split("\n"):
        line = line.strip()
        if not line:
            continue
        if line.startswith("///"):
            doc.append(line[3:].removeprefix(" "))
        elif line.startswith("#["):
            attributes += line
        elif found := re.fullmatch(r"(?:pub )?(?:r#)?(\w+): (.+),", line):
            result.append(Field(found[1], found[2], sentence(doc), attributes))
            doc, attributes = [], ""
        elif not line.startswith("//"):
            raise SourceError(f"what is '{line}'?")
    return result


def variants(text: str) -> list[Variant]:
    result: list[Variant] = []
    doc: list[str] = []
    lines = iter(text.split("\n"))
    for line in lines:
        line = line.strip()
        if line.startswith("///"):
            doc.append(line[3:].removeprefix(" "))
        elif found := re.fullmatch(r"(\w+),", line):
            result.append(Variant(found[1], sentence(doc), []))
            doc = []
        elif found := re.fullmatch(r"(\w+) \{", line):
            inner: list[str] = []
            for inner_line in lines:
                if inner_line.strip() == "},":
                    break
                inner.append(inner_line)
            result.append(Variant(found[1], sentence(doc), fields("\n".join(inner))))
            doc = []
        elif line and not line.startswith("#["):
            raise SourceError(f"what is '{line}'?")
    return result


def python_type(rust: str) -> str:
    if found := re.fullmatch(r"Option<(.+)>", rust):
        return f"{python_type(found[1])} | None"
    if found := re.fullmatch(r"Vec<(.+)>", rust):
        return f"tuple[{python_type(found[1])}, ...]"
    if rust in TEXT_TYPES:
        return "str"
    if rust in NUMBER_TYPES:
        return "int"
    if rust == "Duration":
        return "timedelta"
    plain = {"f64": "float", "bool": "bool", "Instant": "float"}
    if rust in plain:
        return plain[rust]
    if rust in ALL_WORDS:
        return f"words.{rust}"
    if re.fullmatch(r"[A-Z]\w+", rust):
        return rust
    raise SourceError(f"what is the type '{rust}'?")


def default(field: Field) -> str | None:
    if field.type.startswith("Option<"):
        return "None"
    if "default" not in field.attributes:
        return None
    usual = {"bool": "False", "u32": "0", "u64": "0", "i64": "0", "usize": "0"}
    return "()" if field.type.startswith("Vec<") else usual.get(field.type)


def docstring(text: str, indent: str) -> str:
    text = text.replace("\\", "\\\\")
    first, _, rest = text.partition("\n")
    wrapped = textwrap.wrap(first if not rest else text.replace("\n", " "), 116 - len(indent))
    if rest and ("|" in rest or "```" in rest or "\n\n" in text):
        paragraph = text.split("\n\n")[0].replace("\n", " ")
        wrapped = textwrap.wrap(paragraph, 116 - len(indent))
    if len(wrapped) == 1 and len(wrapped[0]) + len(indent) + 6 <= 120:
        return f'{indent}"""{wrapped[0]}"""\n'
    return f'{indent}"""' + f"\n{indent}".join(wrapped) + f'\n{indent}"""\n'


def class_of(name: str, base: str, doc: str, members: list[Field], extra: str = "") -> str:
    out = "@dataclass(frozen=True, slots=True)\n"
    out += f"class {name}{f'({base})' if base else ''}:\n"
    out += docstring(doc, "    ")
    if extra:
        out += "\n" + extra
    ordered = [f for f in members if default(f) is None] + [f for f in members if default(f) is not None]
    for field in ordered:
        value = default(field)
        out += f"\n    {field.python}: {python_type(field.type)}{f' = {value}' if value is not None else ''}\n"
        out += docstring(field.doc, "    ")
    return out


def heading(doc: str, source: str) -> str:
    return f"{docstring(doc, '')}\n# Written by tools/generate.py from {source}: change it there.\n\n"


def words(entries: dict[str, list[str | tuple[str, str]]], root: Path, doc: str, source: str, base: str) -> str:
    out = heading(doc, source)
    out += "from __future__ import annotations\n\n" + base
    for file, names in entries.items():
        text = (root / file).read_text()
        for entry in names:
            rust, name = entry if isinstance(entry, tuple) else (entry, entry)
            about, inner = body(text, f"pub enum {rust}" if f"pub enum {rust} " in text else f"pub(crate) enum {rust}")
            known = dict(written_words(text, rust))
            if not about:
                about = ["Names a setting of ``datacenter.cfg``."]
            out += f"\n\nclass {name}(Word):\n" + docstring(sentence(about), "    ")
            for variant in variants(inner):
                word = known.get(variant.name, variant.word)
                out += f'\n    {variant.word.upper()} = "{word}"\n' + docstring(variant.doc, "    ")
    return out


def written_words(text: str, rust: str) -> list[tuple[str, str]]:
    found = re.search(rf"text_enum! \{{\n\s*{rust}: .*?\n\}}", text, re.DOTALL)
    return re.findall(r'(\w+) = "([^"]*)"', found[0]) if found else []


def union(rust_file: Path, rust: str, doc: str, base_module: str, base: str, imports: str) -> str:
    source = rust_file.relative_to(ROOT).as_posix()
    _, inner = body(rust_file.read_text(), f"pub enum {rust}")
    out = heading(doc, source)
    out += "from __future__ import annotations\n\nfrom dataclasses import dataclass\n\n"
    out += imports.replace("#base#", f"from {base_module} import {base}")
    names = []
    for variant in variants(inner):
        names.append(variant.name)
        extra = f'    _tag = "{variant.word}"\n'
        out += "\n\n" + class_of(variant.name, base, variant.doc, variant.fields, extra)
    listed = "".join(f'    "{name}",\n' for name in sorted([*names, base]))
    return out.replace("\n\n\n@dataclass", f"\n\n__all__ = [\n{listed}]\n\n\n@dataclass", 1)


def timing_settings() -> str:
    text = (CORE / "timing/mod.rs").read_text()
    block = re.search(r"^times! \{\n(.*?)^\}", text, re.MULTILINE | re.DOTALL)
    if not block:
        raise SourceError("no times!")
    constants = {"MINUTE": 60_000, "HOUR": 3_600_000, "DAY": 86_400_000}
    out = "@dataclass(frozen=True, slots=True)\nclass TimingSettings:\n"
    out += '    """What can be set. Nothing is checked before ``Timings`` is made from it; a time that is not given\n'
    out += "    has its customary value.\n\n    >>> from datetime import timedelta\n"
    out += "    >>> Timings(TimingSettings(watchdog_timeout=timedelta(seconds=61))).settings.watchdog_timeout.seconds\n"
    out += '    61\n    """\n'
    doc: list[str] = []
    for line in block[1].split("\n"):
        line = line.strip()
        if line.startswith("///"):
            doc.append(line[3:].removeprefix(" "))
        elif found := re.fullmatch(r'(\w+) \w+ "(\w+)": ([^,]+), .*;', line):
            value = found[3].strip()
            milliseconds = constants[value] if value in constants else int(value.replace("_", ""))
            out += f"\n    {found[1]}: timedelta = timedelta(milliseconds={milliseconds})\n"
            out += docstring(sentence(doc), "    ")
            doc = []
    _, inner = body(text, "pub const fn customary() -> Self")
    numbers = dict(re.findall(r"(\w+): ([\d_]+),", inner))
    for number in re.finditer(r"((?:^\s*///.*\n)+)\s*pub (\w+): u32,", text, re.MULTILINE):
        about = [line.strip()[3:].removeprefix(" ") for line in number[1].strip().split("\n")]
        out += f"\n    {number[2]}: int = {numbers[number[2]]}\n" + docstring(sentence(about), "    ")
    return out


def guest_locks() -> str:
    text = (CORE / "host/mod.rs").read_text()
    found = re.search(r"/// (.*)\npub const LEFTOVER_GUEST_LOCKS: .*=\s*\[([^]]*)\];", text)
    if not found:
        raise SourceError("no LEFTOVER_GUEST_LOCKS")
    items = "".join(f"    {item.strip()},\n" for item in found[2].split(","))
    return f"LEFTOVER_GUEST_LOCKS = (\n{items})\n{docstring(found[1], '')}"


BASE_WORD = '''import enum


class Word(str, enum.Enum):
    """A word of a small set. It is equal to, and hashes as, the text that stands for it.

    >>> StateName.STARTED == "started", StateName("started") is StateName.STARTED, f"{StateName.STARTED}"
    (True, True, 'started')
    """

    def __str__(self) -> str:
        return str.__str__(self)

    def __format__(self, format_spec: str) -> str:
        return str.__format__(self, format_spec)
'''


def all_files() -> dict[Path, str]:
    core_words = words(WORDS, CORE, "The words that states, events and settings have.", "ha-core", BASE_WORD)
    core_words += "\n\n" + guest_locks()
    sim_words = words(
        SIM_WORDS, ROOT / "ha-sim/src", "The words of virtual clusters.", "ha-sim", "from pyha.words import Word\n"
    )

    def with_words(make: str) -> str:
        line = "from pyha import words\n" if re.search(r"\bwords\.[A-Z]", make) else ""
        return make.replace("#words#\n", line)

    files = {OUT / "words.py": core_words, OUT / "sim/words.py": sim_words}
    unions = [
        (
            "events.py",
            CORE / "event/mod.rs",
            "Event",
            "Everything that happens, a class for each kind of event.\n",
            "pyha._data",
        ),
        (
            "fates.py",
            CORE / "placement/explain/mod.rs",
            "Fate",
            "What becomes of a node when a place is looked for.",
            "pyha._data",
        ),
        (
            "changes.py",
            CORE / "placement/explain/counterfactual.rs",
            "Change",
            "What would have to be different for a service to go elsewhere.",
            "pyha._data",
        ),
        (
            "outcomes.py",
            CORE / "placement/balance/mod.rs",
            "BalanceOutcome",
            "How automatic balancing comes out.",
            "pyha._data",
        ),
        (
            "sim/events.py",
            ROOT / "ha-sim/src/world/happening.rs",
            "ClusterEvent",
            "What happens in a virtual cluster outside of the daemons.",
            "pyha._data",
        ),
    ]
    for name, source, rust, doc, base_module in unions:
        extra = "from pyha.records import Figure\n" if rust == "Change" else ""
        imports = f"#words#\n#base#\n{extra}"
        files[OUT / name] = with_words(union(source, rust, doc.strip(), base_module, rust, imports))
    records = heading("Records: plain values with named fields.", "ha-core")
    records += (
        "from __future__ import annotations\n\nfrom dataclasses import dataclass\nfrom datetime import timedelta\n\n"
    )
    records += "#words#\nfrom pyha._data import BalanceOutcome, Change, Fate\n\n\n"
    records += (Path(__file__).parent / "records.py.txt").read_text()
    for file, names in RECORDS.items():
        text = (CORE / file).read_text()
        for name in names:
            about, inner = body(text, f"pub struct {name}")
            extra = EXTRAS.get(name, "")
            records += "\n\n" + class_of(name, "", sentence(about), fields(inner), extra)
    records += "\n\n" + timing_settings().replace(
        "    >>> Timings(", "    >>> from pyha import Timings\n    >>> Timings("
    )
    files[OUT / "records.py"] = with_words(records)
    return files


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing, fail if a file is stale")
    check = parser.parse_args().check
    stale = 0
    for path, text in all_files().items():
        if path.exists() and path.read_text() == text:
            continue
        stale += 1
        if check:
            print(f"{path} is stale: run tools/generate.py", file=sys.stderr)
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
            print(f"wrote {path}")
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
