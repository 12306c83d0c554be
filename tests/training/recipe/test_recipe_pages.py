"""A page a system in both languages: paths that exist, the same in both, and figures that a benchmark wrote."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from benchmarks import recipes

from duretrieval.training.recipe.ready import ready

ROOT = Path(__file__).parents[3]
PAGES = ROOT / "docs" / "recipes"
SYSTEMS = sorted({recipe.name[0] for recipe in ready()} - {"p"})
IN_CODE = re.compile(r"`((?:tests/|benchmarks/)?[\w/-]+/?[\w-]+\.(?:py|toml))(?:::\w+)?`")
FIGURE = re.compile(r"\b\d+\.\d{3,}\b|\d+\.\d+(?= %)")


def page(system: str, language: str) -> str:
    return (PAGES / f"{system}{language}.md").read_text(encoding="utf-8")


def test_there_are_five() -> None:
    assert SYSTEMS == ["a", "b", "c", "d", "e"]
    for language in ("", ".zh"):
        index = page("README", language)
        assert all(f"({system}{language}.md)" in index for system in SYSTEMS)
        assert all(f"`{recipe.name}`" in index for recipe in ready() if recipe.name != "pairs")
    for readme in ("README.md", "README.zh-CN.md"):
        assert "docs/recipes/README" in (ROOT / readme).read_text(encoding="utf-8")


@pytest.mark.parametrize("system", SYSTEMS)
def test_every_recipe_of_a_system_is_on_its_pages(system: str) -> None:
    names = [recipe.name for recipe in ready() if recipe.name.startswith(f"{system}-")]
    for language in ("", ".zh"):
        for name in names:
            assert f"training/recipe/ready/{name}.toml" in page(system, language)
            assert f"duretrieval train {name} " in page(system, language)


@pytest.mark.parametrize("system", SYSTEMS)
def test_what_a_page_names_is_there_and_the_same_in_both_languages(system: str) -> None:
    english, chinese = (IN_CODE.findall(page(system, language)) for language in ("", ".zh"))
    assert english == chinese
    assert len(english) > 12
    for path in english:
        root = ROOT if path.startswith(("tests/", "benchmarks/")) else ROOT / "src" / "duretrieval"
        assert (root / path).is_file(), f"{system}.md names {path}, which is not there"
    for language in ("", ".zh"):
        for link in re.findall(r"\]\(([^)#]+)\)", page(system, language)):
            assert (PAGES / link).is_file(), f"{system}{language}.md links to {link}, which is not there"


@pytest.mark.parametrize("system", SYSTEMS)
@pytest.mark.parametrize("language", ["", ".zh"])
def test_figures_are_those_of_the_results(system: str, language: str) -> None:
    text = page(system, language)
    linked = re.findall(r"\((\.\./\.\./benchmarks/results/\w+\.md)\)", text)
    results = " ".join((PAGES / link).read_text(encoding="utf-8") for link in linked)
    figures = FIGURE.findall(text)
    assert figures
    for figure in figures:
        assert re.search(rf"(?<![\d.]){re.escape(figure)}(?!\d)", results), f"{figure} is in none of {linked}"


@pytest.mark.parametrize("system", SYSTEMS)
def test_both_languages_have_the_same_figures(system: str) -> None:
    english, chinese = (FIGURE.findall(page(system, language)) for language in ("", ".zh"))
    assert sorted(english) == sorted(chinese)


def test_what_each_has_reached_is_what_the_benchmark_wrote() -> None:
    figures = json.loads((ROOT / "benchmarks" / "results" / "recipes.json").read_text(encoding="utf-8"))
    reached = {recipe.name: recipe.reached for recipe in ready() if recipe.reached}
    assert reached == recipes.said(figures)
    assert set(reached) == {recipe.name for recipe in ready()} - {"pairs"}
