"""Notices as mail in a maildir: readable by any mail program, and by a mailer that forwards them."""

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

# A "valid e-mail address" of the HTML standard: the addresses people use, without the quotes and comments of RFC
# 5322, for which the standard library's parser raises exceptions of its own.
_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*")


class MaildirNotifier:
    """Delivers each notice as one mail from ``sender`` to the maildir at ``path``, which is created if missing.

    File name and Message-ID derive from the notice's id. For each mail delivered, a marker file is kept in the folder
    ``sent``, beside ``new`` and ``cur``, so that it is not delivered again after the reader has moved or deleted it;
    looking one up takes the same time however many there are. A mail can appear twice, with one Message-ID, only if a
    crash comes between delivery and marker and the mail is moved before the retry.

    Raises:
        InputError: ``sender`` is not a mail address.
        PortError: the folder cannot be created.
    """

    def __init__(self, path: str | Path, sender: str) -> None:
        self._folder, self._sender = Path(path), _address(sender, "sender")
        try:
            for part in ("tmp", "new", "cur", "sent"):
                (self._folder / part).mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise PortError("notifier", f"no maildir at {self._folder}: {error}", retry=False) from error

    def send(self, notice: Notice) -> None:
        """Writes the mail, unless it was delivered before.

        Raises:
            PortError: the notice cannot be made into a valid mail (not to be retried), or writing fails.
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
        message["Auto-Submitted"] = "auto-generated"  # RFC 3834: auto-responders must not reply
        message["X-Orderflow-Order"] = notice.order
        message["X-Orderflow-Template"] = notice.template
        message.set_content(notice.body)
        return message

    def _deliver(self, name: str, content: bytes) -> None:
        """Rename from ``tmp`` to ``new``, durable before it is marked; a second delivery replaces the first."""
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
    """A rename is durable only once its folder is synced; Windows has no such call and needs none."""
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
    """The address itself, or a customer id as the display name of an address that cannot exist (RFC 2606)."""
    return _address(to, "to") if "@" in to else Address(to, "customer", "orderflow.invalid")


def _unfit(faults: list[Fault]) -> PortError:
    return PortError("notifier", "; ".join(map(str, faults)), retry=False)
