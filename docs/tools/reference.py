"""Reference pages from what the program says of itself: the parser of the command line, and docstrings.

Modules are read, not imported, so the study's need no torch here.
"""

from __future__ import annotations

import argparse
import ast
import inspect
import re
import textwrap
from collections.abc import Iterable, Iterator
from pathlib import Path

from blood_lib.__main__ import build_parser
from tests.rooms import MAY_IMPORT

__all__ = [
    "describe_commands",
    "describe_imports",
    "describe_modules",
    "describe_rooms",
    "list_core",
    "list_names",
    "list_parsers",
    "list_study",
]

ROOT = Path(__file__).resolve().parents[2]
LIBRARY = ROOT / "blood_lib"

_Described = ast.FunctionDef | ast.ClassDef | ast.Assign


# --- the command line ---


def describe_commands() -> str:
    """Every command with its arguments, as Markdown."""
    return "\n\n".join(map(_describe_command, list_parsers()))


def list_parsers() -> list[argparse.ArgumentParser]:
    """A parser for each command, `blood data fetch` among them."""
    return list(_find_parsers(build_parser()))


def _find_parsers(parser: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    groups = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    if not groups:
        yield parser
    for group in groups:
        for child in group.choices.values():
            yield from _find_parsers(child)


def _describe_command(parser: argparse.ArgumentParser) -> str:
    words = parser.format_usage().removeprefix("usage: ").split()
    usage = textwrap.fill(" ".join(words), 76, initial_indent="    ", subsequent_indent="        ")
    actions = [action for action in parser._actions if not isinstance(action, argparse._HelpAction)]
    rows = [f"| `{_name(action)}` | {_escape(_explain(parser, action))} |" for action in actions]
    table = ["| argument | what it is |", "|---|---|", *rows]
    text = [f"## {parser.prog}", _escape(parser.description or ""), usage, "\n".join(table)]
    return "\n\n".join(text)


def _name(action: argparse.Action) -> str:
    value = action.metavar or ("" if action.nargs == 0 or not action.option_strings else action.dest.upper())
    if action.choices and not action.metavar:
        value = "{" + ",".join(map(str, action.choices)) + "}"
    value = " ".join(value) if isinstance(value, tuple) else value
    return " ".join(filter(None, [", ".join(action.option_strings), value])) or action.dest


def _explain(parser: argparse.ArgumentParser, action: argparse.Action) -> str:
    text = action.help % {**vars(action), "prog": parser.prog} if action.help else ""
    return f"{text} (needed)" if action.required and action.option_strings else text


# --- Python ---


def list_core() -> list[Path]:
    """The modules of the core: all but those of the dashboard, the study and the command line."""
    others = {"dashboard", "study", "cli", "__main__.py"}
    return [path for path in _list_modules() if path.relative_to(LIBRARY).parts[0] not in others]


def list_study() -> list[Path]:
    """The modules of the study."""
    return _list_modules("study")


def list_names() -> list[str]:
    """`blood_lib.images` and so on: every module's name."""
    return [_dotted(path) for path in _list_modules()]


def _list_modules(room: str = "") -> list[Path]:
    return sorted((LIBRARY / room).rglob("*.py"))


def describe_rooms() -> str:
    """A table of all modules, each with the first line of its docstring."""
    rows = [f"| `{_dotted(path)}` | {_escape(_first_line(path))} |" for path in _list_modules()]
    return "\n".join(["| module | what it is for |", "|---|---|", *rows])


def describe_imports() -> str:
    """A table of all rooms, each with those that it may import."""
    named = {room: ", ".join(f"`{one}`" for one in sorted(others)) for room, others in MAY_IMPORT.items()}
    rows = [f"| `{room}` | {others or 'none'} |" for room, others in named.items()]
    return "\n".join(["| room | may import |", "|---|---|", *rows])


def describe_modules(paths: Iterable[Path]) -> str:
    """What modules offer, as Markdown: each name in an `__all__` with its signature and docstring."""
    return "\n\n".join(filter(None, map(_describe_module, paths)))


def _dotted(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _first_line(path: Path) -> str:
    return (ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "").split("\n")[0]


def _describe_module(path: Path) -> str:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    defined = {_name_of(node): node for node in tree.body if isinstance(node, _Described)}
    offered = [defined[name] for name in _offered(tree) if name in defined]
    if not offered:
        return ""
    parts = [f"## {_dotted(path)}", _prose(ast.get_docstring(tree))]
    return "\n\n".join(parts + [_describe(node) for node in offered])


def _offered(tree: ast.Module) -> list[str]:
    for node in tree.body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            return list(ast.literal_eval(node.value))
    return []


def _describe(node: ast.stmt) -> str:
    code = f"```python\n{_signature(node)}\n```"
    parts = [f"### {_escape(_name_of(node))}", code, _prose(_docstring(node))]
    if isinstance(node, ast.ClassDef):
        methods = [one for one in node.body if isinstance(one, ast.FunctionDef) and one.name[0] != "_"]
        parts += [f"**`{_signature(one)}`**\n\n{_prose(_docstring(one))}" for one in methods]
    return "\n\n".join(filter(None, parts))


def _name_of(node: ast.stmt) -> str:
    return ast.unparse(node.targets[0]) if isinstance(node, ast.Assign) else getattr(node, "name", "")


def _docstring(node: ast.stmt) -> str | None:
    return None if isinstance(node, ast.Assign) else ast.get_docstring(node)


def _signature(node: ast.stmt) -> str:
    if isinstance(node, ast.Assign):
        return ast.unparse(node)
    if isinstance(node, ast.FunctionDef):
        returns = f" -> {ast.unparse(node.returns)}" if node.returns else ""
        arguments = re.sub(r"^(self|cls)(, )?", "", ast.unparse(node.args))
        return f"{node.name}({arguments}){returns}"
    fields = [ast.unparse(one) for one in node.body if isinstance(one, ast.AnnAssign)]
    bases = f"({', '.join(map(ast.unparse, node.bases))})" if node.bases else ""
    return "\n".join([f"class {node.name}{bases}", *(f"    {field}" for field in fields)])


def _prose(docstring: str | None) -> str:
    """A docstring as Markdown, its examples as code."""
    paragraphs = inspect.cleandoc(docstring or "").split("\n\n")
    return "\n\n".join(_example(one) if ">>> " in one else _escape(one) for one in paragraphs)


def _example(paragraph: str) -> str:
    return f"```pycon\n{textwrap.dedent(paragraph)}\n```"


def _escape(text: str) -> str:
    """What Markdown would read as HTML, emphasis or a link; code in backticks stays."""
    pieces = re.split(r"(`[^`]*`)", text)
    return "".join(p if p.startswith("`") else re.sub(r"([<*_\[|])", r"\\\1", p) for p in pieces)
