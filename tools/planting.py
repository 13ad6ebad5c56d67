"""The pytest plugin of ``mutants.py``: collects the tests once, then plants each fault in its own child process.

A fault inside a function needs no new import: the child replaces the function's code and runs the tests. Other faults
(constants, defaults of fields) are written to the copy of the project and tested by a new pytest.
"""

from __future__ import annotations

import contextlib
import gc
import inspect
import json
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from importlib import import_module
from pathlib import Path
from types import CodeType, FunctionType

import pytest

__all__ = ["Planter", "changed_code"]

KILLED, SURVIVED, TIMEOUT = "killed", "survived", "timeout"

#: A limit is in seconds of CPU time; for a fault that waits instead, it is this many times as long on the clock.
WALL = 10

#: The exit status of a child that has no function with the code to replace.
NOT_FOUND = 77


def changed_code(truth: str, fault: str) -> dict[CodeType, CodeType] | None:
    """The old and new code of each function that a fault changes; None if it changes import-time code or a closure."""
    changed = dict(_changed(compile(truth, "", "exec"), compile(fault, "", "exec")))
    swaps = all(_is_function(old) and old.co_freevars == new.co_freevars for old, new in changed.items())
    return changed if swaps else None


def _changed(old: CodeType, new: CodeType) -> Iterator[tuple[CodeType, CodeType]]:
    parts = [[part for part in code.co_consts if isinstance(part, CodeType)] for code in (old, new)]
    pairs = [pair for pair in zip(*parts, strict=False) if pair[0] != pair[1]]
    if _by_itself(old) != _by_itself(new) or (pairs and _is_function(old)):
        yield old, new
    for pair in pairs:
        yield from _changed(*pair)


def _is_function(code: CodeType) -> bool:
    return bool(code.co_flags & inspect.CO_OPTIMIZED)


def _by_itself(code: CodeType) -> CodeType:
    """The code without its inner functions and its line numbers."""
    constants = tuple(None if isinstance(part, CodeType) else part for part in code.co_consts)
    return code.replace(co_consts=constants, co_linetable=b"")


def _swap(changed: dict[CodeType, CodeType]) -> None:
    found = [each for each in gc.get_objects() if isinstance(each, FunctionType) and each.__code__ in changed]
    for function in found:
        function.__code__ = changed[function.__code__]
    if not found:
        os._exit(NOT_FOUND)


class Planter:
    """Runs the collected tests once for each fault, until the first failure.

    Args:
        copy: the copy of the project, which is written to.
        faults: for each, the path below the project and the whole faulty text of the file.
        command: runs a new pytest, for faults that take effect on import.
        report: the file for the outcomes, one on each line.
    """

    def __init__(self, copy: Path, faults: Sequence[tuple[str, str]], command: Sequence[str], report: Path) -> None:
        self._copy, self._faults, self._command, self._report = copy, faults, command, report

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """In place of pytest's own loop."""
        if session.testsfailed or session.config.option.collectonly:
            return False
        with self._report.open("a", encoding="utf-8") as report:
            outcome = _in_a_child(lambda: _run(session), 600)
            print(json.dumps(outcome), file=report, flush=True)
            used = resource.getrusage(resource.RUSAGE_CHILDREN)
            seconds = round(5 + 3 * (used.ru_utime + used.ru_stime))
            for path, fault in self._faults if outcome == SURVIVED else ():
                print(json.dumps(self._outcome(session, path, fault, seconds)), file=report, flush=True)
        return True

    def _outcome(self, session: pytest.Session, path: str, fault: str, seconds: int) -> str:
        changed = changed_code((self._copy / path).read_text(encoding="utf-8"), fault)
        if changed is None:
            return self._anew(self._copy / path, fault, WALL * seconds)
        # Some modules are imported late, when they are first needed.
        import_module(path.removeprefix("src/").removesuffix(".py").replace("/", "."))

        def planted() -> None:
            _swap(changed)
            _run(session)

        return _in_a_child(planted, seconds) or self._anew(self._copy / path, fault, WALL * seconds)

    def _anew(self, path: Path, fault: str, seconds: int) -> str:
        truth, stat = path.read_text(encoding="utf-8"), path.stat()
        try:
            path.write_text(fault, encoding="utf-8")
            done = subprocess.run(
                self._command,
                env=os.environ | {"PYTHONDONTWRITEBYTECODE": "1"},  # the fault's bytecode must not outlive it
                timeout=seconds,
                check=False,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            return KILLED if done.returncode else SURVIVED
        except subprocess.TimeoutExpired:
            return TIMEOUT
        finally:
            path.write_text(truth, encoding="utf-8")
            os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))


def _run(session: pytest.Session) -> None:
    items = session.items
    for item, following in zip(items, [*items[1:], None], strict=True):
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
        if session.testsfailed:
            raise SystemExit(1)


def _in_a_child(run: Callable[[], None], seconds: int) -> str:
    """The outcome of ``run`` in a child, "" if nothing was planted; any exit but a clean one means a test noticed."""
    child = os.fork()
    if not child:
        with contextlib.suppress(BaseException):
            resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
            signal.alarm(WALL * seconds)
            silence = os.open(os.devnull, os.O_WRONLY)
            os.dup2(silence, 1)
            os.dup2(silence, 2)
            run()
            os._exit(0)
        os._exit(1)
    status = os.waitpid(child, 0)[1]
    if os.WIFSIGNALED(status) and os.WTERMSIG(status) in {signal.SIGXCPU, signal.SIGALRM}:
        return TIMEOUT
    return {0: SURVIVED, NOT_FOUND: ""}.get(os.waitstatus_to_exitcode(status), KILLED)


if __name__ == "__main__":
    told = json.loads(sys.stdin.read())
    pytest_anew = [sys.executable, "-m", "pytest", *told["arguments"]]
    planter = Planter(Path.cwd(), told["faults"], pytest_anew, Path(told["report"]))
    sys.exit(pytest.main(told["arguments"], plugins=[planter]))
