"""Environments, wrappers and agents by the names of their Python objects: "module:Name", "module:Name(size=5)"."""

from __future__ import annotations

import ast
import importlib
import importlib.util
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from dreamplay.errors import UserError

_NAME = re.compile(r"([A-Za-z_][\w.]*):([A-Za-z_]\w*)")


def is_name(text: str) -> bool:
    """Whether a text has the form "module:Name". An id such as "module:Name-v0" has not."""
    return _NAME.fullmatch(text) is not None


def find(name: str) -> Callable[..., Any]:
    """What "module:Name" names. Modules are looked for in the working folder too, as `python` does and scripts do not.

    Raises:
        UserError: there is no such module, or nothing in it of that name that can be called.
    """
    module_name, _, attribute = name.partition(":")
    module = _import(module_name)
    found = getattr(module, attribute, None)
    if not callable(found):
        where = getattr(module, "__file__", None) or module_name
        known = [key for key, value in vars(module).items() if isinstance(value, type) and not key.startswith("_")]
        raise UserError(f"{where} defines no class or function {attribute}; it has {', '.join(known) or 'no class'}")
    return found


def has(name: str) -> bool:
    """Whether "module:Name" names something in a module that can be found; the module is imported for it."""
    module_name, _, attribute = name.partition(":")
    return hasattr(_import(module_name), attribute)


def name_of(thing: Any) -> str:
    """The name under which `find` finds a class or function again.

    Raises:
        UserError: it has none, because it was defined inside a function, say.
    """
    module, name = getattr(thing, "__module__", None), getattr(thing, "__qualname__", None)
    if module == "__main__" and getattr(sys.modules["__main__"], "__file__", None):
        module = Path(str(sys.modules["__main__"].__file__)).stem  # what another program would call this script
    if module is None or name is None or not is_name(f"{module}:{name}"):
        raise UserError(f"{thing!r} cannot be found by a name; define the class or function at the top of a module")
    return f"{module}:{name}"


def parse_call(text: str) -> tuple[str, dict[str, Any]]:
    """Takes "module:Name(argument=value, ...)" apart; without brackets there are no arguments. Runs no code.

    Raises:
        UserError: it is of another form, or a value is no plain Python literal.
    """
    name, bracket, _ = text.partition("(")
    try:
        if not is_name(name):
            raise ValueError
        call = ast.parse(f"f{text[len(name) :] if bracket else '()'}", mode="eval").body
        if not isinstance(call, ast.Call) or call.args or any(keyword.arg is None for keyword in call.keywords):
            raise ValueError
        return name, {str(keyword.arg): ast.literal_eval(keyword.value) for keyword in call.keywords}
    except (ValueError, SyntaxError):
        raise UserError(
            f"{text!r} names nothing; write module:Name or 'module:Name(argument=value)' with plain values"
        ) from None


def parse_settings(words: tuple[str, ...]) -> dict[str, Any]:
    """Texts "name=value" as keyword arguments; values are Python or JSON literals where they look like one, else text.

    Raises:
        UserError: a word has no "=" after a name.
    """
    settings = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals or not name.isidentifier():
            raise UserError(f"{word!r} sets nothing; write name=value, such as difficulty=2")
        settings[name] = _value(value)
    return settings


def _value(text: str) -> Any:
    json_words = {"true": True, "false": False, "null": None}
    if text in json_words:
        return json_words[text]
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text


def _import(name: str) -> Any:
    root = name.partition(".")[0]
    here = Path.cwd()
    if str(here) not in sys.path and ((here / f"{root}.py").is_file() or (here / root).is_dir()):
        sys.path.append(str(here))
        importlib.invalidate_caches()
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is not None and (name == error.name or name.startswith(f"{error.name}.")):
            if name.endswith(".py"):
                raise UserError(f"write {name.removesuffix('.py')}: without .py, as Python imports it") from error
            raise UserError(f"there is no module {name}; go to the folder of {root}.py, or install it") from error
        raise UserError(f"{name} needs {error.name}, which is not installed; pip install it") from error
