"""`search`."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from duretrieval.cli.options import HERE, CollectionModel, CollectionPath, Json, Trust, trusting
from duretrieval.cli.output import print_json
from duretrieval.cli.rows import print_hits
from duretrieval.cli.terminal import err
from duretrieval.plain import hit_dict

if TYPE_CHECKING:
    from duretrieval.types import Term

Typed = list[str] | None


def search(
    words: Annotated[Typed, typer.Argument(help="What to look for, in words; `2:words` gives them weight 2.")] = None,
    text: Annotated[Typed, typer.Option(help="More words, with a weight of their own: 0.5:snow")] = None,
    image: Annotated[Typed, typer.Option(help="A picture to look for: photo.jpg or 0.5:photo.jpg")] = None,
    audio: Annotated[Typed, typer.Option(help="A sound to look for.")] = None,
    video: Annotated[Typed, typer.Option(help="A film to look for.")] = None,
    vector: Annotated[
        Typed, typer.Option(help="A vector to look for, .npy or .npz, as the model takes them: bus.npy or 0.5:bus.npy")
    ] = None,
    less: Annotated[Typed, typer.Option("--not", help="Less of these words; for files: a negative weight.")] = None,
    like: Annotated[Typed, typer.Option(help="More like the item with this id.")] = None,
    in_: Annotated[str | None, typer.Option("--in", help="Only parts of these modalities: image,audio")] = None,
    where: Annotated[str | None, typer.Option(help="A filter: \"ext = 'jpg' AND width > 1000\"")] = None,
    weight: Annotated[Typed, typer.Option(help="Importance per modality: image=2,text=0.5")] = None,
    k: Annotated[int, typer.Option("-k", min=1, help="How many results.")] = 10,
    index: Annotated[
        str | None,
        typer.Option(help="By which index: exact, faiss or binary, in memory; store. Default: as its model says."),
    ] = None,
    exact: Annotated[bool, typer.Option("--exact", help="Compare every vector, even where there is an index.")] = False,
    collection: CollectionPath = HERE,
    model: CollectionModel = None,
    trust: Trust = False,
    json: Json = False,
) -> None:
    """Find items by any mix of words, pictures, films and sounds."""
    if not any((words, text, image, audio, video, vector, less, like)):
        raise typer.BadParameter("give words, or --text, --image, --audio, --video, --vector or --like")
    from duretrieval.cli import terms

    asked = _terms([" ".join(words)] if words else [], text or [], less or [])
    for modality, files in (("image", image), ("audio", audio), ("video", video)):
        asked += [terms.file_term(terms.modality(modality), typed) for typed in files or []]
    vectors = [terms.vector_file(typed) for typed in vector or []]
    modalities, weights = terms.modalities(in_), terms.weights(weight or [])

    from duretrieval.collection import Collection
    from duretrieval.types import Query

    with trusting(trust), Collection.open(collection, model, create=False, index=index) as c:
        asked += [replace(term, weight=weight) for weight, path in vectors for term in c.terms(path)]
        ids = tuple(c.get(id_).id for id_ in like or [])
        hits = c.search(Query(tuple(asked), ids, modalities, where, weights, min(k, max(len(c), 1)), exact))
        if json:
            print_json(hit_dict(rank, hit) for rank, hit in enumerate(hits, start=1))
        else:
            print_hits(hits, c.short)


def _terms(words: list[str], text: list[str], less: list[str]) -> list[Term]:
    """Everything in words; what could have been meant otherwise is said."""
    from duretrieval.cli import terms

    for typed in (*words, *text, *less):
        if note := terms.note(typed):
            err.print(f"note: {note}")
    wanted = [terms.text_term(typed) for typed in (*words, *text)]
    return wanted + [terms.text_term(typed, sign=-1.0) for typed in less]
