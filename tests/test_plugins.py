from importlib.metadata import EntryPoint, EntryPoints

import pytest

from duretrieval import plugins
from duretrieval.align.centre import Centre
from duretrieval.errors import ConfigError, UnknownPart


def test_built_in() -> None:
    assert plugins.find("aligners", "centre") is Centre


def test_a_path() -> None:
    assert plugins.find("aligners", "duretrieval.align.centre:Centre") is Centre


def test_every_built_in_name_leads_somewhere() -> None:
    for kind, known in plugins.BUILT_IN.items():
        for name in known:
            assert callable(plugins.find(kind, name))


def test_unknown_name_suggests() -> None:
    with pytest.raises(UnknownPart, match=r"no part called 'center' among the aligners\. Did you mean 'centre'\?"):
        plugins.find("aligners", "center")


def test_a_path_that_leads_nowhere() -> None:
    with pytest.raises(ConfigError, match="there is no module 'nosuchmodule'"):
        plugins.find("aligners", "nosuchmodule:Thing")
    with pytest.raises(ConfigError, match="has no 'Thing'"):
        plugins.find("aligners", "duretrieval.align.centre:Thing")


@pytest.mark.parametrize("name", [":Thing", ".:Thing", ".relative:Thing"])
def test_a_path_without_a_module(name: str) -> None:
    with pytest.raises(ConfigError, match=f"'{name}' leads nowhere: it names no module; write 'my_package.module:My"):
        plugins.find("aligners", name)


def test_two_of_one_name(monkeypatch: pytest.MonkeyPatch) -> None:
    installed = [EntryPoint("mine", f"{package}:Aligner", "duretrieval.aligners") for package in ("first", "second")]
    monkeypatch.setattr(plugins, "entry_points", lambda **wanted: EntryPoints(installed).select(**wanted))
    said = "first:Aligner and second:Aligner are both called 'mine' among the aligners; uninstall one"
    with pytest.raises(ConfigError, match=said):
        plugins.find("aligners", "mine")
    installed[:] = [EntryPoint("centre", "first:Aligner", "duretrieval.aligners")]
    with pytest.raises(ConfigError, match="first:Aligner cannot be called 'centre': aligners has a built-in of that"):
        plugins.find("aligners", "centre")


def test_the_engine_names_nothing_of_the_workbench() -> None:
    assert [where for known in plugins.BUILT_IN.values() for where, _ in known.values() if ".training." in where] == []
