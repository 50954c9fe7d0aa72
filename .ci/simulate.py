"""Runs exchangelib against `email_logger simulate`, the program that a person would start.

Usage: simulate.py PROGRAM, with a Python that has exchangelib. The checks are those of
tests/exchangelib/check.py but for name resolution, because the program's server has no directory.
"""

import json
import pathlib
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tests" / "exchangelib"))
import check  # noqa: E402

MAILS = 30
STEPS = [check.folders, check.reading, check.sorting_and_paging, check.filters, check.moving, check.changing, check.mailbox]


def write_mails(directory):
    for number in range(1, MAILS + 1):
        lines = [
            "From: Anna <anna@customer.example>",
            "To: Sam <sam@corp.example>",
            f"Subject: Offer {number}",
            f"Message-ID: <{number}@customer.example>",
            "Date: Mon, 5 Jan 2026 09:00:00 +0100",
            "Content-Type: text/plain",
            "",
            f"Offer number {number}",
            "",
        ]
        (directory / f"{number:02}.eml").write_bytes("\r\n".join(lines).encode())


def first_value(stream):
    """The JSON value that the program writes before it serves."""
    text = ""
    for line in stream:
        text += line
        try:
            return json.loads(text)
        except json.JSONDecodeError:
            continue
    raise SystemExit(f"simulate ended without telling where it serves: {text}")


def run_checks(told):
    check.Message.register("search_key", check.SearchKey)
    user, password = told["user-name"], told["password"]
    account = check.connect(told["url"], user, password, user, told["ca-file"])
    checks = check.Checks()
    checks.equal("all mails are in the queue", told["mails"], MAILS)
    for step in STEPS:
        checks.step(step, checks, account)
    print(f"exchangelib against simulate: {checks.passed} checks passed, {checks.failed} failed")
    return checks.failed


def main():
    with tempfile.TemporaryDirectory() as made:
        directory = pathlib.Path(made)
        write_mails(directory)
        command = [sys.argv[1], "--json", "simulate", made, "--ca-file", str(directory / "ca.pem")]
        server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        try:
            failed = run_checks(first_value(server.stdout))
        finally:
            server.terminate()
            server.wait(timeout=30)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
