"""Those who read the code of functions instead of running it.

cloudpickle and dill pickle the functions of scripts, closures and notebooks by value. Such code names the probes, which
are not there in a process that did not import the file, nor in any that reads the pickle when the audit is over. So
both are pickled, the code with probes and the code without, and the reader takes the one it can run. numba compiles
code, and knows no probes: it gets the code without. Standard library only, Python 3.8 to 3.14.
"""

from __future__ import annotations

import builtins
from types import CodeType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

ARRIVED = "__audit_arrived__"
"""Name in `builtins` of what makes a file's probes ready, and says whether it knows the file."""
EITHER = (
    "planted[0](*planted[1]) if getattr(__import__('builtins'), '%s', lambda _: False)(file) else plain[0](*plain[1])"
    % ARRIVED
)
CLOUDPICKLES = tuple(
    where + "cloudpickle.cloudpickle" for where in ("", "joblib.externals.", "ray.", "pyspark.", "srsly.")
)
NUMBA = "numba compiled the function, and in what it compiles nothing can be counted"


def hook(runtime: Any, codes: Any, content: Callable[[str], bytes]) -> None:
    """Let those who read code read what they can use, as soon as the program imports them.

    `codes` is the module that looks into code, `content` reads a file.
    """
    setattr(builtins, ARRIVED, runtime.arrived)
    readers = _Readers(runtime, codes, content)
    for name in CLOUDPICKLES:
        runtime.when_imported(name, readers.hook_cloudpickle)
    runtime.when_imported("dill._dill", readers.hook_dill)
    runtime.when_imported("numba.core.bytecode", readers.hook_numba)


class _Readers:
    def __init__(self, runtime: Any, codes: Any, content: Callable[[str], bytes]) -> None:
        self._runtime = runtime
        self._codes = codes
        self._content = content
        self._plain = {}  # type: dict[str, list[CodeType]]

    def hook_cloudpickle(self, module: Any) -> None:
        """Its pickler looks up how to reduce code in a table by type."""
        table = module.CloudPickler.dispatch_table
        reduce = table[CodeType]
        table[CodeType] = lambda code: self._reduced(code, reduce)

    def hook_dill(self, module: Any) -> None:
        """Its pickler is written in Python, and looks up by type who saves."""
        save = module.Pickler.dispatch[CodeType]

        def save_either(pickler: Any, code: CodeType) -> None:
            pickler.save_reduce(*self._reduced(code, lambda one: _caught(save, one)), obj=code)

        module.Pickler.dispatch[CodeType] = save_either

    def hook_numba(self, module: Any) -> None:
        """Whatever it compiles it identifies first."""
        identity = module.FunctionIdentity
        original = identity.from_function.__func__

        def from_function(cls: Any, function: Any) -> Any:
            self._give_back(module.get_function_object(function))
            return original(cls, function)

        identity.from_function = classmethod(from_function)

    def _give_back(self, function: Any) -> None:
        """Have a function be what it is in the file."""
        try:
            plain = self._without_probes(function.__code__)
            if plain is not None:
                self._runtime.unreachable(self._codes.sites(function.__code__), NUMBA)
                function.__code__ = plain
        except Exception:
            pass  # compiled as it is

    def _reduced(self, code: CodeType, reduce: Callable[[CodeType], Any]) -> Any:
        try:
            plain = self._without_probes(code)
        except Exception:
            plain = None  # pickled as it is
        if plain is None:
            return reduce(code)
        return eval, (EITHER, {"planted": reduce(code)[:2], "plain": reduce(plain)[:2], "file": code.co_filename})

    def _without_probes(self, code: CodeType) -> Any:
        """The code that stands at the same place of the file; None if several may be meant, or if it has no probes."""
        path = self._runtime.flagged(code.co_filename) if self._codes.has_probes(code) else ""
        if not path:
            return None
        if path not in self._plain:
            module = self._runtime.compile(self._content(path), path, "exec", dont_inherit=True)
            self._plain[path] = list(self._codes.all_code(module))
        found = [one for one in self._plain[path] if _place(one) == _place(code)]
        return found[0].replace(co_filename=code.co_filename) if len(found) == 1 else None


def _caught(save: Callable[[Any, CodeType], None], code: CodeType) -> Any:
    """What `save` hands to a pickler's `save_reduce`."""
    pickler = _Catching()
    save(pickler, code)
    return pickler.reduced


class _Catching:
    reduced = ()  # type: Any

    def save_reduce(self, *reduced: Any, **_options: Any) -> None:
        self.reduced = reduced


def _place(code: CodeType) -> Any:
    return code.co_name, code.co_firstlineno, code.co_varnames, code.co_freevars, code.co_cellvars
