"""What is told of a check is that check's, not the one's before."""

from pathlib import Path

from duretrieval.training.data.sample import Sample
from duretrieval.training.fit import history
from duretrieval.training.fit.checkpoints import AfterCheck
from duretrieval.training.recipe.recipe import Data, Fit, Recipe, Use
from duretrieval.training.runs.trained import train
from duretrieval.types import Modality, Part

WORDS = ("bus", "dog", "lamp", "rain", "tree", "moon", "boat", "king", "snow", "bird", "wine", "road", "milk", "fire")


def test_every_check_is_told_once_with_its_own_figure(tmp_path: Path) -> None:
    def sample(number: int, word: str) -> Sample:
        columns = {"title": Part(Modality.TEXT, f"a {word}"), "text": Part(Modality.TEXT, f"this {word} is old")}
        return Sample(word, columns, split="val" if number % 4 == 0 else "train")

    samples = [sample(number, word) for number, word in enumerate(WORDS)]
    recipe = Recipe(dim=16, heads={Modality.TEXT: Use("linear")}, fit=Fit(epochs=3, batch=4), data=Data(test=0.0))
    told: list[tuple[int, float]] = []
    callback = AfterCheck(lambda epoch, value: told.append((epoch, value)))
    train(recipe, samples, tmp_path / "r", cache=tmp_path / "c", callbacks=[callback], exporting=False)
    checks = [row for row in history.read(tmp_path / "r") if "check" in row]
    assert [epoch for epoch, _ in told] == [0, 1, 2]
    assert [round(value, 5) for _, value in told] == [round(row["check"]["monitor"], 5) for row in checks]
