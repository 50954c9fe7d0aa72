"""Prints, as JSON, what ElementTree finds in every well-formed answer below a folder."""

import base64
import json
import pathlib
import sys
import xml.etree.ElementTree as ET

SOAP = ("{http://schemas.xmlsoap.org/soap/envelope/}", "{https://schemas.xmlsoap.org/soap/envelope/}")
M = "{http://schemas.microsoft.com/exchange/services/2006/messages}"
T = "{http://schemas.microsoft.com/exchange/services/2006/types}"
E = "{http://schemas.microsoft.com/exchange/services/2006/errors}"


def text(element):
    return (element.text or "").strip() if element is not None else None


def is_soap(element, name):
    return element.tag in [ns + name for ns in SOAP]


class Damaged(Exception):
    """Text that is no base64."""


def decode(content):
    content = "".join(content.split()).rstrip("=")
    if not all(c.isascii() and (c.isalnum() or c in "+/") for c in content):
        raise Damaged
    content = content[: len(content) - (len(content) % 4 == 1)]
    return base64.b64decode(content + "=" * (-len(content) % 4))


def original(items):
    mime = None
    for item in [] if items is None else items:
        content = item.find(T + "MimeContent")
        if content is not None:
            mime = (mime or b"") + decode(content.text or "")
    return mime


def message(element):
    ids = lambda name: [node.get("Id") for node in element.iter(T + name) if node.get("Id") is not None]
    try:
        mime = original(element.find(M + "Items"))
    except Damaged:
        mime = None
    return {
        "code": text(element.find(M + "ResponseCode")) or "",
        "items": ids("ItemId"),
        "folders": ids("FolderId"),
        "folder_names": [text(node) for node in element.iter(T + "DisplayName")],
        "mime": None if mime is None else mime.hex(),
    }


def fault(element):
    codes = [node for node in element.iter() if node.tag in (E + "ResponseCode", M + "ResponseCode", T + "ResponseCode", "ResponseCode")]
    if codes:
        return text(codes[0])
    return (text(element.find("faultcode")) or "").split(":")[-1]


def answer(root):
    if not is_soap(root, "Envelope"):
        return {"kind": "not-soap", "fault": None, "messages": []}
    bodies = [child for child in root if is_soap(child, "Body")]
    if not bodies:
        return {"error": "ews.not_soap"}
    children = list(bodies[0])
    if not children:
        return {"error": "ews.not_soap"}
    first = children[0]
    if is_soap(first, "Fault"):
        return {"kind": "fault", "fault": fault(first), "messages": []}
    if not first.tag.startswith(M):
        return {"error": "ews.not_soap"}
    holders = [child for child in first if child.tag == M + "ResponseMessages"]
    messages = [message(child) for holder in holders for child in holder]
    return {"kind": "response", "fault": None, "messages": messages}


found = {}
base = pathlib.Path(sys.argv[1])
for path in sorted(base.glob("*/*.xml")):
    try:
        root = ET.fromstring(path.read_bytes())
    except ET.ParseError:
        continue
    found[str(path.relative_to(base))] = answer(root)
json.dump(found, sys.stdout)
