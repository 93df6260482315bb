"""Small mistakes put into a source, one at a time: where they fit, and the source that has one.

Left alone: docstrings, annotations, sentences for a human (any text with a blank that is no SQL),
`__all__`, decorators' switches, and assignments to names (without them nothing runs at all: such
a mutant is killed by whatever comes by, and says nothing about the tests).
"""

import ast
import copy
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

SWAPS: dict[type, type] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq, ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In,
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.FloorDiv, ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult, ast.Mod: ast.Mult, ast.BitOr: ast.BitAnd, ast.BitAnd: ast.BitOr,
    ast.LShift: ast.RShift, ast.RShift: ast.LShift, ast.And: ast.Or, ast.Or: ast.And,
    ast.BitXor: ast.BitOr,
}  # fmt: skip

LONG = 160
"""Characters of a change that are told whole."""

FOR_READERS = {"_field": (1, 3, 4), "Codec": (0,), "cast": (0,)}
"""Arguments that say something to a reader only: a field's meaning, length and source."""

_SQL = re.compile(r"\b(SELECT|INSERT|UPDATE|DELETE|WHERE|FROM|ORDER BY|PRAGMA|NOT EXISTS)\b")
_SQL_CLAUSE = re.compile(r"\b(SET|WHERE|AND|OR|ON|WHEN|SELECT|PRAGMA)\b")
_SQL_SWAPS = (
    (r" AND ", " OR "), (r" OR (?!REPLACE|IGNORE)", " AND "), (r"(?<![<>!:])=", "!="),
    (r"!=", "="), (r"<=", "<"), (r">=", ">"), (r"(?<!<)<(?![=<])", "<="), (r"(?<!>)>(?![=>])", ">="),
    (r"\bNOT EXISTS\b", "EXISTS"), (r"\bIS NULL\b", "IS NOT NULL"), (r" DESC\b", ""),
    (r"(ORDER BY \w+)(?! DESC)\b", r"\1 DESC"), (r"\bmin\(", "max("), (r"\bmax\(", "min("),
    (r" \+ ", " - "), (r" - ", " + "), (r"\b0\b", "1"), (r"\b1\b", "2"), (r"\bNOT IN\b", "IN"),
)  # fmt: skip

_SIMPLE = (ast.Expr, ast.AugAssign, ast.Raise, ast.Delete)


@dataclass(frozen=True, slots=True)
class Mutant:
    """One mistake.

    name    of the file, the thing in it and the change: stays when lines move
    first, last     the lines of the statement it is in
    inside          it is in a function: code that does not pass there cannot see it
    apply           makes it in a fresh tree of the same source
    """

    path: Path
    name: str
    first: int
    last: int
    inside: bool
    apply: Callable[[ast.Module], None]

    def code(self) -> ast.Module:
        """The whole module with the mistake in it."""
        tree = ast.parse(self.path.read_text(encoding="utf-8"))
        self.apply(tree)
        return ast.fix_missing_locations(tree)


@dataclass(slots=True)
class _Place:
    thing: str = ""
    inside: bool = False
    first: int = 0
    last: int = 0


def mutants_of(path: Path, root: Path, enums: dict[str, list[str]]) -> list[Mutant]:
    """All mutants of one file. `enums`: the members of every Enum of the program."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    numbers = {id(node): number for number, node in enumerate(ast.walk(tree))}
    known = dict(enums)
    for node in tree.body:  # `S, C, A = State, Cause, Act`
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Tuple):
            for short, long in zip(node.targets[0].elts, node.value.elts, strict=True):
                known[getattr(short, "id", "")] = enums.get(getattr(long, "id", ""), [])
    found: list[Mutant] = []
    seen: dict[str, int] = {}
    for node, place in _visit(tree, _Place()):
        for change in _changes(node, known):
            mutated = copy.deepcopy(node)
            change(mutated)
            if isinstance(node, ast.If | ast.While):
                was, now = ast.unparse(node.test), ast.unparse(mutated.test)
            else:
                was, now = ast.unparse(node), ast.unparse(mutated)
            was, now = _shortened(was, now)
            name = f"{path.relative_to(root)} {place.thing}: {was} -> {now}"
            seen[name] = seen.get(name, 0) + 1
            if seen[name] > 1:
                name += f" (#{seen[name]})"
            found.append(
                Mutant(path, name, place.first, place.last, place.inside,
                       _later(numbers[id(node)], change))
            )  # fmt: skip
    return found


def _shortened(was: str, now: str) -> tuple[str, str]:
    """Both as one line; of a long one (a whole schema) only what is around the difference."""
    if len(was) > LONG:
        start = max(0, _alike(was, now) - LONG // 4)
        end = _alike(was[::-1], now[::-1])
        was = was[start : min(len(was), len(was) - end + LONG // 4)]
        now = now[start : min(len(now), len(now) - end + LONG // 4)]
    return " ".join(was.split()), " ".join(now.split())


def _alike(one: str, other: str) -> int:
    pairs = enumerate(zip(one, other, strict=False))
    return next((at for at, (a, b) in pairs if a != b), min(len(one), len(other)))


def enums_in(paths: list[Path]) -> dict[str, list[str]]:
    """The members of each Enum in these files."""
    return {
        node.name: [
            target.id
            for each in node.body
            if isinstance(each, ast.Assign)
            for target in each.targets
            if isinstance(target, ast.Name)
        ]
        for path in paths
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.ClassDef)
        and any(isinstance(base, ast.Name) and base.id == "Enum" for base in node.bases)
    }


def _later(number: int, change: Callable[[ast.AST], None]) -> Callable[[ast.Module], None]:
    def apply(tree: ast.Module) -> None:
        change(next(node for index, node in enumerate(ast.walk(tree)) if index == number))

    return apply


def _visit(node: ast.AST, place: _Place) -> Iterator[tuple[ast.AST, _Place]]:
    """Every node that may be changed, with where it stands."""
    if isinstance(node, ast.stmt):
        last = node.end_lineno or node.lineno
        inner = getattr(node, "body", None) or getattr(node, "cases", None)
        if inner and not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            head = getattr(inner[0], "lineno", 0) or inner[0].pattern.lineno
            last = max(node.lineno, head - 1)
        place = _Place(place.thing, place.inside, node.lineno, last)
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        place.thing = f"{place.thing}.{node.name}".lstrip(".")
        for each in (*getattr(getattr(node, "args", None), "defaults", ()),
                     *getattr(getattr(node, "args", None), "kw_defaults", ())):  # fmt: skip
            if each is not None:
                yield from _visit(each, place)
        for each in node.decorator_list:
            if not ast.unparse(each).startswith("dataclass"):
                yield from _visit(each, place)
        inside = place.inside or not isinstance(node, ast.ClassDef)
        for each in node.body:
            yield from _visit(each, _Place(place.thing, inside))
        return
    if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) in ("__all__", "P", "T", "R"):
        return
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return
    yield node, place
    for name, value in ast.iter_fields(node):
        if name in ("annotation", "format_spec"):
            continue
        nodes = value if isinstance(value, list) else [value]
        if name == "args" and isinstance(node, ast.Call):
            told = FOR_READERS.get(ast.unparse(node.func), ())
            nodes = [each for at, each in enumerate(nodes) if at not in told]
        for each in nodes:
            if isinstance(each, ast.AST):
                yield from _visit(each, place)


def _changes(node: ast.AST, enums: dict[str, list[str]]) -> Iterator[Callable[[ast.AST], None]]:
    match node:
        case ast.Compare(ops=ops):
            for index, op in enumerate(ops):
                new = SWAPS[type(op)]()
                yield lambda n, index=index, new=new: n.ops.__setitem__(index, new)
        case ast.BinOp(op=ast.BitOr()) if "." not in ast.unparse(node) and "(" not in ast.unparse(
            node
        ):
            pass  # `int | None`
        case ast.BinOp(op=op) | ast.BoolOp(op=op) if type(op) in SWAPS:
            yield lambda n: setattr(n, "op", SWAPS[type(n.op)]())
        case ast.AugAssign(op=op):
            yield lambda n: setattr(n, "op", SWAPS[type(n.op)]())
            yield _emptied
        case ast.UnaryOp(op=ast.Not() | ast.USub()):
            yield lambda n: setattr(n, "operand", ast.UnaryOp(n.op, n.operand))  # `not not x`
        case ast.If() | ast.IfExp():
            yield lambda n: setattr(n, "test", ast.Constant(value=True))
            yield lambda n: setattr(n, "test", ast.Constant(value=False))
        case ast.While():
            yield lambda n: setattr(n, "test", ast.Constant(value=False))
        case ast.comprehension(ifs=[_, *_]):
            yield lambda n: n.ifs.clear()
        case ast.match_case(guard=ast.expr()):
            yield lambda n: setattr(n, "guard", ast.Constant(value=True))
            yield lambda n: setattr(n, "guard", ast.Constant(value=False))
        case ast.Return(value=ast.expr() as value) if not isinstance(value, ast.Constant):
            yield lambda n: setattr(n, "value", ast.Constant(value=None))
        case ast.Continue() | ast.Break():
            yield _emptied
        case ast.Expr() | ast.Raise() | ast.Delete() if "assert_never" not in ast.unparse(node):
            yield _emptied
        case ast.Assign(targets=[ast.Attribute() | ast.Subscript(), *_]):
            yield _emptied
        case ast.Attribute(value=ast.Name(id=base), attr=attr) if attr in enums.get(base, ()):
            members = enums[base]
            other = members[(members.index(attr) + 1) % len(members)]
            yield lambda n: setattr(n, "attr", other)
        case ast.Constant(value=value):
            yield from _other_constants(value)


def _other_constants(value: object) -> Iterator[Callable[[ast.AST], None]]:
    match value:
        case bool():
            yield lambda n: setattr(n, "value", not n.value)
        case int() | float():
            yield lambda n: setattr(n, "value", n.value + 1)
        case bytes():
            yield lambda n: setattr(n, "value", n.value + b"X")
        case str() if _SQL.search(value) or (value.startswith(" ") and value.strip()):
            for pattern, new in _SQL_SWAPS:
                for hit in re.finditer(pattern, value):
                    if "--" in value[: hit.start()].rpartition("\n")[2]:
                        continue  # a comment
                    clause = _SQL_CLAUSE.findall(value[: hit.start()])
                    if pattern == r"(?<![<>!:])=" and clause[-1:] in (["SET"], ["PRAGMA"]):
                        continue  # no comparison
                    text = value[: hit.start()] + hit.expand(new) + value[hit.end() :]
                    yield lambda n, text=text: setattr(n, "value", text)
        case str() if " " not in value or not value.strip():
            yield lambda n: setattr(n, "value", n.value + "X")


def _emptied(node: ast.AST) -> None:
    """The statement is gone."""
    node.__class__ = ast.Pass
