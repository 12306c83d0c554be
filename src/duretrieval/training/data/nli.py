"""Natural-language inference, with and without pictures, in the layouts of the published sets."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from duretrieval.errors import ConfigError
from duretrieval.media.cells import BadCell
from duretrieval.media.charset import SAMPLE_BYTES, encoding_of_file
from duretrieval.media.tables import Record, records
from duretrieval.training.data.identity import same_text
from duretrieval.training.data.manifest import read_manifest
from duretrieval.training.data.read import Problem, Read, split_name
from duretrieval.training.data.sample import Sample
from duretrieval.types import Modality, Part

Neutral = Literal["leave-out", "negative", "positive"]
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


def read_nli(
    path: Path | str,
    *,
    images: Path | str | None = None,
    triples: bool = False,
    classes: bool = False,
    neutral: Neutral = "leave-out",
) -> Read:
    """SNLI, MultiNLI, ANLI and their like (JSONL, TSV, Parquet), and SNLI-VE.

    A row has sentence1 and sentence2, or premise (context) and hypothesis, and gold_label or label: entailment,
    neutral, contradiction, or e, n, c, or 0, 1, 2.  Each entailed hypothesis is a sample with its premise, in columns
    `premise` and `hypothesis`; the hypotheses that contradict the premise are the sample's negatives (Gao, Yao and Chen
    2021, "SimCSE", section 4), and samples of one premise have it as their key, so that none is a negative of another.
    Premises that entail nothing, and rows whose annotators did not agree ("-"), are counted in problems.  A file named
    for a split (snli_1.0_dev.jsonl) puts its samples there.

    images: a folder: then the picture stands for the premise, in columns `image` and `text` (SNLI-VE, where
    Flickr30K_ID names it).  triples: columns called `anchor` and `positive` instead, for premises that have a negative.
    neutral: what a neutral hypothesis is: left out, a `negative`, or a `positive`.  classes: instead, every row is a
    sample with its label, for losses of classes; what is not entailed has the score 0, so that no loss of pairs takes
    it for a partner (1 with neutral = "positive").

    Raises:
        ConfigError: there is no such file, it is no table; a setting does not exist, or contradicts another.
    """
    path = Path(path)
    if images is not None and triples:
        raise ConfigError("pictures make no triples of sentences; give `images` or `triples`, not both")
    if classes and triples:
        raise ConfigError("triples have no classes; give `classes` or `triples`, not both")
    if neutral not in get_args(Neutral):
        raise ConfigError(f"neutral is {neutral!r}; it must be one of {', '.join(get_args(Neutral))}")
    pairs, problems = _pairs(path)
    said = [split_name(word) for word in path.stem.replace("-", "_").split("_")]
    split = next((name for name in said if name), None)
    made = _Samples(split, None if images is None else Path(images), neutral)
    if classes:
        return Read(tuple(made.labelled(pair) for pair in pairs), tuple(problems))
    samples, lost = made.entailed(pairs, triples=triples)
    if lost:
        said_of = "a hypothesis that is entailed and one that is not" if triples else "an entailed hypothesis"
        problems.append(Problem(path, None, f"{lost:,} premises are left out, which lack {said_of}"))
    return Read(tuple(samples), tuple(problems))


def read_triples(path: Path | str) -> Read:
    """A table (JSONL, CSV, TSV, Parquet) of anchor, positive and, where there are some, negatives.

    Columns `negative`, `negatives`, `negative_1`, `negative_2` ..., or a list in one of them: all are negatives of the
    row's anchor, in the place of its positive.

    Raises:
        ConfigError: as `read_manifest`.
    """
    return read_manifest(path, {"anchor": "text", "positive": "text"})


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


@dataclass(frozen=True, slots=True)
class _Samples:
    """What becomes of pairs.  images: where the pictures are that stand for premises; None: the premises do."""

    split: str | None
    images: Path | None
    neutral: Neutral

    def labelled(self, pair: Pair) -> Sample:
        """A row with its label, whichever it is."""
        columns = {self._names[0]: self._premise(pair), self._names[1]: _text(pair.hypothesis)}
        entailed = pair.label == "entailment" or (pair.label == "neutral" and self.neutral == "positive")
        score = None if entailed else 0.0
        return Sample(pair.id, columns, pair.label, group=self._group(pair), split=self.split, score=score)

    def entailed(self, pairs: Sequence[Pair], *, triples: bool) -> tuple[list[Sample], int]:
        """A sample for each entailed hypothesis, and how many premises have none."""
        first, second = ("anchor", "positive") if triples else self._names
        by_premise: dict[str, list[Pair]] = {}
        for pair in pairs:
            by_premise.setdefault(self._group(pair), []).append(pair)
        samples: list[Sample] = []
        lost = 0
        for group, held in by_premise.items():
            right = [pair for pair in held if self._role(pair) == "positive"]
            wrong = tuple(_text(pair.hypothesis) for pair in held if self._role(pair) == "negative")
            if not right or (triples and not wrong):
                lost += 1
                continue
            for pair in right:
                columns = {first: self._premise(pair), second: _text(pair.hypothesis)}
                negatives = {second: wrong} if wrong else {}
                samples.append(
                    Sample(pair.id, columns, pair.label, group, group=group, split=self.split, negatives=negatives)
                )
        return samples, lost

    def _role(self, pair: Pair) -> str:
        return {"entailment": "positive", "contradiction": "negative"}.get(pair.label, self.neutral)

    @property
    def _names(self) -> tuple[str, str]:
        return ("premise", "hypothesis") if self.images is None else ("image", "text")

    def _premise(self, pair: Pair) -> Part:
        if self.images is None:
            return _text(pair.premise)
        name = _picture(pair)
        return Part(Modality.IMAGE, self.images / (name if Path(name).suffix else f"{name}.jpg"))

    def _group(self, pair: Pair) -> str:
        return same_text(pair.premise) if self.images is None else _picture(pair)


def _picture(pair: Pair) -> str:
    """SNLI-VE names pictures without suffix (4705552913); SNLI's own ids are 4705552913.jpg#2r1n."""
    return pair.picture or pair.id.partition("#")[0]
