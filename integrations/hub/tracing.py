"""django-q2's tasks bear a trace: that of whose click queued them (their group), else one of their own."""

from __future__ import annotations

from typing import Any

from django_q.signals import post_execute_in_worker, pre_execute

from runtime.logs import trace


def register() -> None:
    """Once, from `HubConfig.ready`."""
    pre_execute.connect(_begins, dispatch_uid="hub.trace")
    post_execute_in_worker.connect(_ends, dispatch_uid="hub.trace")


def _begins(sender: object, task: dict[str, Any], **_: Any) -> None:
    given = str(task.get("group") or "")
    trace.begin(given if trace.is_trace(given) else trace.new(), task=task.get("name", ""))


def _ends(sender: object, **_: Any) -> None:
    """A worker does one task after another in the same context."""
    trace.end()
