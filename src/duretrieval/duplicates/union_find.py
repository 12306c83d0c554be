"""Which things are one set, as joins come in."""

from __future__ import annotations


class UnionFind:
    """Disjoint sets of 0 .. n - 1 (Tarjan 1975, "Efficiency of a good but not linear set union algorithm")."""

    def __init__(self, n: int) -> None:
        self._parent = list(range(n))
        self._size = [1] * n

    def root(self, i: int) -> int:
        """The element that stands for the set of `i`."""
        parent = self._parent
        while parent[i] != i:
            parent[i] = parent[parent[i]]
            i = parent[i]
        return i

    def join(self, i: int, j: int) -> None:
        """Make the sets of `i` and `j` one."""
        a, b = self.root(i), self.root(j)
        if a != b:
            small, large = (a, b) if self._size[a] < self._size[b] else (b, a)
            self._parent[small] = large
            self._size[large] += self._size[small]
