"""Every package is entered through its `__init__`, which costs nothing until a name is asked for."""

import ast
import inspect
import pkgutil
import re
from collections.abc import Callable
from dataclasses import is_dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import pytest

import duretrieval

ROOT = Path(__file__).parents[1]
PACKAGES = [
    "duretrieval",
    *(m.name for m in pkgutil.walk_packages(duretrieval.__path__, "duretrieval.") if m.ispkg),
]
PAGES = [ROOT / "README.md", ROOT / "README.zh-CN.md", *sorted((ROOT / "docs").glob("*.md"))]
FIRST_HOUR = [
    "Collection",
    "Model",
    "Query",
    "Term",
    "Hit",
    "Item",
    "Part",
    "Modality",
    "evaluate",
    "train",
    "Recipe",
    "read_recipe",
    "DuretrievalError",
]


@pytest.mark.parametrize("name", PACKAGES)
def test_all_is_what_is_there(name: str) -> None:
    package = import_module(name)
    listed = package.__all__
    assert len(listed) == len(set(listed)), name
    assert listed, f"{name} hands nothing on"
    for one in listed:
        found = getattr(package, one)
        if inspect.isclass(found) or inspect.isfunction(found):
            assert found.__module__.startswith("duretrieval."), (name, one)
            assert found.__doc__ or ".testing." in found.__module__, (name, one)


@pytest.mark.parametrize("name", PACKAGES)
def test_no_name_is_also_a_file(name: str) -> None:
    package = import_module(name)
    for one in package.__all__:
        assert find_spec(f"{name}.{one}") is None, f"{name}.{one} is a module, so that what it gives depends on imports"


@pytest.mark.parametrize("name", PACKAGES)
def test_type_checkers_see_the_same_names(name: str) -> None:
    package = import_module(name)
    tree = ast.parse(Path(package.__file__ or "").read_text(encoding="utf-8"))
    if not any(isinstance(node, ast.ImportFrom) and node.module == "duretrieval.window" for node in tree.body):
        return  # its imports are what runs
    (block,) = [node for node in tree.body if isinstance(node, ast.If)]
    names = [alias.asname for node in block.body if isinstance(node, ast.ImportFrom) for alias in node.names]
    assert sorted(filter(None, names)) == package.__all__


@pytest.mark.parametrize("name", [name for name in PACKAGES if not name.endswith(".testing")])
def test_every_path_may_be_a_string(name: str) -> None:
    package = import_module(name)
    for one in package.__all__:
        found = getattr(package, one)
        for function in _callables(found):
            for parameter in inspect.signature(function).parameters.values():
                kind = str(parameter.annotation)
                given = kind.startswith("Callable") or not re.search(r"\bPath\b", kind) or "str" in kind
                assert given, f"{name}.{one}: {function} {parameter}"


def _callables(found: object) -> list[Callable[..., object]]:
    """A function, or what a user calls of a class; records that the library itself makes are left out."""
    if inspect.isfunction(found):
        return [found]
    if not inspect.isclass(found) or getattr(found, "_is_protocol", False):
        return []
    own = [getattr(found, key) for key in vars(found) if not key.startswith("_")]
    made = [] if is_dataclass(found) or issubclass(found, Exception | str) else [found]
    return [f for f in (*made, *own) if inspect.isclass(f) or inspect.isfunction(f) or inspect.ismethod(f)]


def test_a_first_hour_needs_one_import() -> None:
    assert set(FIRST_HOUR) <= set(duretrieval.__all__)
    assert set(duretrieval.__all__) <= set(dir(duretrieval))


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'duretrieval' has no attribute 'Colection'"):
        _ = duretrieval.Colection


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_documents_import_with_at_most_one_dot(page: Path) -> None:
    lines = re.findall(r"(?:from|import) (duretrieval[.\w]*)(?: import ([^\n]*))?", page.read_text(encoding="utf-8"))
    for module, names in lines:
        assert module.count(".") <= 1, f"{page.name}: {module}"
        package = import_module(module)
        for name in filter(None, (part.strip() for part in names.split("#")[0].split(","))):
            assert hasattr(package, name) or find_spec(f"{module}.{name}"), (page.name, module, name)
