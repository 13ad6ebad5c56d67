"""A notifier that appends each notice to a file of JSON lines: a sink that another program can follow."""

from __future__ import annotations

import json
from pathlib import Path

from orderflow.errors import PortError
from orderflow.ports.notifier import Notice

__all__ = ["JsonLinesNotifier"]


class JsonLinesNotifier:
    """Writes ``{"id", "to", "template", "subject", "body", "order", "at"}``, one line per notice.

    A notice whose id is already in the file is not written again. Each ``send`` hands its line to the operating system,
    so it survives a crash of the process; a power cut may lose the last lines.

    Raises:
        PortError: the file cannot be read or written.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._ids: set[str] | None = None

    def send(self, notice: Notice) -> None:
        """Append the notice, unless it is already there."""
        try:
            known = self._known()
            if notice.id in known:
                return
            with self._path.open("a", encoding="utf-8") as file:
                file.write(_line(notice))
        except OSError as error:
            raise PortError("notifier", f"cannot write {self._path.name}: {error.strerror}") from error
        known.add(notice.id)

    def _known(self) -> set[str]:
        if self._ids is None:
            self._ids = set()
            if self._path.exists():
                self._mend()
                with self._path.open(encoding="utf-8") as file:
                    self._ids = {json.loads(line)["id"] for line in file}
        return self._ids

    def _mend(self) -> None:
        """Cut off a last line that a crash left half written."""
        content = self._path.read_bytes()
        whole = content[: content.rfind(b"\n") + 1]
        if whole != content:
            self._path.write_bytes(whole)


def _line(notice: Notice) -> str:
    fields = {
        "id": notice.id,
        "to": notice.to,
        "template": notice.template,
        "subject": notice.subject,
        "body": notice.body,
        "order": notice.order,
        "at": notice.at.isoformat(),
    }
    return json.dumps(fields, ensure_ascii=False) + "\n"
