#!/usr/bin/env python3
"""Plants each bug of tests/simulation/bugs in a copy of the tree and expects a test to find it.

A patch that does not apply or does not compile is a failure, not a catch. The simulation looks for the bug, or the test
binary that a line `Test: NAME` (or, of a slow one, `Test: NAME FUNCTION`, as `--list` names it) before the patch names:
what the simulation cannot see. A line `Store: NAME` before the patch says which store the simulation runs on, if not on the one in memory.

Each patch says `true` where the bug is switched on. As many as fit beside each other are planted in one build, each behind
a switch of its own in that place, and every run switches one of them on. Without a switch that build must be sound: the
simulation, on each store that is named, and every test that is named are run so first, and have to succeed.

Arguments: parts of names; `--few` for one of each kind; without any, all.
SCHEDULES is how many schedules each bug may take, 100000 without it.

The copy shares the target directory, and so the dependencies that are built.
"""

import os
import re
import shutil
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BUGS = ROOT / "tests" / "simulation" / "bugs"
BUILD = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")).resolve()
TREE = BUILD / "planted"
SCHEDULES = os.environ.get("SCHEDULES", "100000")
# How many schedules show that the simulation finds nothing where no bug is switched on.
SOUND = {"memory": "1000", "sqlite": "1000", "postgres": "50"}
LEFT_OUT = ("target", ".git")
# One of the mail system, one of the store, one of the move, one of the lease, one of the counts, one that another test finds.
FEW = (
    "i02-the-move-comes-before-the-commit",
    "i03-the-key-of-an-entry-is-not-unique",
    "i09-a-commit-is-not-fenced",
    "i10-a-move-is-repeated-without-a-look",
    "i14-what-is-left-at-the-end-is-not-counted",
    "i13-parts-nest-without-a-limit",
)
# What a broken promise is told with; a panic of the code under test is a catch too.
CAUGHT = re.compile(r"^schedule (\d+), commit|panicked at src/", re.MULTILINE)
SWITCH = """
/// Whether the bug of this number is switched on.
pub(crate) fn planted(number: u32) -> bool {
    static CHOSEN: std::sync::LazyLock<Option<u32>> =
        std::sync::LazyLock::new(|| std::env::var("PLANTED").ok()?.parse().ok());
    *CHOSEN == Some(number)
}
"""
VERSION = re.compile(rb'(^name = "email-logging"\nversion = "[^"]+)"', re.MULTILINE)
NAMED = re.compile(r"^Test: (\S+) ?(\S*)$", re.MULTILINE)
STORE = re.compile(r"^Store: (\S+)$", re.MULTILINE)
PASSED = re.compile(r"^test result: ok\. (\d+) passed", re.MULTILINE)
FAILED = re.compile(r"^test (\S+) \.\.\. FAILED|^    (\S+)$", re.MULTILINE)


def copy_tree() -> None:
    """Brings the copy up to date and leaves what is equal untouched, so that little is built again."""
    wanted = set()
    for source in sorted(ROOT.rglob("*")):
        relative = source.relative_to(ROOT)
        if relative.parts[0] in LEFT_OUT or not source.is_file():
            continue
        wanted.add(relative)
        put(relative, marked(relative, source.read_bytes()))
    for old in sorted(TREE.rglob("*")):
        if old.is_file() and old.relative_to(TREE) not in wanted:
            old.unlink()


def marked(relative: Path, content: bytes) -> bytes:
    """Gives the copy a version of its own: else cargo takes what it built of the copy for what is built of the tree."""
    if str(relative) not in ("Cargo.toml", "Cargo.lock"):
        return content
    changed, count = VERSION.subn(rb'\1-planted"', content)
    if count != 1:
        sys.exit(f"{relative} does not name the version of the package")
    return changed


def put(relative: Path, content: bytes) -> None:
    target = TREE / relative
    if target.is_file() and target.read_bytes() == content:
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(content)


def run(command: list[str], **settings: str) -> subprocess.CompletedProcess:
    environment = {**os.environ, "CARGO_TARGET_DIR": str(BUILD), "CARGO_INCREMENTAL": "0", **settings}
    return subprocess.run(command, cwd=TREE, env=environment, capture_output=True, text=True, check=False)


def cargo_test(tests: Iterable[str], *more: str) -> list[str]:
    named = [word for test in sorted(set(tests)) for word in ("--test", test)]
    return ["cargo", "test", "--quiet", *named, *more]


def simulate(schedules: str, store: str, **settings: str) -> subprocess.CompletedProcess:
    command = cargo_test(["simulation"], "no_schedule", "--", "--nocapture")
    return run(command, SCHEDULES=schedules, STORE=store, SEED="1", RUST_BACKTRACE="0", **settings)


def run_test(test: str, functions: set[str], **settings: str) -> subprocess.CompletedProcess:
    """Runs these functions of a test binary, or all of it where one of them has no name."""
    exact = [] if "" in functions else ["--", "--exact", *sorted(functions)]
    return run(cargo_test([test], *exact), **settings)


@dataclass
class Bug:
    """A patch and the number of its switch."""

    path: Path
    number: int

    @property
    def name(self) -> str:
        return self.path.stem

    @property
    def test(self) -> tuple[str, str]:
        named = NAMED.search(self.head)
        return named.groups() if named else ("simulation", "")

    @property
    def store(self) -> str:
        """The store that the simulation runs on."""
        named = STORE.search(self.head)
        return named.group(1) if named else "memory"

    @property
    def head(self) -> str:
        return self.path.read_text().split("--- ")[0]

    def switched(self) -> str:
        """The patch with its switch in the place of each `true` that it adds."""
        lines = self.path.read_text().splitlines(keepends=True)
        switch = f"crate::planted({self.number})"
        return "".join(re.sub(r"\btrue\b", switch, it) if re.match(r"\+(?!\+\+ )", it) else it for it in lines)

    def found(self) -> str:
        """How a test caught the bug; empty where none did."""
        test, function = self.test
        settings = {"PLANTED": str(self.number)}
        if test == "simulation":
            ran = simulate(SCHEDULES, self.store, **settings)
            caught = CAUGHT.search(ran.stdout + ran.stderr)
            how = f"schedule {caught.group(1)}" if caught and caught.group(1) else "a panic"
        else:
            ran = run_test(test, {function}, **settings)
            caught = FAILED.findall(ran.stdout)
            how = f"{test}: {', '.join(sorted({a or b for a, b in caught}))}"
        return how if ran.returncode and caught else ""


def apply(patch: str, *more: str) -> str:
    """Empty where the patch applies."""
    command = ["patch", "--strip=1", "--force", "--no-backup-if-mismatch", "--reject-file=-", *more]
    applied = subprocess.run(command, cwd=TREE, input=patch, capture_output=True, text=True, check=False)
    return applied.stdout.strip() if applied.returncode else ""


def plant(bugs: list[Bug]) -> list[Bug]:
    """Plants what fits beside each other; answers what is left."""
    copy_tree()
    root = TREE / "src" / "lib.rs"
    root.write_text(root.read_text() + SWITCH)
    left = []
    for bug in bugs:
        if apply(bug.switched(), "--dry-run"):
            left.append(bug)
        else:
            apply(bug.switched())
    return left


def unsound(bugs: list[Bug]) -> dict[str, str]:
    """Of each bug whose test fails where no bug is switched on, what that test says: it would fail for any."""
    failures = {}
    by_store, by_test = defaultdict(list), defaultdict(list)
    for bug in bugs:
        if bug.test[0] == "simulation":
            by_store[bug.store].append(bug)
        else:
            by_test[bug.test[0]].append(bug)
    for store, found_by in by_store.items():
        ran = simulate(SOUND[store], store)
        if ran.returncode != 0:
            failures |= {bug.name: f"fails without a bug:\n{ran.stdout}{ran.stderr}" for bug in found_by}
    for test, found_by in by_test.items():
        functions = {bug.test[1] for bug in found_by}
        ran = run_test(test, functions)
        passed = PASSED.search(ran.stdout)
        # A function that was renamed is left out in silence.
        there = "" in functions or (passed and int(passed.group(1)) == len(functions))
        if ran.returncode != 0 or not passed or not there:
            why = "fails without a bug" if ran.returncode else "is not there by that name, as one of these"
            why = f"{why}: {test} {' '.join(sorted(functions))}\n{ran.stdout}{ran.stderr}"
            failures |= {bug.name: why for bug in found_by}
    return failures


def verdicts(bugs: list[Bug]) -> dict[str, str]:
    """Of each bug that was not caught, why."""
    left = plant(bugs)
    planted = [bug for bug in bugs if bug not in left]
    began = time.monotonic()
    built = run(cargo_test(["simulation", *(bug.test[0] for bug in planted)], "--no-run"))
    print(f"{len(planted)} bugs in one build: {time.monotonic() - began:.0f} s", flush=True)
    if built.returncode != 0:
        if len(planted) == 1:
            return {planted[0].name: f"does not compile:\n{built.stderr}"} | (verdicts(left) if left else {})
        half = len(planted) // 2
        return verdicts(planted[:half]) | verdicts(planted[half:]) | (verdicts(left) if left else {})
    began = time.monotonic()
    missed = unsound(planted)
    print(f"without a bug, {len(missed)} of them have a test that fails: {time.monotonic() - began:.0f} s", flush=True)
    for bug in planted:
        if bug.name in missed:
            continue
        began = time.monotonic()
        how = bug.found()
        if how:
            print(f"{bug.name}: {how}, {time.monotonic() - began:.1f} s", flush=True)
        else:
            searched = f"{SCHEDULES} schedules" if bug.test[0] == "simulation" else bug.test[1] or "all of it"
            missed[bug.name] = f"was not caught ({bug.test[0]}, {searched})"
    return missed | (verdicts(left) if left else {})


def forget() -> None:
    """What is built of the copy is taken for the tree's own, which has the same name: it is built again."""
    for fingerprint in (BUILD / "debug" / ".fingerprint").glob("email-logging-*"):
        shutil.rmtree(fingerprint, ignore_errors=True)


def chosen(names: list[str]) -> list[Path]:
    patches = sorted(BUGS.glob("*.patch"))
    if names == ["--few"]:
        return [patch for patch in patches if patch.stem in FEW]
    return [it for it in patches if not names or any(name in it.stem for name in names)]


def main() -> int:
    if shutil.which("patch") is None:
        print("the program `patch` is needed")
        return 1
    patches = chosen(sys.argv[1:])
    if not patches or (sys.argv[1:] == ["--few"] and len(patches) != len(FEW)):
        print("there is no such bug")
        return 1
    began = time.monotonic()
    copy_tree()
    bugs = [Bug(path, number) for number, path in enumerate(patches)]
    failures = {}
    for bug in list(bugs):
        why = apply(bug.path.read_text(), "--dry-run", "--fuzz=0")
        if why or bug.switched() == bug.path.read_text():
            failures[bug.name] = f"does not apply: {why}" if why else "has no switch"
            bugs.remove(bug)
    try:
        failures |= verdicts(bugs) if bugs else {}
    finally:
        forget()
    for name, why in failures.items():
        print(f"{name} {why}")
    caught = len(patches) - len(failures)
    print(f"{caught} of {len(patches)} planted bugs were caught, {time.monotonic() - began:.0f} s")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
