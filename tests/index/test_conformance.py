"""The shipped suites, run over everything that is shipped."""

from datetime import timedelta

from duretrieval.index.exact import ExactIndex
from duretrieval.index.faiss import FaissIndex
from duretrieval.index.lance.store import LanceStore
from duretrieval.index.lance.upkeep import Upkeep
from duretrieval.testing import IndexSuite, StoreSuite


class TestLanceStore(StoreSuite):
    def make(self, tmp_path, dim):
        return LanceStore.create(tmp_path / "store", dim, {"model": "m"})

    def reopen(self, store, tmp_path):
        store.close()
        return LanceStore.open(tmp_path / "store", write=True)


class TestLanceStoreTidiedAlways(StoreSuite):
    """Compacted, indexed and cleaned after every commit, with the approximate index as soon as it can be trained."""

    upkeep = Upkeep(ann_from=512, keep=timedelta(0), after_commits=1, rows_per_file=64)

    def make(self, tmp_path, dim):
        return LanceStore.create(tmp_path / "store", dim, {"model": "m"}, upkeep=self.upkeep)

    def reopen(self, store, tmp_path):
        store.close()
        return LanceStore.open(tmp_path / "store", write=True, upkeep=self.upkeep)


class TestExactIndex(IndexSuite):
    def make(self, tmp_path, dim):
        return ExactIndex(dim)


class TestFaissHnsw(IndexSuite):
    recall = 0.97

    def make(self, tmp_path, dim):
        return FaissIndex(dim)


class TestFaissFlat(IndexSuite):
    def make(self, tmp_path, dim):
        return FaissIndex(dim, kind="flat")
