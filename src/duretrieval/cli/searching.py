"""`search`."""

from __future__ import annotations

from typing import Annotated

import typer

from duretrieval.cli import terms
from duretrieval.cli.app import HERE, CollectionModel, CollectionPath, Json, Trust, app
from duretrieval.cli.output import hit_dict, print_hits, print_json, trusting
from duretrieval.collection.collection import Collection
from duretrieval.types import Modality, Query

Typed = list[str] | None


@app.command()
def search(
    words: Annotated[Typed, typer.Argument(help="What to look for, in words; `2:words` gives them weight 2.")] = None,
    text: Annotated[Typed, typer.Option(help="More words, with a weight of their own: 0.5:snow")] = None,
    image: Annotated[Typed, typer.Option(help="A picture to look for: photo.jpg or 0.5:photo.jpg")] = None,
    audio: Annotated[Typed, typer.Option(help="A sound to look for.")] = None,
    video: Annotated[Typed, typer.Option(help="A film to look for.")] = None,
    less: Annotated[Typed, typer.Option("--not", help="Less of these words; for files: a negative weight.")] = None,
    like: Annotated[Typed, typer.Option(help="More like the item with this id.")] = None,
    in_: Annotated[str | None, typer.Option("--in", help="Only parts of these modalities: image,audio")] = None,
    where: Annotated[str | None, typer.Option(help="A filter: \"ext = 'jpg' AND width > 1000\"")] = None,
    weight: Annotated[Typed, typer.Option(help="Importance per modality: image=2,text=0.5")] = None,
    k: Annotated[int, typer.Option("-k", min=1, help="How many results.")] = 10,
    exact: Annotated[bool, typer.Option("--exact", help="Compare every vector, even where there is an index.")] = False,
    collection: CollectionPath = HERE,
    model: CollectionModel = None,
    trust: Trust = False,
    json: Json = False,
) -> None:
    """Find items by any mix of words, pictures, films and sounds."""
    asked = [terms.text_term(" ".join(words))] if words else []
    asked += [terms.text_term(typed) for typed in text or []]
    asked += [terms.text_term(typed, sign=-1.0) for typed in less or []]
    for modality, typed_files in ((Modality.IMAGE, image), (Modality.AUDIO, audio), (Modality.VIDEO, video)):
        asked += [terms.file_term(modality, typed) for typed in typed_files or []]
    if not asked and not like:
        raise typer.BadParameter("give words, or --text, --image, --audio, --video or --like")
    with trusting(trust), Collection.open(collection, model, create=False) as c:
        query = Query(
            terms=tuple(asked),
            like=tuple(c.get(id_).id for id_ in like or []),
            modalities=terms.modalities(in_),
            where=where,
            weights=terms.weights(weight or []),
            k=k,
            exact=exact,
        )
        hits = c.search(query)
    if json:
        print_json(hit_dict(rank, hit) for rank, hit in enumerate(hits, start=1))
    else:
        print_hits(hits)
