"""Where the collection is when nobody says: here, in a folder above, or in the user's data folder."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from shlex import quote

import typer

from duretrieval.cli.paths import near
from duretrieval.cli.terminal import err
from duretrieval.errors import NotACollection

HERE = Path(".duretrieval")


def to_read(ctx: typer.Context, named: Path) -> Path:
    """The collection that was named, or the one to be found from here.

    Raises:
        NotACollection: there is none, or the nearest one is another user's.
    """
    path = to_make(ctx, named)
    if not ctx.resilient_parsing and not _is_there(path):
        if _named(ctx):
            again = f"duretrieval index PATH -c {quote(str(path))}"
            raise NotACollection(f"there is no collection at {path}. Make one with: {again}")
        raise NotACollection(
            "there is no collection here, in a folder above or in the user's data folder. Make one with: "
            "duretrieval index PATH; or name one with -c or DURETRIEVAL_COLLECTION."
        )
    return path


def to_make(ctx: typer.Context, named: Path) -> Path:
    """As `to_read`, but where there is none, the one to be made here; one that is elsewhere is said."""
    if ctx.resilient_parsing or _named(ctx):
        return named
    found = nearest(Path.cwd()) or _users()
    if found is None or found.parent == Path.cwd():
        return HERE
    own = f" (for one of its own here: -c {HERE})" if ctx.info_name == "index" else ""
    err.print(f"Collection: {near(found)}{own}")
    return Path(near(found)).expanduser()


def nearest(start: Path) -> Path | None:
    """The collection in `start` or in the nearest folder above it, on the same file system.

    Raises:
        NotACollection: it belongs to another user, whose collection may name a model that runs code.
    """
    device = start.stat().st_dev
    for folder in (start, *start.parents):
        if folder.stat().st_dev != device:
            return None
        path = folder / HERE
        if os.path.isdir(path):  # noqa: PTH112  (a folder that may not be looked into is none)
            _refuse_others(path)
            if _is_there(path):
                return path
    return None


def data_folder() -> Path:
    """Where this user's programs keep their data.

    Raises:
        RuntimeError: nobody says where the home folder is.
    """
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support"
    named = Path(os.environ.get("XDG_DATA_HOME", ""))
    return named if named.is_absolute() else Path.home() / ".local" / "share"


def _users() -> Path | None:
    try:
        path = data_folder() / "duretrieval" / "collection"
    except RuntimeError:
        return None
    return path if _is_there(path) else None


def _refuse_others(path: Path) -> None:
    if sys.platform != "win32" and {path.stat().st_uid, path.lstat().st_uid} != {os.getuid()}:
        raise NotACollection(
            f"{path} belongs to another user, and a collection may name a model that runs code; "
            f"if you trust it, name it: -c {quote(str(path))}"
        )


def _is_there(path: Path) -> bool:
    from duretrieval.index.lance import place

    return place.exists(place.parts_of(path))  # as `Collection.exists`, without what that imports


def _named(ctx: typer.Context) -> bool:
    source = ctx.get_parameter_source("collection")
    return source is not None and source.name != "DEFAULT"
