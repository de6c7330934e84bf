"""A data frame or array that a loop builds by concatenation."""

from __future__ import annotations

from auditor import cst
from auditor.model import Scaling
from auditor.rule import Calls, Context, Kind, Match, Nodes, Page, Plant, Rule, Where

_ARRAYS = ("numpy", "cupy", "jax.numpy", "dask.array")
_JOINS = ("concatenate", "append", "vstack", "hstack", "dstack", "row_stack", "column_stack", "insert")
_METHODS = ("append", "_append", "vstack", "concat", "extend")
_CONCATENATIONS = (
    *("pandas.concat", "polars.concat", "dask.dataframe.concat", "xarray.concat", "pyarrow.concat_tables"),
    *("torch.cat", "torch.concat", "torch.vstack", "torch.hstack", "tensorflow.concat"),
    *(f"{module}.{name}" for module in _ARRAYS for name in _JOINS),
)
_FRAMES = (
    "pandas.DataFrame.append",
    "pandas.DataFrame._append",
    "pandas.Series.append",
    "polars.DataFrame.vstack",
    "polars.DataFrame.extend",
)


def check(node: cst.CSTNode, ctx: Context) -> Match | None:
    if isinstance(node, cst.Assign):
        return _check_enlargement(node, ctx)
    if not isinstance(node, cst.Call):
        return None
    statement = _assignment(node, ctx)
    if statement is None:
        return None
    target = ctx.code(statement.targets[0].target).strip()
    if not _adds_to(node, target, ctx):
        return None
    if ctx.carrier(statement, target) is not None:
        message = f"`{target}` is copied each time the loop adds to it"
    elif _is_kept(statement, target, ctx):
        message = f"`{target}` is copied each time a loop calls what adds to it"
    else:
        return None
    return Match(message, (Plant("sized-call", node),))


def _is_kept(statement: cst.Assign, target: str, ctx: Context) -> bool:
    """Whether a method that loops call adds to what its object keeps, and does nothing else with it."""
    function = ctx.function(statement)
    if not isinstance(function, cst.FunctionDef) or "." not in target or ctx.loops(statement):
        return False
    receiver = [parameter.name.value for parameter in function.params.params[:1]]
    own = receiver == [target.partition(".")[0]] and len(ctx.stores(target, function)) == 1
    return own and ctx.runs_often(statement)


def _check_enlargement(node: cst.Assign, ctx: Context) -> Match | None:
    """`df.loc[len(df)] = row`, and `df.loc[i] = row` of a frame that was made without rows."""
    match node.targets:
        case [
            cst.AssignTarget(
                target=cst.Subscript(
                    value=cst.Attribute(value=frame, attr=cst.Name(value="loc" | "at")),
                    slice=[cst.SubscriptElement(slice=cst.Index(value=index)), *_],
                )
            )
        ]:
            pass
        case _:
            return None
    loops = ctx.repeating(node)
    name = ctx.code(frame).strip()
    if not loops or not isinstance(frame, cst.Name | cst.Attribute) or ctx.renews(loops[0], frame):
        return None
    behind = ctx.code(index).replace(" ", "") in (f"len({name})", f"{name}.shape[0]", f"len({name}.index)")
    turned = any(ctx.uses(one, index) for loop in loops[:1] for one in ctx.binds(loop))
    if not behind and not (turned and _is_without_rows(ctx.bound_to(frame), ctx)):
        return None
    return Match(f"`{name}` is copied each time the loop adds a row to it", (Plant("sized-call", node),))


def _is_without_rows(made: cst.BaseExpression | None, ctx: Context) -> bool:
    """Whether it is `pd.DataFrame()` or `pd.DataFrame(columns=...)`."""
    if not isinstance(made, cst.Call) or ctx.qualified(made.func) != "pandas.DataFrame":
        return False
    return all(
        argument.keyword is not None and argument.keyword.value in ("columns", "dtype") for argument in made.args
    )


def _assignment(call: cst.Call, ctx: Context) -> cst.Assign | None:
    """The assignment to one name or attribute whose value is the call, or what its methods make of it."""
    child: cst.CSTNode = call
    for parent in ctx.ancestors(call):
        match parent:
            case cst.Assign(targets=[cst.AssignTarget(target=cst.Name() | cst.Attribute())]):
                return parent
            case cst.Attribute() | cst.IfExp():
                pass
            case cst.Call(func=function) if function is child:
                pass
            case _:
                return None
        child = parent
    return None


def _adds_to(call: cst.Call, target: str, ctx: Context) -> bool:
    """Whether the call makes a longer one of what the target holds."""
    if ctx.qualified(call.func) in _CONCATENATIONS:
        return any(ctx.code(part).strip() == target for part in _parts(call))
    match call.func:
        case cst.Attribute(value=owner, attr=cst.Name(value=method)):
            # a list's `append` yields nothing that anyone would keep
            return method in _METHODS and ctx.code(owner).strip() == target and ctx.type_of(owner) != "list"
    return False


def _parts(call: cst.Call) -> list[cst.BaseExpression]:
    found: list[cst.BaseExpression] = []
    for argument in call.args:
        match argument.value:
            case cst.List(elements=elements) | cst.Tuple(elements=elements):
                found.extend(element.value for element in elements)
            case value:
                found.append(value)
    return found


RULE = Rule(
    id="dataframe-concat-in-loop",
    title="Data frame or array built by concatenation in a loop",
    kind=Kind.ALGORITHMIC,
    page=Page(
        what=(
            "`df = pd.concat([df, part])`, `a = np.append(a, x)`, `a = np.concatenate([a, part])`, `np.vstack` and the"
            " like of NumPy, polars, xarray, PyTorch and their kin, and `df = df.append(row)`, inside a loop that"
            " carries the frame from turn to turn, also with methods such as `.reset_index()` behind; and"
            " `df.loc[len(df)] = row`, and `df.loc[i] = row` where `df` was made without rows."
        ),
        why=(
            "Each call makes a new frame and copies all of the old one into it: the time of the whole loop, and the"
            " bytes it moves, grow with the square of the result's length. pandas adds some hundred microseconds"
            " a call for working out the columns and the index."
        ),
        harmless="When the loop has few turns, as over a handful of files, or the parts are large beside their number.",
        measured=(
            "Seconds spent in the call, the number of rows where it can be seen, and how the cost of a call grows"
            " with it. Confirmed when the seconds are considerable: one call after the loop saves the fixed part of"
            " each call as well, which in small frames is most of it. Bytes are not asked for: each frame dies with"
            " the next, so that the peak hardly tells it from one call after the loop."
        ),
        fix=(
            "Collect the parts in a list and concatenate once after the loop: `pd.concat(parts)`. Rows: collect dicts"
            " and make one `pd.DataFrame(rows)`. Arrays whose length is known: `np.empty(n)` and fill it."
        ),
        references=(
            "True: seaborn 0.13.2, seaborn/categorical.py:3313, a swarm, copied for each point that is placed",
            "Harmless: yfinance 1.7.0, yfinance/utils.py:835, rows that are rarely out of range",
        ),
    ),
    triggers=(
        Calls((*_CONCATENATIONS, *_FRAMES), Where(loop=True)),
        Calls((*_CONCATENATIONS, *_FRAMES), Where(often=True)),
        Nodes(("Assign",), Where(loop=True), targets=("Subscript",)),
    ),
    expects=Scaling(avoidable=True),
    check=check,
    valid=(
        "import pandas as pd\n\ndef f(files):\n    parts = []\n    for file in files:\n"
        "        parts.append(pd.read_csv(file))\n    return pd.concat(parts)\n",
        # its own for each turn
        "import pandas as pd\n\ndef f(groups, extra):\n    for group in groups:\n        df = group.frame\n"
        "        df = pd.concat([df, extra])\n        print(df)\n",
        # something else is kept
        "import numpy as np\n\ndef f(rows, base):\n    for row in rows:\n        a = np.append(base, row)\n"
        "        print(a)\n",
        # a list
        "import numpy as np\n\ndef f(rows):\n    out = []\n    for row in rows:\n        out.append(row)\n"
        "    return np.array(out)\n",
        # rows that are there already
        "def f(df, rows, table):\n    for i, row in enumerate(rows):\n        df.loc[i] = row\n"
        "        table[len(table)] = row\n        part = row.frame\n        part.loc[len(part)] = row\n",
        # few
        "import numpy as np\n\ndef f(box):\n    a = np.zeros(1)\n    for side in ('x', 'y'):\n"
        "        a = np.append(a, box[side])\n    return a\n",
    ),
    invalid=(
        "import pandas as pd\n\nclass Log:\n    def __init__(self):\n        self.rows = pd.DataFrame()\n\n"
        "    def add(self, row):\n        self.rows = pd.concat([self.rows, pd.DataFrame([row])])\n\n"
        "    def fill(self, rows):\n        for row in rows:\n            self.add(row)\n",
        "import pandas as pd\n\ndef f(files):\n    df = pd.DataFrame()\n    for file in files:\n"
        "        df = pd.concat([df, pd.read_csv(file)])\n    return df\n",
        "import pandas\n\ndef f(files):\n    df = None\n    for file in files:\n"
        "        part = pandas.read_csv(file)\n"
        "        df = part if df is None else pandas.concat([df, part]).reset_index(drop=True)\n    return df\n",
        "import numpy as np\n\ndef f(rows):\n    a = np.array([])\n    for row in rows:\n"
        "        a = np.append(a, row)\n    return a\n",
        "from numpy import vstack\n\nclass Table:\n    def load(self, rows):\n        for row in rows:\n"
        "            self.data = vstack((self.data, row))\n",
        "import pandas as pd\n\ndef f(rows):\n    df = pd.DataFrame()\n    while rows:\n"
        "        df = df.append(rows.pop(), ignore_index=True)\n    return df\n",
        # a row more at each turn
        "def f(df, rows):\n    for row in rows:\n        df.loc[len(df)] = [row.a, row.b]\n    return df\n",
        "import pandas as pd\n\ndef f(rows):\n    df = pd.DataFrame(columns=['a', 'b'])\n"
        "    for i, row in enumerate(rows):\n        df.loc[i] = [row.a, row.b]\n    return df\n",
    ),
)
