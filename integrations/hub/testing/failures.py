"""The ways in which a call can fail, and which error each must become (docs/delivery.md says what each leads to)."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

from integrations.hub.errors import Conflict, HubError, Misconfigured, OutcomeUnknown, Rejected, Scope, TryAgain
from integrations.hub.testing.fixtures import Exchange
from integrations.hub.testing.remote import HTML, Failure

AFTER = 7  # seconds that the 429 asks for

# Of a call that was refused: the same whether it reads or writes.
REFUSED: dict[str, tuple[type[HubError], ...]] = {
    "400": (Rejected, Misconfigured),
    "401": (Misconfigured, TryAgain),
    "403": (Misconfigured, Rejected),
    "404": (Rejected, Misconfigured, TryAgain),
    "409": (Conflict, Rejected, TryAgain),
    "422": (Rejected, Conflict),
    "429": (TryAgain,),
    "refused": (TryAgain,),
    "unconnected": (TryAgain,),
    "echo": (Rejected, Misconfigured),
}
# Of one that was perhaps carried out, if it writes; one that reads is just read again.
IN_DOUBT = ("500", "502", "503", "silent", "cut", "half", "HTML")
NAMES = (*REFUSED, *IN_DOUBT)


def failure(name: str, at: int) -> Failure:
    """The failure of this name at the exchange of this number."""
    if name in ("refused", "unconnected", "silent", "cut", "half", "echo"):
        return Failure(name, at, name)
    if name == "HTML":
        return Failure(name, at, reply={"status": 200, "headers": {"content-type": "text/html"}, "text": HTML.decode()})
    headers = {"retry-after": str(AFTER)} if name == "429" else {}
    return Failure(name, at, reply={"status": int(name), "headers": headers, "json": {"error": "no", "message": "no"}})


def allowed(name: str, writes: bool) -> tuple[type[HubError], ...]:
    """The errors that a failure may become."""
    if name in REFUSED:
        return REFUSED[name]
    if name == "503":  # many say by it that nothing was begun
        return (OutcomeUnknown, TryAgain) if writes else (TryAgain,)
    if name == "HTML" and not writes:  # perhaps the address is another's
        return (TryAgain, Misconfigured)
    return (OutcomeUnknown,) if writes else (TryAgain,)


def unfit(error: HubError, name: str) -> str:
    """What is wrong with an error of an allowed kind; '' when nothing is."""
    if not isinstance(error, TryAgain):
        return ""
    if name in ("refused", "unconnected", "401") and error.scope is not Scope.ACCOUNT:
        return "its scope is not the account: everything else would fail the same way"
    if name == "429" and error.scope is Scope.ROW:
        return "its scope is the row: the next row would be refused, too"
    if name == "429" and (error.after is None or error.after.total_seconds() != AFTER):
        return "it does not wait as long as Retry-After says"
    return ""


WRONG: tuple[Any, ...] = ([], {}, "text", 7, None, True, "NaN")


def spoilt(exchange: Exchange) -> Iterator[tuple[str, dict[str, Any]]]:
    """The reply with one value in it of another type, or missing: (where, reply), for each value and type."""
    if "json" not in exchange.reply:
        return
    for path in _paths(exchange.reply["json"], ()):
        here = _at(exchange.reply["json"], path)
        for wrong in (each for each in WRONG if type(each) is not type(here) or each == "NaN" and _is_number(here)):
            yield _spoil(exchange.reply, path, wrong)
        if path:
            yield _spoil(exchange.reply, path, None, remove=True)


def _is_number(value: Any) -> bool:
    return isinstance(value, str) and value.replace(".", "", 1).replace("-", "", 1).isdigit()


def _paths(value: Any, path: tuple[Any, ...]) -> Iterator[tuple[Any, ...]]:
    """Of lists, the first item stands for all."""
    yield path
    if isinstance(value, dict):
        for name, each in value.items():
            yield from _paths(each, (*path, name))
    elif isinstance(value, list) and value:
        yield from _paths(value[0], (*path, 0))


def _at(value: Any, path: tuple[Any, ...]) -> Any:
    for step in path:
        value = value[step]
    return value


def _spoil(reply: dict[str, Any], path: tuple[Any, ...], wrong: Any, *, remove: bool = False) -> tuple[str, Any]:
    changed = copy.deepcopy(reply)
    where = "answer" + "".join(f"[{step!r}]" for step in path)
    if not path:
        changed["json"] = wrong
    elif remove:
        del _at(changed["json"], path[:-1])[path[-1]]
    else:
        _at(changed["json"], path[:-1])[path[-1]] = wrong
    return f"{where} is {'missing' if remove else repr(wrong)}", changed
