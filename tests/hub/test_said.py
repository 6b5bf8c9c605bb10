"""What Weft writes into rows is read back in the reader's language: every sentence the code can write is known."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.utils import translation

from integrations.hub import said

# What writes sentences, and which of its arguments is one.
WRITERS = {"_review": 1, "give_back": 2} | dict.fromkeys(
    ["CannotRefund", "Conflict", "Misconfigured", "OutcomeUnknown", "Rejected", "TryAgain", "_doubt", "_perhaps_sent"],
    0,
)
FOLDERS = ("integrations", "erp", "shop")


def _text(node: ast.expr) -> str:
    """The sentence as it would be written, X for what is filled in; '' when it is no sentence but a variable."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        parts = ["X" if isinstance(part, ast.FormattedValue) else str(part.value) for part in node.values]  # type: ignore[attr-defined]
        quoted = [
            f"'{part}'" if isinstance(value, ast.FormattedValue) and value.conversion == 114 else part
            for part, value in zip(parts, node.values, strict=True)
        ]
        return "".join(quoted)
    if isinstance(node, ast.BoolOp):
        return _text(node.values[-1])
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):  # f"...".strip()
        return _text(node.func.value)
    return ""


def sentences() -> Iterator[tuple[str, str]]:
    """(where, what) of each error raised with words of its own."""
    for folder in FOLDERS:
        for path in sorted((Path(settings.BASE_DIR) / folder).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if not isinstance(node, ast.Call):
                    continue
                which = WRITERS.get(ast.unparse(node.func).removeprefix("refunds."))
                # What a library said after the name of an operation is its own.
                if (
                    which is not None
                    and len(node.args) > which
                    and (words := _text(node.args[which])) not in ("", "X: X")
                ):
                    yield f"{path.name}:{node.lineno}", words


FOUND = sorted(set(sentences()))


def test_the_code_was_read() -> None:
    assert len(FOUND) > 40


@pytest.mark.parametrize(("where", "words"), FOUND)
def test_each_error_is_known_in_chinese(where: str, words: str) -> None:
    with translation.override("zh-hans"):
        assert said.in_words(words) != words, f"{where}: put it into the floor's said.py"


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("Failed 10 times while others got through. Last: find order: the remote cannot be reached.",
         "失败 10 次，而同类任务均已成功。最后一次：查找订单：无法连接对方。"),
        ("out of stock: 3 free", "库存不足：可用 3 件"),
        ("money given back: ICBC 77", "已退款：ICBC 77"),
        ("paid late (ICBC 1), goods are gone: A-1: 0 left", "付款过晚（ICBC 1），货已售出：A-1: 0 left"),
        ("%(evil)s %s {x}", "%(evil)s %s {x}"),
        ("客户改了主意", "客户改了主意"),
        ("", ""),
    ],
)  # fmt: skip
def test_read_back(written: str, read: str) -> None:
    with translation.override("zh-hans"):
        assert said.in_words(written) == read


def test_the_most_definite_sentence_wins() -> None:
    """`%(operation)s: refused ...` would fit nearly everything."""
    with translation.override("zh-hans"):
        words = said.in_words("create order: Tryton failed (HTTP 500): list index out of range")
    assert words == "新建订单：Tryton 出错（HTTP 500）：list index out of range"
