r"""Equations as docstrings have them, in LaTeX; and LaTeX on pages as MathML, which a browser draws without a script.

dc += dh * o * tanh'(c)     seen twice   ->   \mathrm{d}c & {+}{=} ... \odot o \odot \tanh'(c) & & \text{seen twice}
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from itertools import takewhile
from typing import Any

from docutils import nodes
from docutils.utils.math import MathError
from docutils.utils.math.latex2mathml import tex2mathml
from sphinx.util.logging import getLogger

logger = getLogger(__name__)

TRANSPOSED = r"\top"
NO_GRADIENTS = {"dropped", "delta", "dot", "directions"}
FACTORS = {"word", "number", "power", ")", "]"}
GREEK = {"alpha", "beta", "gamma", "delta", "sigma", "epsilon", "theta"}
COMMANDS = {"sigmoid": r"\sigma", "sum": r"\sum"}
WORDS = {
    "for",
    "of",
    "where",
    "with",
    "else",
    "the",
    "and",
    "over",
    "valid",
    "no",
    "at",
    "from",
    "by",
    "elsewhere",
    "is",
}
"""Said in an equation, in words."""
SIGNS = {
    "*": r"\odot ", "@": r"\,", "..": r"\ldots ", "...": r"\ldots ", "<=": r"\le ", ">=": r"\ge ", "!=": r"\ne ",
    "->": r"\to ", "|": r"\vert ", "{": r"\{", "}": r"\}", "%": r"\%", "#": r"\#", "&": r"\&", "+=": "{+}{=}",
    "-=": "{-}{=}", ".": r"\cdot ", "_": r"\_", "$": r"\$", "~": r"\sim ", "∂": r"\partial ",
}  # fmt: skip
TOKEN = re.compile(
    r"(?P<word>[^\W\d_](?:_\([^()]*\)|_\{[^{}]*\}|_t[-+]1(?!\w)|\w)*(?:'(?:_\w)?)?)|(?P<number>\d+(?:\.\d+)?(?:e-?\d+)?)"
    r"|(?P<power>\^(?:\w|\{[^{}]*\}))|(?P<sign>\.\.\.?|[<>!+-]=|->|\S)|(?P<space>\s+)"
)
UNKNOWN_AS = {
    r"\\dots(?![a-z])": r"\\ldots",
    r"\\(?:[bB]igg?[lrm]?|mathrel|mathbin|textstyle|displaystyle)(?![a-z])": "",
    r"\\frac *(\w) *(\w)": r"\\frac{\1}{\2}",
}
"""What docutils does not know, as patterns, and what does as well."""
ROOM = 72
"""About how many letters a page is wide."""
EQUALS = re.compile(r"\s*([-+]?=)\s+")
ANOTHER = re.compile(r" {3,}(?=(?:[^\s=]+ )?[-+]?= )")
"""Where another equation begins, in the same line."""
NO_EQUATION = re.compile(r"[\u2190-\u2bff`]|>>>|\"|\\|==| if ")


def equations(lines: list[str]) -> str | None:
    """LaTeX of a block's lines, aligned at their equality signs; None where not each of them is an equation."""
    rows: list[str] = []
    split = [beside(line.strip()) for line in joined(lines)]
    sides = [equation.rpartition(" = ") for equation, _ in split]
    room = max(14, ROOM - sum(max(width(side) for side in column) for column in zip(*sides)))
    for equation, remark in split:
        first, *more = textwrap.wrap(remark, room) or [""]
        if rows and re.match(r"[-+*] ", equation) and not remark:
            rows.append(rf" & \quad {latex(equation)}")
            continue
        made = row(f"{equation}   {first}".rstrip())
        if made is None:
            return None
        rows += [made, *(rf" & & \quad & \text{{{said_as(each)}}}" for each in more)]
    return "\\begin{aligned}\n" + " \\\\\n".join(rows) + "\n\\end{aligned}"


def joined(lines: list[str]) -> list[str]:
    """A line for each equation: of several in a line, and of one whose left side has a line to itself."""
    made: list[str] = []
    split = (ANOTHER.split(EQUALS.sub(r" \1 ", line.strip(), count=1)) for line in lines)
    for line in (part for parts in split for part in parts):
        if made and line.lstrip().startswith("= ") and "=" not in made[-1]:
            made[-1] += f" {line.strip()}"
        else:
            made.append(line)
    return made


def beside(line: str) -> tuple[str, str]:
    """An equation, and what is said beside it, behind three spaces."""
    equation, _, remark = EQUALS.sub(r" \1 ", line, count=1).partition("   ")
    return equation, remark.strip()


def width(equation: str) -> int:
    """About how many letters wide an equation is."""
    return len(re.sub(r"(?<=s)igmoid|[\s_^{}]", "", equation))


def row(line: str) -> str | None:
    """A line: left = right, and behind three spaces what is said beside it. None where it is of another kind."""
    equation, remark = beside(line)
    found = re.fullmatch(r"(?:(\[?[^\W\d_][^=]*?) )?([-+]?=) (.+)", equation.strip())
    if found is None or NO_EQUATION.search(line):
        return None
    left, sign, right = found.groups()
    said = rf" & \quad & \text{{{said_as(remark)}}}" if remark else ""
    return f"{latex(left or '')} & {SIGNS.get(sign, sign)} {latex(right)}{said}"


def said_as(words: str) -> str:
    r"""Words within \text{}, where no sign but a bracket has a meaning."""
    return re.sub(r"[{}]", "", words)


def as_text(words: str) -> str:
    """A name that stands among mathematics."""
    return re.sub(r"([%#&$_{}])", r"\\\1", words)


def latex(expression: str) -> str:
    """LaTeX of one side of an equation. A space between two factors is the matrix product."""
    made: list[str] = []
    subscripts: list[bool] = []
    was = ""
    parts = list(tokens(re.sub(r"\bsum over (.+?) of ", r"sum_{\1} ", expression)))
    if sum(token in WORDS for _, token in parts) > 1:
        return rf"\;\text{{{said_as(expression)}}}"
    for k, ((kind, token), (after, follows)) in enumerate(zip(parts, [*parts[1:], ("", "")])):
        if kind == "word" and follows == "(" and re.search(r"[a-z]{3}_|_[a-z]{3}", token):
            piece = rf"\mathrm{{{as_text(token)}}}"  # a function
        elif kind == "word":
            piece = word(token)
        elif kind == "power":
            raised = token[1:].strip("{}")
            piece = f"^{{{TRANSPOSED if raised == 'T' else latex(raised)}}}"
        elif kind == "space":
            product = was in FACTORS and (after in FACTORS or follows == "(")
            piece = r"\;" if product else " "
        elif token == "[" and was == "word" and not is_slice(parts[k:]):
            subscripts.append(True)
            made[-1], piece = (f"{{{made[-1]}}}" if "_{" in made[-1] else made[-1]), "_{"
        elif token == "[":
            subscripts.append(False)
            piece = "["
        elif token == "]" and subscripts:
            piece = "}" if subscripts.pop() else "]"
        else:
            piece = SIGNS.get(token, token)
        made.append(piece)
        was = token if kind == "sign" else kind
    return "".join([*made, "}" * sum(subscripts)])


def is_slice(parts: list[tuple[str, str]]) -> bool:
    """Whether what stands in the bracket that opens first is a slice."""
    return ":" in (token for _, token in takewhile(lambda part: part[1] != "]", parts))


def tokens(expression: str) -> Iterator[tuple[str, str]]:
    """The parts of an expression, each with its kind."""
    for found in TOKEN.finditer(expression):
        assert found.lastgroup is not None
        yield found.lastgroup, found[0]


def word(name: str) -> str:
    r"""A name: dWx_i is \mathrm{d}W_{x,i}, h_prev is h_{\mathrm{prev}}, sum_n is \sum_{n}, sigmoid is \sigma."""
    if name in WORDS:
        return rf"\text{{ {name} }}"
    base, _, below = name.partition("_")
    if base == "log" and below:
        return rf"\log {word(below)}"
    base, prime = base.removesuffix("'"), "'" * base.endswith("'")
    within = [below[1:-1]] if below[:1] in ("(", "{") else below.split("_")
    parts = [latex(part) for part in within if part]
    before = ""
    if base.startswith("d") and len(base) > 1 and base not in NO_GRADIENTS:
        before, base = r"\mathrm{d}", base[1:]
    if re.fullmatch(r"[A-Z][a-z]", base):
        parts.insert(0, base[1])
        base = base[0]
    if base in GREEK or base in COMMANDS:
        base = COMMANDS.get(base, f"\\{base}")
    elif len(base) > 1:
        base = rf"\mathrm{{{base}}}"
    return f"{before}{base}{prime}" + (rf"_{{{','.join(parts)}}}" if parts else "")


def drawn(latex: str, block: bool) -> str:
    """LaTeX as MathML, in a line or as a block. Raises MathError where there is none."""
    for pattern, known in UNKNOWN_AS.items():
        latex = re.sub(pattern, known, latex)
    return str(tex2mathml(latex, as_block=block))


def mathml(self: Any, node: nodes.math | nodes.math_block) -> None:
    """Write the mathematics of a node, in its line or as a block. What has no MathML is a warning."""
    block = isinstance(node, nodes.math_block)
    try:
        made = drawn(node.astext(), block)
    except MathError as error:
        logger.warning("%s: %s", error, node.astext(), location=node)
        raise nodes.SkipNode from None
    self.body.append(f'<div class="math">{made}</div>' if block else made)
    raise nodes.SkipNode


def setup(app: Any) -> None:
    """Let Sphinx draw mathematics as MathML."""
    app.add_html_math_renderer("mathml", (mathml, None), (mathml, None))
