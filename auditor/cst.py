"""The classes of LibCST's nodes, without LibCST, whose import takes longer than the scan of a small file.

`from auditor import cst` takes the place of `import libcst as cst`: `isinstance` and patterns hold for LibCST's own
nodes and for those that the scan makes from the `ast`. Anything else, and the making of a node, is LibCST's own, which
is loaded for it. A rule that imports LibCST itself sees no difference once `join` has made the two known to each other.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from libcst import *  # noqa: F403

_CLASSES = """
: CSTNode
CSTNode: Annotation Arg AsName AssignEqual AssignTarget Asynchronous BaseAugOp BaseBinaryOp BaseBooleanOp BaseCompOp
CSTNode: BaseDictElement BaseElement BaseExpression BaseFormattedStringContent BaseParenthesizableWhitespace BaseSlice
CSTNode: BaseSmallStatement BaseStatement BaseSuite BaseTemplatedStringContent BaseUnaryOp Colon Comma Comment CompFor
CSTNode: CompIf ComparisonTarget Decorator Dot Else EmptyLine ExceptHandler ExceptStarHandler Finally From ImportAlias
CSTNode: ImportStar LeftCurlyBrace LeftParen LeftSquareBracket MatchCase MatchKeywordElement MatchMappingElement
CSTNode: MatchOrElement MatchPattern MatchSequenceElement MatchStar Module NameItem Newline Param ParamSlash ParamSpec
CSTNode: ParamStar Parameters RightCurlyBrace RightParen RightSquareBracket Semicolon SubscriptElement
CSTNode: TrailingWhitespace TypeParam TypeParameters TypeVar TypeVarTuple WithItem
BaseExpression: Await BaseAssignTargetExpression BaseComp BaseDelTargetExpression BaseDict BaseList BaseNumber BaseSet
BaseExpression: BaseString BinaryOperation BooleanOperation Call Comparison Ellipsis IfExp Lambda NamedExpr
BaseExpression: UnaryOperation Yield
BaseAssignTargetExpression BaseDelTargetExpression: Attribute Name Subscript Tuple
BaseList BaseAssignTargetExpression BaseDelTargetExpression: List
BaseComp: BaseSimpleComp
BaseSimpleComp: GeneratorExp
BaseList BaseSimpleComp: ListComp
BaseSet BaseSimpleComp: SetComp
BaseSet: Set
BaseDict: Dict
BaseDict BaseComp: DictComp StarredDictComp
BaseDictElement: DictElement StarredDictElement
BaseElement: Element
BaseElement BaseExpression: StarredElement
BaseString: ConcatenatedString FormattedString SimpleString TemplatedString
BaseFormattedStringContent: FormattedStringExpression FormattedStringText
BaseTemplatedStringContent: TemplatedStringExpression TemplatedStringText
BaseNumber: Float Imaginary Integer
BaseSlice: Index Slice
BaseBinaryOp: Add BitAnd BitOr BitXor Divide FloorDivide LeftShift MatrixMultiply Modulo Multiply Power RightShift
BaseBinaryOp: Subtract
BaseAugOp: AddAssign BitAndAssign BitOrAssign BitXorAssign DivideAssign FloorDivideAssign LeftShiftAssign
BaseAugOp: MatrixMultiplyAssign ModuloAssign MultiplyAssign PowerAssign RightShiftAssign SubtractAssign
BaseBooleanOp: And Or
BaseUnaryOp: BitInvert Minus Not Plus
BaseCompOp: Equal GreaterThan GreaterThanEqual In Is IsNot LessThan LessThanEqual NotEqual NotIn
BaseSmallStatement: AnnAssign Assert Assign AugAssign Break Continue Del Expr Global Import ImportFrom Nonlocal Pass
BaseSmallStatement: Raise Return TypeAlias
BaseStatement: BaseCompoundStatement SimpleStatementLine
BaseCompoundStatement: ClassDef For FunctionDef If Match Try TryStar While With
BaseSuite: IndentedBlock SimpleStatementSuite
MatchPattern: MatchAs MatchClass MatchMapping MatchOr MatchSequence MatchSingleton MatchValue
MatchSequence: MatchList MatchTuple
BaseParenthesizableWhitespace: ParenthesizedWhitespace SimpleWhitespace
"""


def _bases() -> dict[str, tuple[str, ...]]:
    listed = (line.split(":") for line in _CLASSES.split("\n") if line)
    return {name: tuple(above.split()) for above, names in listed for name in names.split()}


BASES = _bases()
"""The classes known here, and those that each is derived from."""

_derived: list[tuple[str, type]] = []
_known: dict[str, _Class] = {}
_library: list[Any] = []
"""LibCST, once it was needed."""


class _Class(type):
    """A class that stands for one of LibCST's; what it makes when called is LibCST's own node."""

    def __call__(cls, *arguments: Any, **fields: Any) -> Any:
        return getattr(join(), cls.__name__)(*arguments, **fields)


def _made(name: str, bases: tuple[type, ...], members: dict[str, Any]) -> _Class:
    return _Class(name, bases, {"__module__": __name__, **members})


def class_of(name: str) -> _Class:
    """The class that stands for LibCST's of that name.

    Raises:
        KeyError: there is none.
    """
    if name not in _known:
        above = tuple(class_of(base) for base in BASES[name])
        _known[name] = made = _made(name, above, {"__slots__": ()})
        if _library:
            _acquaint(name, made)
    return _known[name]


def derive(base: type, members: dict[str, Any], *mixins: type) -> _Class:
    """A class whose objects, which it does not make itself, are instances of `base` and of LibCST's class."""
    made = _made(base.__name__, (*mixins, base), members)
    _derived.append((base.__name__, made))
    if _library:
        getattr(_library[0], base.__name__).register(made)
    return made


def join() -> Any:
    """LibCST, whose classes and those of this module are instances of each other from now on."""
    if not _library:
        _library.append(importlib.import_module("libcst"))
        for name, made in _known.items():
            _acquaint(name, made)
        for name, shadow in _derived:
            getattr(_library[0], name).register(shadow)
    return _library[0]


def _acquaint(name: str, made: _Class) -> None:
    # LibCST of another version may lack the class
    own = getattr(_library[0], name, None)
    if own is not None:
        # a check by a method of the metaclass would take seven times as long as Python's own
        own.__bases__ = (*own.__bases__, made)


if not TYPE_CHECKING:

    def __getattr__(name: str) -> Any:
        if name.startswith("__"):
            # asked for by whatever looks at modules, never a part of LibCST
            raise AttributeError(name)
        found = class_of(name) if name in BASES else getattr(join(), name)
        globals()[name] = found
        return found
