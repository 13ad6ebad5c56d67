"""What is peculiar to each notifier that ships; what all promise is in contracts/test_notifier.py."""

from __future__ import annotations

import mailbox
import os
from datetime import UTC, datetime, timedelta, timezone
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from orderflow.adapters.notifiers.maildir import MaildirNotifier
from orderflow.adapters.notifiers.memory import MemoryNotifier, NotifierFailure
from orderflow.errors import InputError, PortError
from orderflow.ports.notifier import Notice

NOTICE = Notice(
    id="SO-7/shipped",
    to="hanako@example.com",
    template="shipped",
    subject="Your order SO-7 is on its way",
    body="Two parcels left today.\n",
    order="SO-7",
    at=datetime(2026, 3, 1, 12, 30, tzinfo=UTC),
)


def mails(folder: Path) -> list[EmailMessage]:
    """Every mail in the maildir, in ``new`` or ``cur``, as a mail program would read it."""
    box = mailbox.Maildir(folder, create=False)
    contents = [box.get_bytes(key) for key in box.keys()]  # noqa: SIM118 - a mailbox iterates over its messages
    return [message_from_bytes(content, policy=policy.default) for content in contents]


def sent(folder: Path, notice: Notice = NOTICE) -> EmailMessage:
    """The one mail that a fresh maildir holds after this notice."""
    MaildirNotifier(folder, "shop@example.com").send(notice)
    (mail,) = mails(folder)
    return mail


def test_a_notice_is_a_whole_mail(tmp_path: Path) -> None:
    """Sender, recipient, subject, date and body are where every mail program looks for them."""
    mail = sent(tmp_path / "box")
    assert (mail["From"], mail["To"], mail["Subject"]) == ("shop@example.com", NOTICE.to, NOTICE.subject)
    assert mail["Date"].datetime == NOTICE.at
    assert mail.get_content() == NOTICE.body
    assert mail["Message-ID"].endswith("@example.com>")
    assert mail["Auto-Submitted"] == "auto-generated"
    assert (mail["X-Orderflow-Order"], mail["X-Orderflow-Template"]) == ("SO-7", "shipped")
    assert not mail.defects


def test_other_scripts_survive(tmp_path: Path) -> None:
    """Japanese in subject and body, an accent in the order number, and the shop's own time zone."""
    at = NOTICE.at.astimezone(timezone(timedelta(hours=9)))
    notice = evolve(NOTICE, subject="発送のお知らせ", body="ご注文の品を発送しました。\n", order="Ö-7", at=at)
    mail = sent(tmp_path, notice)
    assert (mail["Subject"], mail.get_content(), mail["X-Orderflow-Order"]) == (notice.subject, notice.body, "Ö-7")
    assert mail["Date"].datetime == NOTICE.at


@given(subject=st.text(st.characters(categories=["L", "N", "P", "S"]), max_size=150))
def test_every_subject_of_one_line_arrives(tmp_path_factory: pytest.TempPathFactory, subject: str) -> None:
    """Letters, digits, signs and emoji of all scripts come out as they went in, however the header is folded."""
    mail = sent(tmp_path_factory.mktemp("box"), evolve(NOTICE, subject=subject))
    assert mail["Subject"] == subject


def test_a_customer_id_gets_an_address_that_cannot_exist(tmp_path: Path) -> None:
    """Without an address the mail names the customer, and no mailer can deliver it to a stranger (RFC 2606)."""
    (address,) = sent(tmp_path, evolve(NOTICE, to="顧客 17850, 東京"))["To"].addresses
    assert (address.display_name, address.domain) == ("顧客 17850, 東京", "orderflow.invalid")


@pytest.mark.parametrize("name", ["to", "subject", "order", "template"])
@pytest.mark.parametrize("bad", ["x\nBcc: thief@example.com", "x\r\n\r\nbody", "x\x00", "\u202ex"])
def test_header_injection_is_refused(tmp_path: Path, name: str, bad: str) -> None:
    """A line break in a header would let a customer write headers of his own; no mail is made, now or later."""
    changes: dict[str, Any] = {name: bad}
    with pytest.raises(PortError, match=name) as caught:
        MaildirNotifier(tmp_path, "shop@example.com").send(evolve(NOTICE, **changes))
    assert (caught.value.port, caught.value.retry) == ("notifier", False)
    assert mails(tmp_path) == []


@pytest.mark.parametrize(
    "notice",
    [
        evolve(NOTICE, to="a@b@c"),
        evolve(NOTICE, to="hanako@"),
        evolve(NOTICE, to="two@example.com, three@example.com"),
        evolve(NOTICE, to=""),
        evolve(NOTICE, to="花子@example.com"),
        evolve(NOTICE, body="\ud800"),
    ],
    ids=["two signs", "no domain", "two addresses", "nobody", "not ASCII", "lone surrogate"],
)
def test_what_makes_no_valid_mail_is_refused_for_good(tmp_path: Path, notice: Notice) -> None:
    """A bad address or a broken text goes to the dead letters instead of being tried for ever."""
    with pytest.raises(PortError) as caught:
        MaildirNotifier(tmp_path, "shop@example.com").send(notice)
    assert not caught.value.retry
    assert mails(tmp_path) == []


def test_a_repeat_is_recognised_after_the_mail_was_read(tmp_path: Path) -> None:
    """The reader moved the mail to cur, then deleted it: sending again delivers nothing, in a new process too."""
    sent(tmp_path)
    (arrived,) = (tmp_path / "new").iterdir()
    read = tmp_path / "cur" / f"{arrived.name}:2,S"
    arrived.rename(read)
    MaildirNotifier(tmp_path, "shop@example.com").send(NOTICE)
    assert len(mails(tmp_path)) == 1
    read.unlink()
    MaildirNotifier(tmp_path, "shop@example.com").send(NOTICE)
    assert mails(tmp_path) == []


def test_a_crash_before_the_mark_is_no_second_mail(tmp_path: Path) -> None:
    """Delivered, killed, started again: the retry replaces the mail by its like."""
    before = sent(tmp_path)
    for mark in (tmp_path / "sent").iterdir():
        mark.unlink()
    assert sent(tmp_path).as_bytes() == before.as_bytes()


def test_a_crash_while_writing_leaves_nothing_to_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk in the middle: no half mail is visible, and the retry delivers a whole one."""

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    notifier = MaildirNotifier(tmp_path, "shop@example.com")
    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        with pytest.raises(PortError, match="No space left") as caught:
            notifier.send(NOTICE)
    assert caught.value.retry
    assert mails(tmp_path) == []
    notifier.send(NOTICE)
    assert len(mails(tmp_path)) == 1
    assert list((tmp_path / "tmp").iterdir()) == []


def test_the_maildir_is_made_with_its_parents(tmp_path: Path) -> None:
    """It works out of the box, and again on what is already there."""
    folder = tmp_path / "var" / "mail" / "shop"
    assert sent(folder)
    assert sent(folder)


def test_a_path_that_is_a_file_is_refused(tmp_path: Path) -> None:
    """Nothing can be delivered into a file: a typed error with its cause."""
    (tmp_path / "box").touch()
    with pytest.raises(PortError) as caught:
        MaildirNotifier(tmp_path / "box", "shop@example.com")
    assert isinstance(caught.value.__cause__, OSError)


@pytest.mark.parametrize("sender", ["", "shop", "shop@", "Shop <shop@example.com>", "a@b.c\nBcc: d@e.f"])
def test_the_sender_must_be_an_address(tmp_path: Path, sender: str) -> None:
    """A wrong sender is found at start, not with the first customer."""
    with pytest.raises(InputError, match="sender"):
        MaildirNotifier(tmp_path, sender)


@pytest.mark.parametrize(
    "failure, retry, delivered",
    [
        (NotifierFailure.REFUSED, False, 0),
        (NotifierFailure.TIMEOUT_BEFORE, True, 0),
        (NotifierFailure.TIMEOUT_AFTER, True, 1),
    ],
)
def test_a_scripted_failure_says_whether_to_retry(failure: NotifierFailure, *, retry: bool, delivered: int) -> None:
    """The error tells a no from a silence; after either, the next call works and delivers once."""
    notifier = MemoryNotifier([failure])
    with pytest.raises(PortError) as caught:
        notifier.send(NOTICE)
    assert (caught.value.retry, len(notifier.delivered)) == (retry, delivered)
    notifier.send(NOTICE)
    assert notifier.delivered == (NOTICE,)
