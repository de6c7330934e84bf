"""A data frame gone through row by row in Python."""

from __future__ import annotations

from auditor import cst
from auditor.model import Cost
from auditor.rule import Calls, Context, Kind, Match, Nodes, Page, Plant, Rule, Where

_BY_ROW = ("1", "'columns'", '"columns"')


_BY_LABEL = ("loc", "at")
_BY_POSITION = ("iloc", "iat")
_LENGTHS = ("builtins.len", "builtins.range", "builtins.enumerate", "builtins.list")


def check(node: cst.CSTNode, ctx: Context) -> Match | None:
    if isinstance(node, cst.Subscript):
        return _check_item(node, ctx) or _check_selection(node, ctx)
    match node:
        case cst.Call(func=cst.Attribute(value=frame, attr=cst.Name(value="query" | "filter")), args=[_, *_]):
            return _check_query(node, frame, ctx)
        case cst.Call(func=cst.Attribute(value=frame, attr=cst.Name(value="iterrows")), args=[]):
            if not _is_run_over(node, ctx):
                return None
            done = "makes a Series of each row"
        case cst.Call(func=cst.Attribute(value=frame, attr=cst.Name(value="apply"))) if _is_by_row(node, ctx):
            done = "calls a function with a Series for each row"
        case _:
            return None
    name = " ".join(ctx.code(frame).split())
    return Match(f"going through `{name}` {done}", (Plant("by-row", node),))


def _check_item(node: cst.Subscript, ctx: Context) -> Match | None:
    """`frame.iloc[i]` and its kin, in a loop that goes through the rows of the same frame."""
    indexer = node.value
    loop = next(iter(ctx.repeating(node)), None)
    if not isinstance(indexer, cst.Attribute) or not isinstance(loop, cst.For | cst.CompFor):
        return None
    kind, frame = indexer.attr.value, ctx.code(indexer.value).strip()
    # `x.at[i].set(v)` is of an array of JAX
    if isinstance(ctx.parent(node), cst.Attribute) and kind == "at":
        return None
    turned = ctx.binds(loop)
    if not any(ctx.uses(name, part) for name in turned for part in node.slice):
        return None
    if frame not in _gone_through(loop.iter, ctx):
        return None
    asked = _asked_for(frame, loop, ctx)
    if not asked or asked[0] is not node:
        return None
    plants = tuple(Plant("by-row", _statement(each, ctx) or each) for each in asked)
    return Match(f"`{frame}.{kind}` is asked for one row after the other", plants)


# ------------------------------------------------------------------------------------------------
# `df[df.id == key]` for each key


def _check_selection(node: cst.Subscript, ctx: Context) -> Match | None:
    """`df[df.id == key]` and `df.loc[df["id"] == key, "name"]`, read or set, for each key of a loop."""
    owner = node.value
    if isinstance(owner, cst.Attribute) and owner.attr.value in _BY_LABEL:
        owner = owner.value
    loop = next(iter(ctx.repeating(node)), None)
    if loop is None or not isinstance(owner, cst.Name | cst.Attribute) or ctx.renews(loop, owner):
        return None
    frame = ctx.code(owner).strip()
    around = _repeated(loop, ctx)
    if not any(_selects(part, frame, around, ctx) for part in _conditions(node, around, ctx)):
        return None
    return _selection(node, frame, ctx)


def _check_query(node: cst.Call, owner: cst.BaseExpression, ctx: Context) -> Match | None:
    """`df.query("id == @key")`, and `df.filter(pl.col("id") == key)` of polars, for each key of a loop."""
    loop = next(iter(ctx.repeating(node)), None)
    if loop is None or not isinstance(owner, cst.Name | cst.Attribute) or ctx.renews(loop, owner):
        return None
    asked, around = node.args[0].value, _repeated(loop, ctx)
    comparisons = ctx.inside(asked, cst.Comparison)
    if ctx.code(node.func).strip().endswith(".query"):
        text = ctx.code(asked)
        if not ("@" in text or isinstance(asked, cst.FormattedString)) or "=" not in text:
            return None
        if isinstance(asked, cst.FormattedString) and not any(
            _is_turned(name, around, ctx) for name in ctx.inside(asked, cst.Name)
        ):
            return None
    elif not any(_is_of_polars(part, ctx) and _is_keyed(part, around, ctx) for part in comparisons):
        return None
    return _selection(node, ctx.code(owner).strip(), ctx)


def _selection(node: cst.Call | cst.Subscript, frame: str, ctx: Context) -> Match:
    planted = (_statement(node, ctx) if isinstance(node, cst.Subscript) else None) or node
    return Match(
        f"all rows of `{frame}` are gone through for those of one key, at every turn", (Plant("by-row", planted),)
    )


def _repeated(loop: cst.CSTNode, ctx: Context) -> cst.CSTNode:
    while isinstance(loop, cst.CompFor):
        loop = ctx.parent(loop) or ctx.root
    return loop


def _conditions(node: cst.Subscript, around: cst.CSTNode, ctx: Context) -> list[cst.Comparison]:
    """The comparisons in the index, also by way of a name that the loop gives them."""
    found = [part for element in node.slice for part in ctx.inside(element, cst.Comparison)]
    for name in (part for element in node.slice for part in ctx.inside(element, cst.Name)):
        for store in ctx.stores(name.value, around):
            if isinstance(store, cst.Assign):
                found.extend(ctx.inside(store.value, cst.Comparison))
    return found


def _selects(part: cst.Comparison, frame: str, around: cst.CSTNode, ctx: Context) -> bool:
    """Whether a column of the frame is compared with what the loop has at its turn."""
    return _is_keyed(part, around, ctx) and any(
        isinstance(one, cst.Attribute | cst.Subscript) and ctx.code(one.value).strip() == frame
        for side in (part.left, part.comparisons[0].comparator)
        for one in (side, *ctx.inside(side, cst.Attribute, cst.Subscript))
    )


def _is_keyed(part: cst.Comparison, around: cst.CSTNode, ctx: Context) -> bool:
    return isinstance(part.comparisons[0].operator, cst.Equal) and any(
        _is_turned(name, around, ctx) for name in ctx.inside(part, cst.Name)
    )


def _is_turned(name: cst.Name, around: cst.CSTNode, ctx: Context) -> bool:
    return bool(ctx.uses(name.value, ctx.parent(name))) and bool(ctx.stores(name.value, around))


def _is_of_polars(part: cst.Comparison, ctx: Context) -> bool:
    return any(ctx.qualified(call.func) == "polars.col" for call in ctx.inside(part, cst.Call))


# ------------------------------------------------------------------------------------------------
# Rows of a frame, one after the other


def _gone_through(iterable: cst.BaseExpression, ctx: Context) -> set[str]:
    """What the loop goes through by length or index: `range(len(x))`, `x.index`, `range(x.shape[0])`."""
    match iterable:
        case cst.Call(func=function, args=[*arguments]) if ctx.qualified(function) in _LENGTHS:
            if ctx.qualified(function) == "builtins.len":
                return {ctx.code(argument.value).strip() for argument in arguments}
            return set().union(*(_gone_through(argument.value, ctx) for argument in arguments))
        case cst.Attribute(value=frame, attr=cst.Name(value="index")):
            return {ctx.code(frame).strip()}
        case cst.Call(func=cst.Attribute(value=inner, attr=cst.Name(value="tolist" | "unique")), args=[]):
            return _gone_through(inner, ctx)
        case cst.Subscript(
            value=cst.Attribute(value=frame, attr=cst.Name(value="shape")),
            slice=[cst.SubscriptElement(slice=cst.Index(value=cst.Integer(value="0")))],
        ):
            return {ctx.code(frame).strip()}
        case cst.BinaryOperation(left=left):
            return _gone_through(left, ctx)
    return set()


def _asked_for(frame: str, loop: cst.For | cst.CompFor, ctx: Context) -> list[cst.Subscript]:
    """Where the loop asks for rows of the frame, in source order."""
    around = next(outer for outer in ctx.ancestors(loop)) if isinstance(loop, cst.CompFor) else loop.body
    found: list[cst.Subscript] = []
    for other in ctx.descendants(around):
        match other:
            case cst.Subscript(value=cst.Attribute(value=owner, attr=cst.Name(value=kind))):
                if kind in (*_BY_POSITION, *_BY_LABEL) and ctx.code(owner).strip() == frame:
                    found.append(other)
    return found


def _statement(item: cst.Subscript, ctx: Context) -> cst.Assign | cst.AugAssign | None:
    """The assignment that stores into it, if one does."""
    parent = ctx.parent(item)
    around = ctx.parent(parent) if isinstance(parent, cst.AssignTarget) else parent
    if isinstance(around, cst.Assign) and around is not parent:
        return around
    return around if isinstance(around, cst.AugAssign) and around.target is item else None


def _is_by_row(call: cst.Call, ctx: Context) -> bool:
    axis = ctx.argument(call, 1, "axis")
    return axis is not None and ctx.code(axis).strip() in _BY_ROW and ctx.argument(call, 0, "func") is not None


def _is_run_over(rows: cst.Call, ctx: Context) -> bool:
    """Whether a loop or comprehension goes through the rows, by way of `enumerate` or a progress bar, too."""
    child: cst.CSTNode = rows
    for parent in ctx.ancestors(rows):
        match parent:
            case cst.For(iter=iterable) | cst.CompFor(iter=iterable) if iterable is child:
                return True
            case cst.Call(func=function) if function is not child:
                # `enumerate(df.iterrows())`, `tqdm(df.iterrows(), total=n)`, `list(df.iterrows())`
                pass
            case cst.Arg():
                pass
            case _:
                return False
        child = parent
    return False


RULE = Rule(
    id="dataframe-iterrows",
    title="Data frame gone through row by row",
    kind=Kind.ALGORITHMIC,
    page=Page(
        what=(
            "A loop or comprehension over `df.iterrows()`, also by way of `enumerate` or a progress bar, and"
            " `df.apply(f, axis=1)`; and `df.iloc[i]`, `df.loc[i]`, `df.iat[...]` or `df.at[...]`, read or set, in"
            " a loop over the length or the index of `df`, of which the first is flagged. `itertuples()` is not. And"
            " `df[df.id == key]`, `df.loc[df['id'] == key, 'name']`, `df.query('id == @key')` and polars'"
            " `df.filter(pl.col('id') == key)` for each key of a loop."
        ),
        why=(
            "Each row is made into a Series of its own, with an index and a common type for all values: twenty to fifty"
            " microseconds a row before anything is done with it, where an operation on whole columns takes some"
            " nanoseconds a row. A selection compares the key with all rows, and takes some hundred microseconds"
            " even of a short frame."
        ),
        harmless=(
            "For a few hundred rows, or where each row starts something dear, such as a request. The common type also"
            " turns integers into floats, which is a reason of its own to avoid it."
        ),
        measured=(
            "Seconds that making the rows takes, without what the loop does with them; of `apply`, those of the call"
            " from without to with what the function takes. Confirmed when the seconds and their share of the run are"
            " considerable."
        ),
        fix=(
            "Work on columns: `df['a'] * df['b']`, `np.where`, `df.merge`, `df['x'].map(table)`. In place of a"
            " selection for each key, `for key, part in df.groupby('id')`, a dict of what is looked up, or"
            " `df.set_index('id')`. Else `df.itertuples(index=False)` or `zip(df['a'], df['b'])`, which take half a"
            " microsecond a row."
        ),
        references=(
            "True: pandas 3.1.1, pandas/io/stata.py:3355, each row of a frame of long strings",
            "Harmless: mlxtend 0.25.0, mlxtend/plotting/pca_correlation_graph.py:166, one for each arrow drawn",
        ),
    ),
    triggers=(
        Calls((".iterrows", ".apply")),
        Calls((".query", ".filter"), Where(loop=True)),
        Nodes(("Subscript",), Where(loop=True), attributes=(*_BY_LABEL, *_BY_POSITION)),
        Nodes(("Subscript",), Where(loop=True), again=True),
    ),
    expects=Cost(),
    check=check,
    valid=(
        "def f(df):\n    for row in df.itertuples():\n        print(row.a)\n",
        "def f(df):\n    return df['a'] * df['b']\n",
        "def f(df):\n    return df.apply(sum), df.apply(sum, axis=0), df['a'].apply(str)\n",
        # handed on
        "def f(df):\n    return df.iterrows()\n",
        "def f(task, axis):\n    return task.apply(args=(1,)), task.apply(sum, axis)\n",
        # columns, one row, an array of JAX
        "def f(df, keys, array):\n    for name in df.columns:\n        print(df.loc[:, name], df.iloc[0])\n"
        "    for i in range(len(array)):\n        array = array.at[i].set(0)\n    return df.loc[keys]\n",
        # a selection that no turn changes, of each turn's own frame, or of something else
        "def f(rows, df, kind):\n    for row in rows:\n        print(df[df.kind == kind], row.t[row.t.id == row.id])\n"
        "        part = row.load()\n        print(part[part.id == row.id], rows[len(rows) - 1])\n",
        "def f(rows, Book):\n    for row in rows:\n        print(Book.query.filter(Book.id == row.id))\n"
        "        print(row.query('id == @row'))\n",
    ),
    invalid=(
        "def f(df):\n    for i, row in df.iterrows():\n        print(row['a'])\n",
        "def f(df, tqdm):\n    for n, (i, row) in enumerate(tqdm(df.iterrows(), total=len(df))):\n"
        "        print(n, row['a'])\n",
        "def f(df):\n    return [row['a'] for _, row in df[df.a > 1].iterrows()]\n",
        "def f(df):\n    return sum(row['a'] for _, row in df.iterrows())\n",
        "def f(df):\n    df['c'] = df.apply(lambda row: row['a'] + row['b'], axis=1)\n",
        "def f(df, g):\n    return df.apply(g, axis='columns')\n",
        # one suspect for the loop
        "def f(df):\n    for i in range(len(df)):\n        if df.iloc[i]['a'] > 1:\n            df.loc[i, 'b'] = 1\n",
        "def f(df):\n    for i in df.index:\n        df.at[i, 'c'] = i\n",
        "def f(df):\n    return [df.iloc[i] for i in range(df.shape[0])]\n",
        # for each key
        "def f(df, keys):\n    return [df[df.id == key] for key in keys]\n",
        "def f(df, rows):\n    for row in rows:\n        row.name = df.loc[df['id'] == row.id, 'name'].iloc[0]\n",
        "def f(df, table):\n    for key, value in table.items():\n        df.loc[df.id == key, 'value'] = value\n",
        "def f(df, keys):\n    for key in keys:\n        mask = (df['id'] == key) & df['new']\n"
        "        print(df.loc[mask])\n",
        "def f(df, keys):\n    for key in keys:\n        print(df.query('id == @key'))\n",
        "import polars as pl\n\ndef f(df, keys):\n    return [df.filter(pl.col('id') == key) for key in keys]\n",
    ),
)
