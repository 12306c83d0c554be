"""A collection against judgements: what people said should be found, and what its search finds."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from duretrieval import __version__
from duretrieval.collection.collection import Collection
from duretrieval.collection.reading import Road
from duretrieval.errors import EvaluationError
from duretrieval.evaluation.evaluated import Evaluated
from duretrieval.evaluation.measures import Measure, measures
from duretrieval.evaluation.report.closeup import Material
from duretrieval.evaluation.report.exhibit import Exhibit, looks, of_file, of_text
from duretrieval.evaluation.result import Evaluation, Pair, Provenance
from duretrieval.evaluation.runs import read_judgements
from duretrieval.evaluation.runs.rows import Judgements, Run
from duretrieval.evaluation.statistics.bootstrap import Bootstrap
from duretrieval.evaluation.subjects.ranked import run_material, score_run
from duretrieval.media.folders import digest
from duretrieval.protocols import ReadView
from duretrieval.types import Item, Modality, Query, Term

MEASURES = ("hit@1", "hit@5", "hit@10", "ndcg@10", "rr", "ap", "median-rank")
DEPTH = 200
"""Items of each answer that are judged; what comes later counts as not found."""

Gallery = Modality | Literal["any"]
"""What of the collection is searched."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A query as the judgements name it."""

    name: str
    terms: tuple[Term, ...]
    own: str | None
    """The item that the query file itself is, which is no answer."""

    @property
    def modality(self) -> Modality:
        """Of its first term."""
        return self.terms[0].modality


def evaluate_collection(
    collection: Collection,
    judgements: str | Path,
    *,
    names: Sequence[str] = MEASURES,
    bootstrap: Bootstrap | None = None,
    command: str = "",
) -> Evaluated:
    """Ask every judged query, of everything and of each modality, and measure what comes back.

    Where the model fuses the modalities of an item into one vector, there is nothing but everything to ask.
    A query is words, or the path of a file, from the judgements' folder; an item is an id, or the source of one.

    Raises:
        EvaluationError: no judged item is in the collection, or the file is not what its name says.
        MediaError: a file that is a query cannot be read.
    """
    judgements = Path(judgements)
    given = read_judgements(judgements)
    store = collection.view()
    judged, missing = _resolved(given, judgements, store)
    asked = [_asked(name, judgements.parent, collection, store) for name in judged]
    held = {item.id: item for item in store.get(sorted({i for gains in judged.values() for i in gains}))}
    sizes = {m: store.count(f"modality = '{m}'") for m in store.count_parts()}
    wanted, bootstrap, road = measures(names), bootstrap or Bootstrap(), looks()
    galleries: list[Gallery] = ["any", *(() if collection.model.fusion else map(Modality, sizes))]
    pairs, materials, whole = [], [], Run()
    for query in sorted({a.modality for a in asked}, key=list(Modality).index):
        asking = [a for a in asked if a.modality is query]
        for gallery in galleries:
            found = _pair(collection, asking, judged, held, query, gallery, wanted, bootstrap, sizes, road)
            if found is not None:
                pair, material, run = found
                pairs.append(pair)
                materials.append(material)
                if gallery == "any":
                    whole.update(run)
    reranked = DEPTH if collection.model.scorer else 0
    source = Provenance(collection.model.fingerprint, digest(judgements), command, __version__, reranked)
    totals = {"judged@10": _judged_share(whole, judged, 10)}
    notes = []
    if missing:
        lost = f"{len(missing)} judged items are not in the collection, such as {missing[0]!r}"
        notes.append(f"{lost}; they count as not found")
    evaluation = Evaluation(Path(collection.path).name, tuple(pairs), totals, bootstrap.level, source)
    return Evaluated(evaluation, tuple(materials), None, tuple(notes))


def _pair(
    collection: Collection,
    asking: Sequence[Asked],
    judged: Judgements,
    held: dict[str, Item],
    query: Modality,
    gallery: Gallery,
    wanted: Sequence[Measure],
    bootstrap: Bootstrap,
    sizes: dict[str, int],
    road: Road,
) -> tuple[Pair, Material, Run] | None:
    """None where nothing of this modality is judged relevant.  road: to what is shown."""
    mine = {a.name: {i: g for i, g in judged[a.name].items() if i != a.own} for a in asking}
    if gallery != "any":
        fits = {i for i, item in held.items() if any(part.modality is gallery for part in item.parts)}
        mine = {name: {i: g for i, g in gains.items() if i in fits} for name, gains in mine.items()}
        mine = {name: gains for name, gains in mine.items() if any(g > 0 for g in gains.values())}
    if not any(g > 0 for gains in mine.values() for g in gains.values()):
        return None
    parts = frozenset(Modality) if gallery == "any" else frozenset({gallery})
    run: Run = {}
    seen = dict(held)
    for a in (a for a in asking if a.name in mine):
        hits = [hit for hit in collection.search(Query(a.terms, modalities=parts, k=DEPTH)) if hit.item.id != a.own]
        run[a.name] = {hit.item.id: hit.score for hit in hits}
        seen.update((hit.item.id, hit.item) for hit in hits)
    size = len(collection) if gallery == "any" else sizes[gallery]
    pair = score_run(run, mine, wanted, query, gallery, gallery_size=size, bootstrap=bootstrap)
    terms = {a.name: a.terms[0] for a in asking}

    def show_query(name: str) -> Exhibit:
        content = terms[name].content
        return of_file(content, road) if isinstance(content, Path) else of_text(name)

    def show_item(id_: str) -> Exhibit:
        return of_item(seen[id_], road) if id_ in seen else Exhibit(id_)

    return pair, run_material(pair.name, run, mine, show_query, show_item), run


def of_item(item: Item, road: Road) -> Exhibit:
    """An item by its file; by its words and its first file where it is a row of a manifest."""
    name = str(item.fields.get("name", item.id))
    files = [item.source, *(part.file for part in item.parts if part.file)]
    path = next((Path(file) for file in files if Path(file).is_file()), None)
    text = next((part.content for part in item.parts if isinstance(part.content, str)), "")
    if path is None:
        return of_text(text, name)
    shown = of_file(path, road)
    return Exhibit(name, shown.text or of_text(text).text, shown.pictures, shown.wave)


def _resolved(given: Judgements, path: Path, store: ReadView) -> tuple[Judgements, list[str]]:
    """Judgements with every item by its id, and the names that lead nowhere, which are kept as they are."""
    names = {item for gains in given.values() for item in gains}
    known = {item.id: item.id for item in store.get(sorted(names))}
    unknown = sorted(names - known.keys())
    places = {name: [name, *(str((base / name).absolute()) for base in (path.parent, Path.cwd()))] for name in unknown}
    sources = store.lookup([place for tried in places.values() for place in tried])
    for name, tried in places.items():
        if there := next((sources[place][0] for place in tried if place in sources), None):
            known[name] = there
    missing = [name for name in unknown if name not in known]
    if not known:
        raise EvaluationError(
            f"{path} judges {len(missing)} items, and none of them is in this collection; an item is an id or a path, "
            f"as `duretrieval search --json` gives them, and {missing[0]!r} is neither"
            if missing
            else f"{path} judges nothing"
        )
    judged: Judgements = {}
    for query, gains in given.items():
        mine = judged.setdefault(query, {})
        for item, gain in gains.items():
            id_ = known.get(item, item)
            mine[id_] = max(gain, mine.get(id_, gain))
    return judged, missing


def _asked(name: str, folder: Path, collection: Collection, store: ReadView) -> Asked:
    path = as_file(name, (folder, Path.cwd()))
    if path is None:
        return Asked(name, collection.terms(name), None)
    own = store.lookup([str(path.absolute())])
    return Asked(name, collection.terms(path), next((id_ for id_, _ in own.values()), None))


def as_file(query: str, folders: Iterable[Path]) -> Path | None:
    """The file that a query names, or None: then it is words."""
    for folder in folders:
        try:
            if (folder / query).is_file():
                return folder / query
        except (OSError, ValueError):  # too long for a name, or a character that none has
            return None
    return None


def _judged_share(run: Run, judged: Judgements, k: int) -> float:
    """Share of the first k results that somebody judged: where it is low, good results may count as wrong."""
    first = [(query, item) for query, items in run.items() for item in list(items)[:k]]
    return sum(item in judged[query] for query, item in first) / max(len(first), 1)
