"""Notices as mail in a maildir: readable by every mail program, and by a mailer that passes them on."""

from __future__ import annotations

import os
import re
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime
from hashlib import sha256
from pathlib import Path
from threading import get_ident
from typing import Annotated

from orderflow.domain.engine.bounds import Name, Text
from orderflow.domain.engine.schema import faults_at
from orderflow.errors import Fault, InputError, PortError
from orderflow.ports.notifier import Notice

__all__ = ["MaildirNotifier"]

#: RFC 5321 section 4.5.3.1.3, without the angle brackets.
_Address = Annotated[str, Text(254, least=1)]

# A "valid e-mail address" of the HTML standard: what people use, without the quotes and comments of RFC 5322,
# for which the parser of the standard library has exceptions of its own.
_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*")


class MaildirNotifier:
    """Delivers each notice as one mail from ``sender`` into the maildir at ``path``, which is made if it is absent.

    File name and Message-ID follow from the notice's id. A mark in the folder ``sent`` beside ``new`` and ``cur``
    remembers what was delivered, after the reader has moved or deleted it, and takes the same time however many
    there are. Only a crash between delivery and mark, with the mail moved before the retry, can show a mail twice,
    with one Message-ID.

    Raises:
        InputError: ``sender`` is not a mail address.
        PortError: the folder cannot be made.
    """

    def __init__(self, path: str | Path, sender: str) -> None:
        self._folder, self._sender = Path(path), _address(sender, "sender")
        try:
            for part in ("tmp", "new", "cur", "sent"):
                (self._folder / part).mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise PortError("notifier", f"no maildir at {self._folder}: {error}", retry=False) from error

    def send(self, notice: Notice) -> None:
        """Writes the mail, unless it was written before.

        Raises:
            PortError: the notice makes no valid mail (not to be retried), or the disk refuses it.
        """
        name = sha256(notice.id.encode("utf-8", "surrogatepass")).hexdigest()[:32]
        content = self._mail(notice, name)
        try:
            self._deliver(name, content)
        except OSError as error:
            raise PortError("notifier", f"{self._folder}: {error}") from error

    def _mail(self, notice: Notice, name: str) -> bytes:
        faults = [
            *faults_at("to", _Address, notice.to),
            *faults_at("subject", Name, notice.subject),
            *faults_at("template", Name, notice.template),
            *faults_at("order", Name, notice.order),
        ]
        if faults:
            raise _unfit(faults)
        try:
            return bytes(self._message(notice, name))
        except (ValueError, MessageError) as error:
            raise _unfit([Fault("notice", "not_mail", str(error))]) from error

    def _message(self, notice: Notice, name: str) -> EmailMessage:
        message = EmailMessage()
        message["From"] = self._sender
        message["To"] = _recipient(notice.to)
        message["Subject"] = notice.subject
        message["Date"] = format_datetime(notice.at)
        message["Message-ID"] = f"<{name}@{self._sender.domain}>"
        message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no answering machine may answer
        message["X-Orderflow-Order"] = notice.order
        message["X-Orderflow-Template"] = notice.template
        message.set_content(notice.body)
        return message

    def _deliver(self, name: str, content: bytes) -> None:
        """From ``tmp`` to ``new`` in one rename, on disk before it is marked; a second delivery replaces its like."""
        mark = self._folder / "sent" / name
        if mark.exists():
            return
        draft = self._folder / "tmp" / f"{name}.{os.getpid()}.{get_ident()}"
        with draft.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(self._folder / "new" / name)
        _sync_folder(self._folder / "new")
        mark.touch()


def _sync_folder(folder: Path) -> None:
    """A rename is durable only when its folder is; Windows has no such call and needs none."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _address(text: str, path: str) -> Address:
    if not _ADDRESS.fullmatch(text):
        raise InputError.at(path, "not_an_address", f"{text!r} is not a mail address")
    username, domain = text.split("@")
    return Address("", username, domain)


def _recipient(to: str) -> Address:
    """The address itself, or for a customer id a name before an address that cannot exist (RFC 2606)."""
    return _address(to, "to") if "@" in to else Address(to, "customer", "orderflow.invalid")


def _unfit(faults: list[Fault]) -> PortError:
    return PortError("notifier", "; ".join(map(str, faults)), retry=False)
