"""Runs scripts, one after the other, against one stand-in for Exchange.

In, as JSON: `organization` (settings), `things` (what there is already), `sessions` (that are open),
`signs_in` (who does so at the prompt, whatever it is filled with), `scripts`, and `items` (so many in a folder after
so many scripts).
Out: for each script what it wrote, warned, changed and how it failed, and what there is after it.
"""

import copy
import json
import sys

from exchange import Exchange
from powershell import Interpreter, Thrown, Unsupported


def run(case):
    exchange = Exchange(case.get("organization", {}))
    for noun, things in case.get("things", {}).items():
        exchange.things[noun].extend(copy.deepcopy(things))
    exchange.sessions.extend(copy.deepcopy(case.get("sessions", [])))
    exchange.signs_in = case.get("signs_in")
    interpreter, results = Interpreter(exchange.call), []
    for script in case["scripts"]:
        exchange.changes = []
        error = None
        try:
            interpreter.run(script)
        except Thrown as thrown:
            error = str(thrown)
        results.append({"output": [str(one) for one in interpreter.output], "warnings": interpreter.warnings,
                        "changes": exchange.changes, "error": error, "state": copy.deepcopy(exchange.summary())})
        for items in case.get("items", []):
            if items["after"] == len(results):
                for noun in ("PublicFolder", "Mailbox"):
                    for found in exchange.found(noun, items["folder"]):
                        found["Items"] = items["count"]
    return results


def main():
    try:
        json.dump(run(json.load(sys.stdin)), sys.stdout)
    except Unsupported as unsupported:
        sys.exit(f"not run: {unsupported}")


if __name__ == "__main__":
    main()
