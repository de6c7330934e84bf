"""Planting probes in flagged files that the program compiles itself.

`exec(compile(...))` loads configuration, plug-ins and steps of tests. `coverage run`, `python -m cProfile` and
Streamlit load scripts so, too, and loaders that check types compile what they made of the source. Standard library
only, Python 3.8 to 3.14.
"""

from __future__ import annotations
import __future__

import ast
import builtins
import os
from _thread import get_ident
from functools import wraps
from importlib.machinery import SourceFileLoader
from sys import _getframe

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import CodeType, FrameType, ModuleType
    from typing import Any

INHERITED = 0
"""Flags of a caller's code that `compile` passes on, as CPython's PyCF_MASK: those of `from __future__`."""
for _name in __future__.all_feature_names:
    INHERITED |= getattr(__future__, _name).compiler_flag
INHERITED &= ~__future__.nested_scopes.compiler_flag

ONLY_AST = ast.PyCF_ONLY_AST
IMPORT_SYSTEM = ("importlib._bootstrap", "_frozen_importlib")


def hook(runtime: Any, tools: ModuleType) -> Any:
    """Stand in for `builtins.compile` and for `get_code` of loaders of source files; gives the former as it was."""
    original = builtins.compile
    compiling = _Compiling(runtime, tools.hide_frame, original)
    compiling.hook_compile()
    compiling.hook_loaders()
    return original


class _Compiling:
    """What is compiled, and which loaders are at work.

    Code that the import system compiles on its own may end in a cache on disk, so that probes are put in it only while
    one of those loaders is asked for a flagged file.
    """

    def __init__(self, runtime: Any, hide_frame: Callable[[BaseException], None], original: Any) -> None:
        self._runtime, self._hide_frame = runtime, hide_frame
        self._compile = original
        self._loading = set()  # type: set[int]
        self._made = {}  # type: dict[str, tuple[Any, CodeType]]

    def hook_compile(self) -> None:
        """Plant probes in flagged files that are compiled to be run."""
        original = self._compile

        @wraps(original)
        def compile(  # noqa: A001 - its name is seen in tracebacks
            source: Any,
            filename: Any,
            mode: Any,
            flags: Any = 0,
            dont_inherit: Any = False,
            optimize: Any = -1,
            **others: Any,
        ) -> Any:
            frame = _getframe(1)
            if not dont_inherit and isinstance(flags, int):
                flags |= frame.f_code.co_flags & INHERITED
            options = (flags, True, optimize)
            if mode == "exec" and isinstance(flags, int) and not flags & ONLY_AST:
                path = self._flagged(filename, frame)
                if path:
                    try:
                        return self._planted(source, filename, path, options, others)
                    except Exception as error:
                        self._runtime.fail(path, error)
            try:
                return original(source, filename, mode, *options, **others)
            except BaseException as error:
                self._hide_frame(error)
                raise

        builtins.compile = compile

    def _flagged(self, filename: Any, frame: FrameType) -> str:
        """The path of a flagged file that is compiled to be run, else ""."""
        try:
            path = (
                self._runtime.flagged(os.fsdecode(filename)) if isinstance(filename, (str, bytes, os.PathLike)) else ""
            )
        except Exception:
            return ""  # a program under test may have taken parts of `os` away
        by_import = frame.f_globals.get("__name__") in IMPORT_SYSTEM and get_ident() not in self._loading
        return "" if by_import else path

    def _planted(self, source: Any, filename: Any, path: str, options: Any, others: Any) -> CodeType:
        key = (source, filename, options)
        made = self._made.get(path)
        if made is None or made[0] != key or isinstance(source, ast.AST):
            flags, _, optimize = options
            tree = self._compile(source, filename, "exec", flags | ONLY_AST, True, optimize, **others)
            tree = self._runtime.planted_tree(path, path, tree, flags)
            made = key, self._compile(tree, filename, "exec", *options, **others)
            self._made[path] = made
        return made[1]

    def hook_loaders(self) -> None:
        """Plant probes in flagged files that are imported."""
        owner = next(one for one in SourceFileLoader.__mro__ if "get_code" in vars(one))  # type: Any
        original = owner.get_code
        runtime, hide_frame = self._runtime, self._hide_frame

        def get_code(loader: Any, fullname: str) -> Any:
            path = ""
            try:
                shown = loader.get_filename(fullname)
                path = runtime.flagged(shown)
                if path:
                    return self._loaded(loader, path, shown)
            except Exception as error:
                runtime.fail(path, error)
            try:
                return original(loader, fullname)
            except BaseException as error:
                hide_frame(error)
                raise

        owner.get_code = get_code

    def _loaded(self, loader: Any, path: str, shown: str) -> Any:
        kind = type(loader)
        if kind.source_to_code is SourceFileLoader.source_to_code and kind.get_data is SourceFileLoader.get_data:
            return self._runtime.planted_code(path, shown)
        thread = get_ident()
        self._loading.add(thread)
        try:
            return loader.source_to_code(loader.get_data(shown), shown)
        finally:
            self._loading.discard(thread)
