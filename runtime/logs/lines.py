"""Records become lines: what may be said (`allowed`), what is hidden (`masks`), then JSON or a line for people."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import structlog
from structlog.types import EventDict, WrappedLogger

from runtime.logs import allowed, frames
from runtime.logs.masks import masked


def formatter(as_json: bool) -> structlog.stdlib.ProcessorFormatter:
    """For a handler of `logging`. Lines of structlog itself and of `logging` go the same way."""
    stamp = structlog.processors.TimeStamper(fmt="iso", utc=True)
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[structlog.contextvars.merge_contextvars, stamp],
        processors=[_by_the_list, _as_json if as_json else _for_people],
        pass_foreign_args=True,
    )


def _by_the_list(_logger: WrappedLogger, _method: str, told: EventDict) -> EventDict:
    record = told["_record"]
    args = told.pop("positional_args", None) or record.args
    line: dict[str, Any] = {key: told[key] for key in allowed.KEYS if key in told and key != "exception"}
    if told.get("_from_structlog"):
        record.msg = told.get("event", "")
    if "timestamp" not in line:  # structlog's own configuration gave it none
        line["timestamp"] = datetime.fromtimestamp(record.created, UTC).isoformat()
    line |= {"level": record.levelname, "logger": record.name, "event": allowed.said(record, args)}
    if found := _exception(record, args, told.get("exc_info")):
        line["exception"] = found
    if not allowed.belongs(record.name, (*allowed.OURS, *allowed.KNOWN)):
        line["where"] = f"{record.module}:{record.lineno}"
    shown = {key: _value(key, value) for key, value in line.items()}
    return {key: shown[key] for key in allowed.KEYS if key in shown}


def _exception(record: Any, args: Any, raised: Any) -> list[str]:
    """Of the record; or of a trace that was put into its words."""
    if raised and raised[1] is not None:
        return frames.told(raised[1])
    texts = [record.msg, *(args.values() if isinstance(args, dict) else args or ())]
    return [line for text in texts if isinstance(text, str) for line in frames.in_text(text)]


def _value(key: str, value: Any) -> Any:
    if key in ("timestamp", "trace", "event", "exception", "logger", "level"):  # ours, or made fit above
        return value
    if isinstance(value, (list, tuple)):
        return [_value("", each) for each in value]
    return value if value is None or isinstance(value, (bool, int, float)) else masked(str(value))


def _as_json(_logger: WrappedLogger, _method: str, line: EventDict) -> str:
    return json.dumps(line, ensure_ascii=True)


def _for_people(_logger: WrappedLogger, _method: str, line: EventDict) -> str:
    """The time, how bad, who, what; then the rest as key=value, and where an exception came from below."""
    told = dict(line)
    exception = told.pop("exception", [])
    head = f"{str(told.pop('timestamp'))[11:19]} {told.pop('level'):7} {told.pop('logger')}  {told.pop('event')}"
    facts = "".join(f"  {key}={value}" for key, value in told.items())
    return "\n    ".join([f"{head}{facts}", *exception])
