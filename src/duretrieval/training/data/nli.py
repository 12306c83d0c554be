"""Natural-language inference, with and without pictures, in the layouts of the published sets."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from duretrieval.errors import ConfigError
from duretrieval.media.cells import BadCell, normal
from duretrieval.media.charset import SAMPLE_BYTES, encoding_of_file
from duretrieval.media.tables import Record, headings, records
from duretrieval.training.data.identity import same_text
from duretrieval.training.data.manifest import read_manifest
from duretrieval.training.data.read import Problem, Read, split_name
from duretrieval.training.data.sample import Sample
from duretrieval.types import Modality, Part

TRIPLE = ("anchor", "positive", "negative")
LABELS = ("entailment", "neutral", "contradiction")
_LABEL = {said: label for n, label in enumerate(LABELS) for said in (label, label[0], str(n))}
_UNDECIDED = ("-", "-1", "")
_PREMISE = ("sentence1", "premise", "context")
_HYPOTHESIS = ("sentence2", "hypothesis")
_SAID = ("gold_label", "label")
_ID = ("pairID", "pair_id", "uid", "id")
_PICTURE = ("Flickr30K_ID", "Flickr30kID", "image", "image_id")


@dataclass(frozen=True, slots=True)
class Pair:
    """One row: does the premise entail the hypothesis?"""

    id: str
    premise: str
    hypothesis: str
    label: str
    picture: str = ""


def read_nli(path: Path | str, *, images: Path | str | None = None, triples: bool = False) -> Read:
    """SNLI, MultiNLI, ANLI and their like (JSONL, TSV, Parquet), and SNLI-VE.

    A row has sentence1 and sentence2, or premise (context) and hypothesis, and gold_label or label: entailment,
    neutral, contradiction, or e, n, c, or 0, 1, 2.  It becomes a sample of the columns `premise` and `hypothesis` with
    that label; samples of one premise are a group.  Rows whose annotators did not agree ("-") are counted in a problem.
    A file named for a split (snli_1.0_dev.jsonl) puts its samples there.

    images: a folder: then the picture stands for the premise, in columns `image` and `text` (SNLI-VE, where
    Flickr30K_ID names it).  triples: instead, a sample `anchor`, `positive`, `negative` for each premise that has both
    an entailed and a contradictory hypothesis (Gao, Yao and Chen 2021, "SimCSE", section 4).

    Raises:
        ConfigError: there is no such file, it is no table; or both images and triples are asked.
    """
    path = Path(path)
    if images is not None and triples:
        raise ConfigError("pictures make no triples of sentences; give `images` or `triples`, not both")
    pairs, problems = _pairs(path)
    said = [split_name(word) for word in path.stem.replace("-", "_").split("_")]
    split = next((name for name in said if name), None)
    if triples:
        samples = list(_triples(pairs, split))
    elif images is not None:
        samples = [_pictured(pair, Path(images), split) for pair in pairs]
    else:
        samples = [_worded(pair, split) for pair in pairs]
    return Read(tuple(samples), tuple(problems))


def read_triples(path: Path | str) -> Read:
    """A table (JSONL, CSV, TSV, Parquet) of anchor, positive and, where there is one, negative.

    Raises:
        ConfigError: as `read_manifest`.
    """
    there = {normal(name) for name in headings(Path(path), TRIPLE)}
    return read_manifest(path, {name: "text" for name in TRIPLE if name in there or name != "negative"})


def _pairs(path: Path) -> tuple[list[Pair], list[Problem]]:
    pairs: list[Pair] = []
    problems: list[Problem] = []
    undecided = 0
    for record in _rows(path):
        try:
            if record.problem is not None:
                raise BadCell(record.problem)
            pair = _pair(record, path)
            if pair.label in _UNDECIDED:
                undecided += 1
            elif pair.label in LABELS:
                pairs.append(pair)
            else:
                raise BadCell(
                    f"the label is {pair.label!r}; it must be {', '.join(LABELS)}, their first letters or 0, 1, 2"
                )
        except BadCell as error:
            problems.append(Problem(path, record.line, str(error)))
    if undecided:
        rows = len(pairs) + len(problems) + undecided
        said = f"{undecided:,} of {rows:,} rows have no label that the annotators agreed on ('-'); they are left out"
        problems.append(Problem(path, None, said))
    return pairs, problems


def _rows(path: Path) -> Iterator[Record]:
    """Rows; of TSV without regard to quotes, which these sets use as characters."""
    try:
        with path.open("rb") as file:
            head = file.read(SAMPLE_BYTES)
    except OSError as error:
        raise ConfigError(f"'{path}' cannot be opened: {(error.strerror or str(error)).lower()}") from error
    heading = head.partition(b"\n")[0]
    if b"\t" not in heading or heading.lstrip().startswith(b"{") or head.startswith(b"PAR1"):
        return records(path)
    return _tabs(path, encoding_of_file(path))


def _tabs(path: Path, encoding: str) -> Iterator[Record]:
    with path.open(encoding=encoding, errors="replace") as lines:
        header = next(lines).rstrip("\n").split("\t")
        for number, line in enumerate(lines, 2):
            if line.strip():
                yield Record(number, dict(zip(header, line.rstrip("\n").split("\t"), strict=False)), typed=False)


def _pair(record: Record, path: Path) -> Pair:
    cells = record.cells
    said = _cell(cells, _SAID)
    fields = {"a premise": _cell(cells, _PREMISE), "a hypothesis": _cell(cells, _HYPOTHESIS), "a label": said}
    for what, value in fields.items():
        if value is None:
            raise BadCell(f"it has no column for {what}; its columns are: {', '.join(map(str, cells))}")
    premise, hypothesis = str(fields["a premise"]).strip(), str(fields["a hypothesis"]).strip()
    if not premise or not hypothesis:
        raise BadCell(f"the {'hypothesis' if premise else 'premise'} is empty")
    identity = _cell(cells, _ID)
    label = str(said).strip().lower()
    picture = str(_cell(cells, _PICTURE) or "").strip()
    return Pair(str(identity or f"{path.name}#{record.line}"), premise, hypothesis, _LABEL.get(label, label), picture)


def _cell(cells: Mapping[str, Any], names: Iterable[str]) -> Any:
    return next((cells[name] for name in names if cells.get(name) is not None), None)


def _text(words: str) -> Part:
    return Part(Modality.TEXT, words)


def _worded(pair: Pair, split: str | None) -> Sample:
    columns = {"premise": _text(pair.premise), "hypothesis": _text(pair.hypothesis)}
    return Sample(pair.id, columns, pair.label, group=same_text(pair.premise), split=split)


def _pictured(pair: Pair, images: Path, split: str | None) -> Sample:
    """SNLI-VE names pictures without suffix (4705552913); SNLI's own ids are 4705552913.jpg#2r1n."""
    name = pair.picture or pair.id.partition("#")[0]
    file = images / (name if Path(name).suffix else f"{name}.jpg")
    columns = {"image": Part(Modality.IMAGE, file), "text": _text(pair.hypothesis)}
    return Sample(pair.id, columns, pair.label, group=name, split=split)


def _triples(pairs: Sequence[Pair], split: str | None) -> Iterator[Sample]:
    """The n-th entailed hypothesis of a premise with its n-th contradictory one, as far as both go."""
    by_premise: dict[str, dict[str, list[Pair]]] = {}
    for pair in pairs:
        by_premise.setdefault(pair.premise, {}).setdefault(pair.label, []).append(pair)
    for premise, held in by_premise.items():
        for yes, no in zip(held.get("entailment", ()), held.get("contradiction", ()), strict=False):
            columns = {"anchor": _text(premise), "positive": _text(yes.hypothesis), "negative": _text(no.hypothesis)}
            # the premise is the key: another hypothesis that it entails is no negative of this one
            yield Sample(yes.id, columns, key=same_text(premise), group=same_text(premise), split=split)
