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


def test_the_engine_names_nothing_of_the_workbench() -> None:
    assert [where for known in plugins.BUILT_IN.values() for where, _ in known.values() if ".training." in where] == []
