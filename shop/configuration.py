"""The settings' reference and `.env.example`: names, types and defaults read from the code, meanings from
`docs/configuration.toml` in both languages. `manage.py configuration` writes them, a test compares."""

from __future__ import annotations

import ast
import re
import textwrap
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings

ROOT = Path(settings.BASE_DIR)
TEXTS = ROOT / "docs" / "configuration.toml"
READERS = ("shop/settings.py", "manage.py", "runtime/*.py", "erp/local/*.py", "erp/management/commands/*.py")
# Read here, but set by others: by the supervisor for its clusters, by pip's users, by terminals.
NOT_OURS = {"Q_CLUSTER_NAME", "GUNICORN_CMD_ARGS", "DJANGO_SETTINGS_MODULE", "PATH"}
TYPES = {
    "str": ("text", "文本"),
    "int": ("number", "数字"),
    "bool": ("true or false", "true 或 false"),
    "list": ("list, with commas", "逗号分隔的列表"),
    "path": ("path", "路径"),
    "word": ("text", "文本"),
}


@dataclass(frozen=True, slots=True)
class Setting:
    """One variable as the code reads it. `default` is None where there is none, "" where the code computes it."""

    name: str
    type: str
    default: str | None
    has_file: bool = False


def read() -> dict[str, Setting]:
    """Every variable of the environment that Weft reads, in the order of the code; then what make is told."""
    found: dict[str, Setting] = {}
    for pattern in READERS:
        for path in sorted(ROOT.glob(pattern)):
            for one in _of_python(ast.parse(path.read_text(encoding="utf-8"))):
                found.setdefault(one.name, one)
    for one in _of_make((ROOT / "Makefile").read_text(encoding="utf-8")):
        found.setdefault(one.name, one)
    return {name: one for name, one in found.items() if name not in NOT_OURS}


def _of_python(tree: ast.AST) -> Iterator[Setting]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
            name = node.args[0].value
            called = ast.unparse(node.func)
            if called == "secret":
                yield Setting(name, "str", _default(node), has_file=True)
            elif called.startswith("env.") and called[4:] in TYPES:
                yield Setting(name, called[4:], _default(node))
            elif called in ("os.environ.get", "env.get") and name.isupper() and name.startswith("WEFT_"):
                yield Setting(name, "str", _default(node))


def _default(call: ast.Call) -> str | None:
    """A constant as `.env` would say it, "" for what is computed."""
    given = [*call.args[1:2], *(word.value for word in call.keywords if word.arg == "default")]
    if not given:
        return None
    node = given[0]
    if isinstance(node, ast.List) and not node.elts:
        return None
    if not isinstance(node, ast.Constant):
        return ""
    value = node.value
    return str(value).lower() if isinstance(value, bool) else str(value) or None


def _of_make(makefile: str) -> Iterator[Setting]:
    """What the targets use and no line of the Makefile itself sets for good."""
    made = set(re.findall(r"^([A-Z_]+) :=", makefile, re.M))
    asked = dict(re.findall(r"^([A-Z_]+) \?= (.*)$", makefile, re.M))
    for name in dict.fromkeys(re.findall(r"\$\(([A-Z_]+)\)", makefile)):
        if name not in made:
            default = asked.get(name)
            yield Setting(name, "word", "" if default and "$" in default else default)


def texts() -> dict[str, Any]:
    """The file of meanings."""
    return tomllib.loads(TEXTS.read_text(encoding="utf-8"))


def gaps() -> list[str]:
    """What the code and the meanings do not have in common, in words."""
    known, meant = read(), texts()
    groups = {group["id"] for group in meant.pop("group")}
    wrong = [f"{name} is read by the code and not explained in {TEXTS.name}" for name in known if name not in meant]
    for name, said in meant.items():
        if name not in known:
            wrong.append(f"{name} is explained in {TEXTS.name} and read by no code")
        elif said["group"] not in groups or not said.get("en") or not said.get("zh"):
            wrong.append(f"{name} lacks a known group, English or Chinese")
        elif known[name].default == "" and not (said.get("default_en") and said.get("default_zh")):
            wrong.append(f"{name}: the code computes its default; word it as default_en and default_zh")
    return wrong


# --- what is written --------------------------------------------------------------------------------------------------

HEADS = {
    "en": (
        "# Configuration\n\nEnglish · [简体中文](configuration.zh-CN.md)\n\nAll settings are environment variables. "
        "`manage.py`, the web server and the workers also read a file `.env` beside `manage.py`; variables of the "
        "environment win. Web and workers read them at their start. Where *NAME_FILE* is said, that variable may name "
        "a file that holds the value.\n\nWritten by `make configuration` from the code and "
        "[configuration.toml](configuration.toml); not by hand.\n",
        ("variable", "type", "default", "what it means"),
        "required in production",
    ),
    "zh": (
        "# 配置\n\n[English](configuration.md) · 简体中文\n\n"
        "所有设置都是环境变量。`manage.py`、Web 服务器和任务进程也会读取 `manage.py` 旁边的 `.env` 文件;"
        "环境变量优先。Web 与任务进程在启动时读取。"
        "标有 *NAME_FILE* 的,可用该变量指定一个存放其值的文件。\n\n"
        "本页由 `make configuration` 根据代码与 [configuration.toml](configuration.toml) 生成,不手工编辑。\n",
        ("变量", "类型", "默认值", "含义"),
        "生产环境必需",
    ),
}  # fmt: skip


def reference(language: str) -> str:
    """The page in one language."""
    known, meant = read(), texts()
    head, columns, required = HEADS[language]
    parts = [head]
    for group in meant.pop("group"):
        parts.append(f"\n## {group[language]}\n\n| {' | '.join(columns)} |\n|{'---|' * len(columns)}\n")
        for name, said in meant.items():
            if said["group"] == group["id"]:
                parts.append(_row(known[name], said, language, required))
    return "".join(parts)


def _row(one: Setting, said: dict[str, Any], language: str, required: str) -> str:
    name = f"`{one.name}`" + (f"<br>*{one.name}_FILE*" if one.has_file else "")
    name += f"<br>**{required}**" if said.get("required") else ""
    default = said.get(f"default_{language}") or (f"`{one.default}`" if one.default else "")
    kind = TYPES[one.type][language == "zh"]
    return f"| {name} | {kind} | {default} | {said[language]} |\n"


ENV_HEAD = """\
# Weft's settings, by environment variables. Copy to .env and fill in, or set them in the service's environment
# (real environment variables win over .env). All of them: docs/configuration.md.
# Secrets are in files: chmod 600, owned by the user who runs Weft. docs/operations.md says how they are made.
"""


def example() -> str:
    """`.env.example`: what is required as it stands, the rest as comments."""
    known, meant = read(), texts()
    parts = [ENV_HEAD]
    for group in meant.pop("group"):
        lines = [_line(known[name], said) for name, said in meant.items() if said["group"] == group["id"]]
        if any(lines):
            parts.append(f"\n# --- {group['en'].lower()} ---\n\n" + "\n".join(filter(None, lines)))
    return "".join(parts)


def _line(one: Setting, said: dict[str, Any]) -> str:
    if "example" not in said:
        return ""
    name = f"{one.name}_FILE" if one.has_file and not said.get("plain") else one.name
    stands = said.get("required") or said.get("plain") or said["group"] == "production"
    meaning = "".join(f"# {line}\n" for line in textwrap.wrap(said["en"].replace("`", ""), 116))
    return f"{meaning}{'' if stands else '#'}{name}={said['example']}\n"


FILES = {
    ROOT / "docs" / "configuration.md": lambda: reference("en"),
    ROOT / "docs" / "configuration.zh-CN.md": lambda: reference("zh"),
    ROOT / ".env.example": example,
}


def stale() -> list[Path]:
    """Files that are not what would be written now."""
    return [path for path, make in FILES.items() if not path.exists() or path.read_text(encoding="utf-8") != make()]


def write() -> None:
    """Write them all."""
    for path, make in FILES.items():
        path.write_text(make(), encoding="utf-8")
