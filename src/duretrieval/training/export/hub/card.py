"""README.md of a written folder: what it is, what it was made from, and what it reached, with nothing added."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from duretrieval.training.export.hub.towers import SENTENCE, Layout, Tower
from duretrieval.training.nets.text.transformer import TextTransformer
from duretrieval.types import Modality

CLASSES = {"clip": "CLIPModel", "chinese-clip": "ChineseCLIPModel", "clap": "ClapModel"}
"""Of transformers; the others open by AutoModel."""


def card(
    name: str,
    layout: Layout,
    towers: Sequence[Tower],
    training: Mapping[str, Any],
    figures: Mapping[str, Mapping[str, float]],
    differences: Mapping[Modality, float],
    dims: Sequence[int],
) -> str:
    """The text.  training: as [training] of a model folder.  figures: val, test -> those of the run.

    dims: of its vectors, and then those that they may be cut to.
    """
    parts = [_front(layout, towers), f"# {name}", _made(towers, training), _use(layout, towers, dims)]
    return "\n\n".join([*parts, _reached(figures, towers), _limits(layout, towers, differences)]) + "\n"


def public(model: str) -> str:
    """A hub id as it is; of a folder, which is a matter of one machine, its name."""
    return Path(model).absolute().name if Path(model).is_dir() else model


def _front(layout: Layout, towers: Sequence[Tower]) -> str:
    base = [] if Path(towers[0].model).is_dir() else [f"base_model: {towers[0].model}"]
    task = ["pipeline_tag: sentence-similarity"] if layout == SENTENCE else []
    tags = ["tags:", *(f"- {tag}" for tag in ("duretrieval", "retrieval", *(t.modality.value for t in towers)))]
    return "\n".join(["---", f"library_name: {layout}", *base, *task, *tags, "---"])


def _made(towers: Sequence[Tower], training: Mapping[str, Any]) -> str:
    first = towers[0]
    heads = "; ".join(f"the head of {t.modality} is {t.head_name}" for t in towers)
    return (
        f"Made from {public(first.model)} by duretrieval {training['duretrieval']}: recipe `{training['recipe']}`, "
        f"{training['rows']} training rows, seed {training['seed']}, check {training['epoch'] + 1}; {heads}. "
        f"Digest of the data: `{training['data']}`. The weights are under the licence of what they were made from; see "
        "its card."
    )


def _use(layout: Layout, towers: Sequence[Tower], dims: Sequence[int]) -> str:
    first = towers[0]
    if layout == SENTENCE:
        code = 'from sentence_transformers import SentenceTransformer\n\nmodel = SentenceTransformer("FOLDER")\n'
        code += f'vectors = model.encode(["a red bus"])  # (1, {dims[0]}), of unit length'
    elif isinstance(first.net, TextTransformer):
        code = 'from transformers import AutoModel, AutoTokenizer\n\nmodel = AutoModel.from_pretrained("FOLDER")\n'
        code += 'tokenizer = AutoTokenizer.from_pretrained("FOLDER")'
    else:
        kind = CLASSES.get(first.use, "AutoModel")
        code = f"from transformers import AutoProcessor, {kind}\n\n"
        code += f'model = {kind}.from_pretrained("FOLDER")\nprocessor = AutoProcessor.from_pretrained("FOLDER")'
    cut = f"\n\nVectors may be cut to their first {', '.join(map(str, dims[1:]))} numbers." if dims[1:] else ""
    return f"```python\n{code}\n```{cut}" + (_pooling(first.net) if isinstance(first.net, TextTransformer) else "")


def _pooling(net: TextTransformer) -> str:
    prefix = f" `{net.prefix}` goes before every text." if net.prefix else ""
    return f"\n\nPooling: {net.pooling}, then unit length; a text is cut after {net.max_tokens} tokens.{prefix}"


def _reached(figures: Mapping[str, Mapping[str, float]], towers: Sequence[Tower]) -> str:
    split = "test" if figures["test"] else "val"
    if not figures[split]:
        return "The run had no rows to validate or test by, so nothing is known of how well it finds."
    head = [f"Figures of the whole run on its {'test' if split == 'test' else 'validation'} rows:", ""]
    rows = [f"| {key} | {value:.3f} |" for key, value in figures[split].items() if key not in ("loss", "monitor")]
    chosen = [] if split == "test" else ["", "The checkpoint was chosen by these rows, so others will do worse."]
    return "\n".join([*head, "| figure | value |", "|---|---:|", *rows, *chosen])


def _limits(layout: Layout, towers: Sequence[Tower], differences: Mapping[Modality, float]) -> str:
    said = [f"{m}: {difference:.0e}" for m, difference in differences.items()]
    compared = (
        f"differ from the run's by at most {', '.join(said)}" if said else "were not compared: none could be read"
    )
    lines = [f"Vectors of a few training rows {compared}."]
    if {t.modality for t in towers} & {Modality.TEXT}:
        lines.append("A text longer than the model reads is cut here; duretrieval takes the mean of its passages.")
    if layout != SENTENCE and not isinstance(towers[0].net, TextTransformer):
        lines.append("What the run did not train is as in the model that it began as, the scale of its scores too.")
    return "Not in this folder: backgrounds, binary codes, and what the run had of other modalities. " + " ".join(lines)
