"""The lines of a text file, plain or gzipped, in bounded memory: a line that cannot be read hides no other."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from io import BufferedIOBase
from pathlib import Path
from typing import Final, NamedTuple

from orderflow.errors import Fault, InputError

__all__ = ["Line", "lines_of"]

_GZIP: Final = b"\x1f\x8b"
_MARK: Final = b"\xef\xbb\xbf"
_PIECE: Final = 2**20
#: UTF-8 writes a character in at most so many bytes.
_BYTES: Final = 4


class Line(NamedTuple):
    """A line that is not blank, without its end: its number from 1, its text, or what is wrong with it."""

    number: int
    text: str
    fault: Fault | None = None


def lines_of(path: Path, most: int) -> Iterator[Line]:
    """Every line of a file that is not blank; one of more than ``most`` characters is a fault, and is not kept.

    Raises:
        InputError: the file is not text in UTF-8, but of another kind as a whole.
        OSError, EOFError: it cannot be read, or its compressed data ends too early.
    """
    with _opened(path) as file:
        for number, (raw, size) in enumerate(_raw(file, most * _BYTES), start=1):
            if number == 1 and b"\0" in raw:
                raise InputError.at("file", "not_text", f"{path} is not text in UTF-8: convert it")
            if size or raw.strip():
                yield _line(number, raw, size, most)


def _opened(path: Path) -> BufferedIOBase:
    with path.open("rb") as file:
        zipped = file.read(len(_GZIP)) == _GZIP
    return gzip.open(path, "rb") if zipped else path.open("rb")


def _raw(file: BufferedIOBase, most: int) -> Iterator[tuple[bytes, int]]:
    """Lines as they are stored; of one that is too long only the beginning, and how many bytes it has."""
    first = True
    while raw := file.readline(most + 2):
        size = 0
        if len(raw) == most + 2 and not raw.endswith(b"\n"):
            size = len(raw)
            while piece := file.readline(_PIECE):
                size += len(piece)
                if piece.endswith(b"\n"):
                    break
        yield raw.removeprefix(_MARK) if first else raw, size
        first = False


def _line(number: int, raw: bytes, size: int, most: int) -> Line:
    if size:
        return Line(number, "", Fault("", "too_large", f"must have at most {most} characters, and has {size} bytes"))
    try:
        return Line(number, raw.decode("utf-8").rstrip("\r\n"))
    except UnicodeDecodeError as error:
        where = f"byte {error.start + 1} is not UTF-8{_other(raw)}"
        return Line(number, "", Fault("", "not_utf8", f"{where}: convert the file to UTF-8"))


def _other(raw: bytes) -> str:
    """What else it may be, as far as that can be told."""
    try:
        raw.decode("cp932")
    except UnicodeDecodeError:
        return ""
    return ", perhaps CP932 (Shift JIS)"
