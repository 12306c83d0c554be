"""What the tests of items as wholes share: a model with a fusion, nine things, and a collection of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.collection.wholes.fused import make_model, write_manifest

from duretrieval.collection.collection import Collection
from duretrieval.model.model import Model


@pytest.fixture(scope="package")
def model(tmp_path_factory: pytest.TempPathFactory) -> Model:
    """Twice as much text as picture."""
    return make_model(tmp_path_factory.mktemp("models") / "fusing")


@pytest.fixture(scope="package")
def things(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A manifest."""
    return write_manifest(tmp_path_factory.mktemp("data") / "things")


@pytest.fixture(scope="package")
def shared(tmp_path_factory: pytest.TempPathFactory, model: Model, things: Path) -> Iterator[Collection]:
    """Nine things that no test changes."""
    with Collection.open(tmp_path_factory.mktemp("shared") / "collection", model) as collection:
        collection.add_manifests(things, workers=1)
        yield collection
