"""Checks the simulated Exchange with exchangelib, an EWS client that nobody here wrote.

Usage: check.py URL USER PASSWORD ADDRESS [CA_FILE [NTLM]]

The server must have the public folders Email Logging\\Queue and Email Logging\\Storage, and in the
queue at least 25 messages whose subjects are "Offer 1", "Offer 2" and so on, in the order of their
arrival. The last line is "N passed, N failed"; the exit status is 1 when something failed.
"""

import hashlib
import sys
import traceback

import requests.adapters
from exchangelib import (
    BASIC,
    DELEGATE,
    NTLM,
    Account,
    Configuration,
    Credentials,
    EWSDateTime,
    ExtendedProperty,
    FaultTolerance,
    Message,
    Q,
)
from exchangelib.errors import ErrorItemNotFound
from exchangelib.protocol import BaseProtocol
from exchangelib.version import EXCHANGE_2010


class SearchKey(ExtendedProperty):
    property_tag = 0x300B
    property_type = "Binary"


class TrustGivenAuthority(requests.adapters.HTTPAdapter):
    ca_file = None

    def cert_verify(self, conn, url, verify, cert):
        super().cert_verify(conn=conn, url=url, verify=self.ca_file or verify, cert=cert)


class Checks:
    def __init__(self):
        self.passed = 0
        self.failed = 0

    def check(self, name, condition, detail=""):
        if condition:
            self.passed += 1
            print(f"ok    {name}")
        else:
            self.failed += 1
            print(f"FAIL  {name} {detail}")

    def equal(self, name, found, expected):
        self.check(name, found == expected, f"found {found!r}, expected {expected!r}")

    def step(self, function, *arguments):
        try:
            function(*arguments)
        except Exception:
            self.failed += 1
            print(f"FAIL  {function.__name__}")
            traceback.print_exc(file=sys.stdout)


def connect(url, user, password, address, ca_file, auth_type=BASIC):
    TrustGivenAuthority.ca_file = ca_file
    BaseProtocol.HTTP_ADAPTER_CLS = TrustGivenAuthority
    configuration = Configuration(
        service_endpoint=url,
        credentials=Credentials(user, password),
        auth_type=auth_type,
        retry_policy=FaultTolerance(max_wait=5),
    )
    return Account(address, config=configuration, autodiscover=False, access_type=DELEGATE)


def folders(checks, account):
    root = account.public_folders_root
    names = sorted(folder.absolute for folder in root.walk())
    checks.check("the public folders are listed", any(n.endswith("/Queue") for n in names), names)
    queue = root / "Email Logging" / "Queue"
    storage = root / "Email Logging" / "Storage"
    checks.equal("a folder is found by its path", queue.name, "Queue")
    rights = queue.effective_rights
    checks.check("the user may read and delete", rights.read and rights.delete)
    checks.equal("the storage folder has no child", storage.child_folder_count, 0)
    found = root // "Email Logging" // "Storage"
    checks.equal("a folder is found by single steps", found.id, storage.id)


def reading(checks, account):
    queue = account.public_folders_root / "Email Logging" / "Queue"
    item = queue.all().order_by("datetime_received")[0]
    checks.equal("the oldest comes first", item.subject, "Offer 1")
    checks.check("the item is a message", isinstance(item, Message), type(item))
    checks.equal("the sender is read", item.sender.email_address, "anna@customer.example")
    checks.equal("the recipient is read", item.to_recipients[0].email_address, "sam@corp.example")
    checks.check("the MIME content is read", b"Subject: Offer 1\r\n" in item.mime_content)
    checks.equal("the size is that of the MIME", item.size, len(item.mime_content))
    checks.check("the body is read", "Offer number 1" in item.body, item.body)
    checks.equal("the Message-ID is read", item.message_id, "<1@customer.example>")
    headers = {header.name: header.value for header in item.headers}
    checks.equal("header fields are read", headers["Subject"], "Offer 1")
    digests = {hashlib.sha256(m.mime_content).hexdigest() for m in queue.all().only("mime_content")}
    checks.equal("every MIME is different", len(digests), queue.total_count)


def sorting_and_paging(checks, account):
    queue = account.public_folders_root / "Email Logging" / "Queue"
    total = queue.all().count()
    subjects = [f"Offer {number}" for number in range(1, total + 1)]
    ordered = queue.all().order_by("datetime_received")
    ordered.page_size = 7
    checks.equal("all pages are read", [i.subject for i in ordered.only("subject")], subjects)
    newest = queue.all().order_by("-datetime_received").only("subject")
    checks.equal("the newest comes first", newest[0].subject, subjects[-1])
    page = queue.all().order_by("datetime_received").only("subject")[10:15]
    checks.equal("a slice is read", [i.subject for i in page], subjects[10:15])
    by_subject = [i.subject for i in queue.all().order_by("subject").only("subject")]
    checks.equal("subjects are sorted as text", by_subject, sorted(subjects))


def filters(checks, account):
    queue = account.public_folders_root / "Email Logging" / "Queue"
    numbers = range(1, queue.all().count() + 1)

    def beginning(text):
        return sum(f"Offer {number}".startswith(text) for number in numbers)

    checks.equal("a subject is found", queue.filter(subject="Offer 3").count(), 1)
    any_case = queue.filter(subject__icontains="OFFER 2").count()
    checks.equal("case does not matter", any_case, beginning("Offer 2"))
    prefixed = queue.filter(subject__startswith="Offer 1").count()
    checks.equal("a prefix is found", prefixed, beginning("Offer 1"))
    either = Q(subject="Offer 3") | Q(subject="Offer 4")
    checks.equal("either of two is found", queue.filter(either).count(), 2)
    neither = queue.filter(~Q(subject="Offer 3")).count()
    checks.equal("all but one are found", neither, queue.all().count() - 1)
    first = queue.all().order_by("datetime_received")[0]
    later = queue.filter(datetime_received__gt=first.datetime_received).count()
    times = [item.datetime_received for item in queue.all().only("datetime_received")]
    expected = sum(time > first.datetime_received for time in times)
    checks.equal("what came later is found", later, expected)
    by_id = queue.filter(message_id="<5@customer.example>").count()
    checks.equal("a Message-ID is found", by_id, 1)
    future = EWSDateTime(2100, 1, 1, tzinfo=account.default_timezone)
    from_future = queue.filter(datetime_received__gte=future).count()
    checks.equal("nothing is from the future", from_future, 0)


def moving(checks, account):
    root = account.public_folders_root
    queue = root / "Email Logging" / "Queue"
    storage = root / "Email Logging" / "Storage"
    before = queue.all().count()
    item = queue.all().order_by("datetime_received")[0]
    old_id, key, mime = item.id, item.search_key, item.mime_content
    checks.check("the search key has 16 bytes", key is not None and len(key) == 16, key)
    checks.equal("the search key is found", queue.filter(search_key=key).count(), 1)
    item.move(storage)
    checks.check("a move changes the id", item.id != old_id)
    checks.equal("the queue has one less", queue.all().count(), before - 1)
    moved = storage.all().get(subject=item.subject)
    checks.equal("it arrived under its new id", moved.id, item.id)
    checks.equal("the search key survived", moved.search_key, key)
    checks.equal("the MIME survived", moved.mime_content, mime)
    gone = list(account.fetch(ids=[(old_id, None)]))
    checks.check("the old id is dead", isinstance(gone[0], ErrorItemNotFound), gone)


def changing(checks, account):
    storage = account.public_folders_root / "Email Logging" / "Storage"
    item = storage.all().order_by("datetime_received")[0]
    item.subject = "Renamed"
    item.is_read = True
    item.save(update_fields=["subject", "is_read"])
    again = storage.all().get(subject="Renamed")
    checks.check("a change is kept", again.is_read and again.id == item.id)
    copy_id, _ = item.copy(storage)
    checks.equal("a copy is there", storage.all().count(), 2)
    copy = next(account.fetch(ids=[(copy_id, None)]))
    checks.equal("a copy has the same search key", copy.search_key, item.search_key)
    copy.delete()
    checks.equal("a deleted item is gone", storage.all().count(), 1)
    new = Message(account=account, folder=storage, subject="Made", body="Hello")
    new.to_recipients = ["a@b.example"]
    new.save()
    checks.equal("a made item is there", storage.filter(subject="Made").count(), 1)


def mailbox(checks, account):
    checks.equal("the inbox is found", account.inbox.name, "Inbox")
    checks.equal("the inbox is empty", account.inbox.all().count(), 0)
    names = {folder.name for folder in account.root.walk()}
    checks.check("the folders of the mailbox are listed", {"Inbox", "Sent Items"} <= names, names)


def names(checks, account):
    found = account.protocol.resolve_names(["anna"], return_full_contact_data=True)
    checks.equal("a person is found", found[0][0].email_address, "anna@corp.example")
    zones = list(account.protocol.get_timezones())
    checks.check("time zones are listed", len(zones) == 1, zones)


def main():
    url, user, password, address = sys.argv[1:5]
    ca_file = sys.argv[5] if len(sys.argv) > 5 else None
    Message.register("search_key", SearchKey)
    checks = Checks()
    auth_type = NTLM if sys.argv[6:] == ["NTLM"] else BASIC
    account = connect(url, user, password, address, ca_file, auth_type)
    checks.check("the version is learnt", account.version.build >= EXCHANGE_2010, account.version)
    for step in [folders, reading, sorting_and_paging, filters, moving, changing, mailbox, names]:
        checks.step(step, checks, account)
    print(f"{checks.passed} passed, {checks.failed} failed")
    return 1 if checks.failed else 0


if __name__ == "__main__":
    sys.exit(main())
