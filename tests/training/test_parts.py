import pytest

from duretrieval.errors import UnknownPart
from duretrieval.training import parts


def test_every_name_of_the_workbench_leads_somewhere() -> None:
    for kind, known in parts.TABLE.items():
        for name in known:
            assert callable(parts.find(kind, name))


def test_an_unknown_name_suggests() -> None:
    with pytest.raises(UnknownPart, match=r"no part called 'hinges' among the train.losses\. Did you mean 'hinge'\?"):
        parts.find("train.losses", "hinges")
