#!/usr/bin/env python3
"""Plants each bug of tests/simulation/bugs in a copy of the tree and expects the simulation to find it.

A patch that does not apply or does not compile is a failure, not a catch. Arguments: parts of names; without any, all.
SCHEDULES is how many schedules each bug may take, 100000 without it.
"""

import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BUGS = ROOT / "tests" / "simulation" / "bugs"
PLACE = ROOT / "target" / "planted"
TREE = PLACE / "tree"
SCHEDULES = os.environ.get("SCHEDULES", "100000")
LEFT_OUT = ("target", ".git")
# What a broken promise is told with; a panic of the code under test is a catch too.
CAUGHT = re.compile(r"^schedule (\d+), commit|panicked at src/", re.MULTILINE)


def copy_tree() -> None:
    """Brings the copy up to date and leaves what is equal untouched, so that little is built again."""
    wanted = set()
    for source in sorted(ROOT.rglob("*")):
        relative = source.relative_to(ROOT)
        if relative.parts[0] in LEFT_OUT or not source.is_file():
            continue
        wanted.add(relative)
        put(relative, source.read_bytes())
    for old in sorted(TREE.rglob("*")):
        if old.is_file() and old.relative_to(TREE) not in wanted:
            old.unlink()


def put(relative: Path, content: bytes) -> None:
    target = TREE / relative
    if target.is_file() and target.read_bytes() == content:
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(content)


def run(command: list[str], **settings: str) -> subprocess.CompletedProcess:
    environment = {**os.environ, "CARGO_TARGET_DIR": str(BUILD), "CARGO_INCREMENTAL": "1", **settings}
    return subprocess.run(command, cwd=TREE, env=environment, capture_output=True, text=True, check=False)


def cargo_test(test: str, *more: str) -> list[str]:
    return ["cargo", "test", "--quiet", *OPTIMIZED, "--test", test, *more]


def simulate(schedules: str) -> subprocess.CompletedProcess:
    command = cargo_test("simulation", "no_schedule", "--", "--nocapture")
    return run(command, SCHEDULES=schedules, SEED="1", RUST_BACKTRACE="0")


def verdict(patch: Path) -> str:
    """Empty where the bug was caught."""
    copy_tree()
    applied = run(["patch", "--strip=1", "--fuzz=0", "--no-backup-if-mismatch", f"--input={patch}"])
    if applied.returncode != 0:
        return f"does not apply: {applied.stdout.strip()}"
    built = run(["cargo", "test", "--quiet", "--test", "simulation", "--no-run"], CARGO_INCREMENTAL="1")
    if built.returncode != 0:
        return f"does not compile:\n{built.stderr}"
    began = time.monotonic()
    ran = simulate(SCHEDULES)
    found = CAUGHT.search(ran.stdout + ran.stderr)
    if ran.returncode == 0 or found is None:
        return f"was not caught in {SCHEDULES} schedules"
    print(f"{patch.stem}: caught at schedule {found.group(1)}, {time.monotonic() - began:.1f} s", flush=True)
    return ""


def main() -> int:
    if shutil.which("patch") is None:
        print("the program `patch` is needed")
        return 1
    names = sys.argv[1:]
    patches = [it for it in sorted(BUGS.glob("*.patch")) if not names or any(name in it.stem for name in names)]
    if not patches:
        print("there is no such bug")
        return 1
    copy_tree()
    sound = simulate("1000")
    if sound.returncode != 0:
        print(f"the simulation fails without a bug:\n{sound.stdout}{sound.stderr}")
        return 1
    failures = {patch.stem: why for patch in patches if (why := verdict(patch))}
    for name, why in failures.items():
        print(f"{name} {why}")
    print(f"{len(patches) - len(failures)} of {len(patches)} planted bugs were caught")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
