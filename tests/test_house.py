"""The house is as it is drawn, and no file imports another that imports it, however far round."""

import ast
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest
from scripts import draw_house

PACKAGE = draw_house.SOURCE.parent


def name_of(file: Path) -> str:
    return ".".join(file.relative_to(PACKAGE).with_suffix("").parts)


FILES = {name_of(file): file for file in draw_house.SOURCE.rglob("*.py") if file.stem != "__init__"}


def homes() -> dict[str, str]:
    """What a window hands on, and the file it is from."""
    found = {}
    for window in draw_house.SOURCE.rglob("__init__.py"):
        for node in ast.walk(ast.parse(window.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module in FILES:
                found |= {f"{name_of(window.parent)}.{alias.asname}": node.module for alias in node.names}
    return found


def file_graph() -> dict[str, set[str]]:
    windows, graph = homes(), {}
    for name, file in FILES.items():
        wanted = {windows.get(module, module) for module in draw_house.imports(file)}
        graph[name] = {found for module in wanted for found in (module, module.rpartition(".")[0]) if found in FILES}
    return graph


def circle(graph: dict[str, set[str]]) -> list[str]:
    """The files of one, or none."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def test_no_file_imports_what_imports_it() -> None:
    graph = file_graph()
    assert "duretrieval.media.chunk" in graph["duretrieval.media.probe"], "through a window"
    assert circle(graph) == []


def test_a_circle_is_seen() -> None:
    assert set(circle({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}})) == {"a", "b", "c"}


def test_the_drawings_are_of_today() -> None:
    assert draw_house.stale() == [], "run scripts/draw_house.py"


def test_another_drawing_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    page = draw_house.PAGE.read_text(encoding="utf-8")
    monkeypatch.setattr(draw_house, "drawings", lambda: {draw_house.PAGE: page.replace("k)", "k) + 1")})
    assert draw_house.stale() == ["docs/design.md"]
    monkeypatch.setattr(draw_house, "drawings", lambda: {draw_house.PAGE: page.replace(".1k)", ".2k)")})
    assert draw_house.stale() == [], "sizes alone do not count"
