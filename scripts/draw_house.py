"""Write docs/house.svg and the floors in docs/design.md from the code's own imports. `--check` only compares.

A package lies one floor above the highest that it imports; circles have no floors, and are an error. Only arrows that
no longer way says already are drawn. Windows (`__init__`) import nothing until asked, and do not count.
"""

from __future__ import annotations

import ast
import re
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping
from html import escape
from pathlib import Path

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "duretrieval"
DRAWING, PAGE = ROOT / "docs" / "house.svg", ROOT / "docs" / "design.md"
BEGIN, END = "<!-- floors: made by scripts/draw_house.py -->\n", "<!-- end of floors -->"
SIZE = re.compile(r"\(\d+, [\d.]+k\)")
WIDTH, BOX, FLOOR, GAP = 980, 30, 74, 12

Graph = Mapping[str, set[str]]


def graph(package: str) -> dict[str, set[str]]:
    """What each child of a package imports of the others."""
    prefix = f"{package}."
    folder = SOURCE.joinpath(*package.split(".")[1:])
    found: dict[str, set[str]] = {child.stem: set() for child in _children(folder)}
    for child in _children(folder):
        files = child.rglob("*.py") if child.is_dir() else [child]
        for file in files:
            for module in imports(file):
                target = module.removeprefix(prefix).split(".")[0]
                if module.startswith(prefix) and target != child.stem and target in found:
                    found[child.stem].add(target)
    return found


def _children(folder: Path) -> Iterator[Path]:
    for child in sorted(folder.iterdir()):
        if (child / "__init__.py").is_file() or (child.suffix == ".py" and not child.stem.startswith("__")):
            yield child


def imports(file: Path) -> Iterator[str]:
    """Every module that a file imports when it runs, inside functions too."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    hidden = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        if id(node) in hidden:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def floors(uses: Graph) -> dict[str, int]:
    """name -> floor, 0 for what imports nothing.

    Raises:
        ValueError: some import one another in a circle.
    """
    found: dict[str, int] = {}
    while len(found) < len(uses):
        ready = [name for name in uses if name not in found and uses[name] <= found.keys()]
        if not ready:
            raise ValueError(f"a circle: {', '.join(sorted(uses.keys() - found.keys()))}")
        found |= {name: 1 + max((found[other] for other in uses[name]), default=-1) for name in ready}
    return found


def reduced(uses: Graph) -> dict[str, set[str]]:
    """Without the arrows that a longer way says already."""
    below: dict[str, set[str]] = {}
    for name in sorted(uses, key=floors(uses).__getitem__):
        below[name] = uses[name].union(*(below[other] for other in uses[name]))
    return {name: {o for o in others if not any(o in below[x] for x in others)} for name, others in uses.items()}


def text(uses: Graph, package: str) -> str:
    """The floors, the highest first, a line each."""
    levels = floors(uses)
    sizes = {child.stem: _size(child) for child in _children(SOURCE.joinpath(*package.split(".")[1:]))}
    lines = []
    for level in range(max(levels.values()), -1, -1):
        names = sorted(name for name in uses if levels[name] == level)
        lines.append(f"    {level:>2}  " + "   ".join(f"{name} {sizes[name]}" for name in names))
    return "\n".join(lines) + "\n"


def _size(child: Path) -> str:
    files = list(child.rglob("*.py")) if child.is_dir() else [child]
    lines = sum(len(file.read_text(encoding="utf-8").splitlines()) for file in files)
    return f"({len(files)}, {lines / 1000:.1f}k)"


def svg(uses: Graph) -> str:
    """Boxes on floors, arrows downwards."""
    levels, arrows = floors(uses), reduced(uses)
    rows = defaultdict(list)
    for name in sorted(uses):
        rows[levels[name]].append(name)
    top = max(levels.values())
    height = (top + 1) * FLOOR + GAP
    places: dict[str, tuple[float, float, float]] = {}
    for level in range(top + 1):  # from the bottom: each box above the middle of what it stands on
        row = rows[level]
        row.sort(key=lambda name: _middle(name, uses, places))
        widths = [8.2 * len(name) + 20 for name in row]
        space = (WIDTH - sum(widths)) / (len(row) + 1)
        x = space
        for name, width in zip(row, widths, strict=True):
            places[name] = (x, height - (level + 1) * FLOOR + GAP, width)
            x += width + space
    shapes = [_arrow(places[name], places[other]) for name in sorted(uses) for other in sorted(arrows[name])]
    shapes += [_box(name, *places[name]) for name in sorted(uses)]
    style = (
        "<style>text{font:14px system-ui,sans-serif;text-anchor:middle;fill:#1a1a1a}rect{fill:#f4f1ea;stroke:#8a8272}"
        "path{fill:none;stroke:#8a8272;opacity:.55}@media(prefers-color-scheme:dark){text{fill:#eee}"
        "rect{fill:#2b2a27}}</style>"
    )
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img">'
    return "\n".join([head, "<title>What imports what in duretrieval</title>", style, *shapes, "</svg>", ""])


def _middle(name: str, uses: Graph, places: Mapping[str, tuple[float, float, float]]) -> float:
    centres = [places[other][0] + places[other][2] / 2 for other in uses[name]]
    return sum(centres) / len(centres) if centres else WIDTH / 2


def _box(name: str, x: float, y: float, width: float) -> str:
    return (
        f'<rect x="{x:.0f}" y="{y:.0f}" width="{width:.0f}" height="{BOX}" rx="5"/>'
        f'<text x="{x + width / 2:.0f}" y="{y + 20:.0f}">{escape(name)}</text>'
    )


def _arrow(a: tuple[float, float, float], b: tuple[float, float, float]) -> str:
    x1, y1, x2, y2 = a[0] + a[2] / 2, a[1] + BOX, b[0] + b[2] / 2, b[1]
    bend = (y2 - y1) / 2
    return f'<path d="M{x1:.0f} {y1:.0f}C{x1:.0f} {y1 + bend:.0f} {x2:.0f} {y2 - bend:.0f} {x2:.0f} {y2:.0f}"/>'


def drawings() -> dict[Path, str]:
    """What each file should hold."""
    house, train = graph("duretrieval"), graph("duretrieval.training")
    head, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    _, _, tail = rest.partition(END)
    body = f"The package, {text(house, 'duretrieval').count(chr(10))} floors (files, lines):\n\n"
    body += f"{text(house, 'duretrieval')}\nInside `training`:\n\n{text(train, 'duretrieval.training')}"
    return {DRAWING: svg(house), PAGE: f"{head}{BEGIN}{body}{END}{tail}"}


def stale() -> list[str]:
    """The files that hold something else; sizes alone, which every change moves, do not count."""
    made = {path: (path.read_text(encoding="utf-8"), want) for path, want in drawings().items()}
    return [str(path.relative_to(ROOT)) for path, both in made.items() if len({SIZE.sub("", one) for one in both}) > 1]


def main() -> None:
    if "--check" in sys.argv:
        old = stale()
        sys.exit(f"out of date: {', '.join(old)}; run scripts/draw_house.py" if old else 0)
    for path, want in drawings().items():
        path.write_text(want, encoding="utf-8")


if __name__ == "__main__":
    main()
