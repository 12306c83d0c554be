"""A search: what it tries, how it goes on, what it refuses."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import optuna
import pytest

from duretrieval.errors import ConfigError
from duretrieval.training.data.sample import Sample
from duretrieval.training.runs.folder import described
from duretrieval.training.tuning import search as module
from duretrieval.training.tuning.range import Range
from duretrieval.training.tuning.search import JOURNAL, read_search, tune
from duretrieval.training.tuning.trial import Search, Trial

SPACE: dict[str, Any] = {"fit.lr": Range(1e-4, 1e-2, log=True), "heads.hidden": (8, 16)}


def table(**fit: Any) -> dict[str, Any]:
    settings = {"epochs": 2, "batch": 16, "accelerator": "cpu", **fit}
    heads = {"use": "mlp"}
    return {
        "dim": 32,
        "views": [["text"], ["image"]],
        "heads": heads,
        "data": {"near_duplicates": False},
        "fit": settings,
    }


def searched(search: Search, data: list[Sample], folder: Path, cache: Path, **fit: Any) -> list[Trial]:
    told: list[Trial] = []
    found = tune(table(**fit), search, data, folder, cache=cache, told=told.append)
    assert found.best.value == max(t.value for t in found.trials if t.state == "complete" and t.value is not None)
    assert (found.model / "model.toml").is_file()
    return told


def killed(search: Search, data: list[Sample], folder: Path, cache: Path, at: int) -> None:
    """As a kill leaves it: trial `at` is begun, and never told of."""

    def stop(trial: Trial) -> None:
        if trial.number == at - 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        tune(table(), search, data, folder, cache=cache, told=stop)
    storage = optuna.storages.JournalStorage(optuna.storages.journal.JournalFileBackend(str(folder / JOURNAL)))
    study = optuna.load_study(study_name="tune", storage=storage)
    study.sampler = module._sampler(optuna, search, at)
    if search.sampler == "grid":
        study.enqueue_trial(module._next_point(search, study))
    trial = study.ask()
    for name, values in search.space.items():
        module._suggest(trial, name, values)


def begun_with(first: dict[str, Any], space: dict[str, Any], *, trials: int) -> Search:
    """A grid that tries a point first."""
    made = (Search(space, trials=trials, sampler="grid", seed=seed) for seed in range(20))
    return next(search for search in made if module._grid(search)[0] == first)


def settings(trials: list[Trial]) -> list[dict[str, Any]]:
    return [dict(t.settings) for t in trials if t.state != "fail"]


@pytest.mark.slow
@pytest.mark.parametrize("sampler", ["random", "grid", "tpe"])
def test_killed_and_gone_on_with_is_as_undisturbed(
    sampler: Any, data: list[Sample], cache: Path, tmp_path: Path
) -> None:
    space = {"fit.lr": (1e-3, 1e-2), "heads.hidden": (8, 16)} if sampler == "grid" else SPACE
    search = Search(space, trials=4, sampler=sampler, prune=False)
    whole = searched(search, data, tmp_path / "whole", cache)
    assert [t.number for t in whole] == [0, 1, 2, 3]
    assert all(t.state == "complete" and len(t.checks) == 2 for t in whole)
    assert len({str(t.settings) for t in whole}) == 4
    killed(search, data, tmp_path / "killed", cache, 2)
    (tmp_path / "killed" / "trials" / "0002").mkdir()
    (tmp_path / "killed" / "trials" / "0002" / "last.ckpt").touch()
    rest = searched(search, data, tmp_path / "killed", cache)
    assert [t.number for t in rest] == [3, 4]  # 2 was cut off and counts as failed; two were done
    assert settings(rest) == settings(whole)[2:]
    assert [t.value for t in rest] == [t.value for t in whole[2:]]
    assert not list((tmp_path / "killed" / "trials").rglob("*.ckpt"))
    with pytest.raises(ConfigError, match=r"holds a search of fit\.lr, heads\.hidden in other ranges; give another"):
        searched(replace(search, space={"fit.lr": (1.0, 2.0)}), data, tmp_path / "killed", cache)


def test_what_fails_is_written_down_and_not_tried_for_ever(data: list[Sample], cache: Path, tmp_path: Path) -> None:
    search = begun_with({"loss.use": "infonce"}, {"loss.use": ("infonce", "no-such")}, trials=10)
    told = searched(search, data, tmp_path / "run", cache)
    assert [t.state for t in told] == ["complete", "fail"]
    assert "no-such" in (tmp_path / "run" / "trials" / "0001" / "error.txt").read_text()


def test_settings_that_do_not_go_together_fail_one_trial(data: list[Sample], cache: Path, tmp_path: Path) -> None:
    search = begun_with({"fit.batch": 16}, {"fit.batch": (1, 16)}, trials=2)
    told = searched(search, data, tmp_path / "run", cache)
    assert [t.state for t in told] == ["complete", "fail"]
    assert "fit.batch is 1; it must be" in (tmp_path / "run" / "trials" / "0001" / "error.txt").read_text()


@pytest.mark.slow
def test_a_trial_that_comes_apart_does_not_end_the_search(data: list[Sample], cache: Path, tmp_path: Path) -> None:
    """Not even the first one; what would stop every trial is still said at once."""
    search = begun_with({"fit.lr": 1e30}, {"fit.lr": (1e30, 1e-2)}, trials=2)
    told = searched(search, data, tmp_path / "run", cache, optimizer="sgd", clip=0.0, epochs=1)
    assert [t.state for t in told] == ["fail", "complete"]
    assert "came apart" in (tmp_path / "run" / "trials" / "0000" / "error.txt").read_text()
    with pytest.raises(ConfigError, match="'mlp' has no option 'hiden'"):
        tune(table(), Search({"heads.hiden": (8, 16)}), data, tmp_path / "other", cache=cache)


def test_a_setting_that_is_not_there_leaves_no_search_behind(data: list[Sample], cache: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"\[fit\] has no setting 'lrr'\. Did you mean 'lr'"):
        tune(table(), Search({"fit.lrr": (1e-3, 1e-2)}), data, tmp_path / "run", cache=cache)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ("tune = 3", r"\[tune\] is 3; it must be a table"),
        ("[tune]\nspace = 3", r"\[tune\.space\] is 3; it must be a table"),
        (
            '[tune.space]\n"fit.lr" = { low = "a", high = 1 }',
            r"'fit\.lr': low is 'a'; it must be a",
        ),
        ('[tune.space]\n"fit.lr" = { lo = 1, high = 2 }', r"'fit\.lr' has no low"),
        ('[tune.space]\n"fit.lr" = { low = 1, high = inf }', r"high is inf; it must be"),
        (
            '[tune.space]\n"heads.hidden" = [[8], [16]]',
            r"'heads\.hidden' has the choice \[8\]; a choice is a number, a word, or true",
        ),
        ('[tune.space]\n"heads.hidden" = [8, 16, 8]', r"'heads\.hidden' has the choice 8 twice; leave one of them out"),
        (
            '[tune.space]\n"fit.monitor" = ["rr", "ap"]',
            r"fit\.monitor cannot be searched: figures of different metrics",
        ),
        ('[tune]\ntrials = 0\n[tune.space]\n"fit.lr" = [1e-3]', r"tune\.trials is 0 and seed 0; give at least 1"),
    ],
)
def test_what_cannot_be_searched(lines: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "recipe.toml").write_text(lines)
    with pytest.raises(ConfigError, match=said):
        read_search(tmp_path / "recipe.toml")


@pytest.mark.slow
def test_more_trials_may_find_another_best(data: list[Sample], cache: Path, tmp_path: Path) -> None:
    search = begun_with({"fit.lr": 1e-6}, {"fit.lr": (1e-2, 1e-6)}, trials=1)
    searched(search, data, tmp_path, cache, epochs=4)
    searched(replace(search, trials=2), data, tmp_path, cache, epochs=4)
    assert described(tmp_path / "best").fit.lr == 1e-2


@pytest.mark.slow
def test_a_hopeless_run_is_pruned(data: list[Sample], cache: Path, tmp_path: Path) -> None:
    space = {"fit.lr": (3e-3, 4e-3, 5e-3, 6e-3, 1e-7, 1.1e-7)}
    search = Search(space, trials=6, sampler="grid", seed=0)
    orders = [replace(search, seed=seed) for seed in range(200)]
    chosen = next(s for s in orders if {p["fit.lr"] for p in module._grid(s)[4:]} == {1e-7, 1.1e-7})
    told = searched(chosen, data, tmp_path / "run", cache, epochs=6, monitor="loss")  # ranks of so few rows are chance
    states = [t.state for t in told]
    assert states[:4] == ["complete"] * 4
    assert "pruned" in states[4:]
    pruned = next(t for t in told if t.state == "pruned")
    assert len(pruned.checks) < 6
    assert not list((tmp_path / "run" / "trials").rglob("*.ckpt"))


def test_ranges() -> None:
    assert Range(1, 9).points() == [1, 3, 5, 7, 9]
    assert Range(0.0, 1.0, step=0.5).points() == [0, 0.5, 1]
    assert Range(0.0, 0.7, step=0.4).points() == [0, 0.4]  # 0.8 is beyond, and 0.7 is no step
    assert Range(1, 10, step=4).points() == [1, 5, 9]
    points = Range(1e-4, 1e-2, log=True).points()
    assert points[0] == 1e-4
    assert points[-1] == 1e-2
    assert points[2] == pytest.approx(1e-3)
    with pytest.raises(ConfigError, match="low must be below high"):
        Range(2, 1)
    with pytest.raises(ConfigError, match="either log or a step"):
        Range(1, 2, log=True, step=1)


def test_a_grid_of_any_size_is_only_drawn_from() -> None:
    """Ten settings of five values: ten million points, of which three are made."""
    space = {f"heads.option{n}": Range(0.0, 1.0) for n in range(10)}
    points = module._grid(Search(space, trials=3, sampler="grid"))
    assert len(points) == len({str(point) for point in points}) == 3
    small = module._grid(Search({"a": (1, 2, 3), "b": (True, False)}, trials=99, sampler="grid"))
    assert sorted(map(str, small)) == sorted(str({"a": a, "b": b}) for a in (1, 2, 3) for b in (True, False))


def test_several_devices_are_refused(data: list[Sample], cache: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"fit\.devices is 2; a search tries its settings on one device"):
        tune(table(devices=2), Search(SPACE), data, tmp_path, cache=cache)


def test_the_recipe_of_a_trial_has_its_settings() -> None:
    made = module._with(table(), {"fit.lr": 0.5, "heads.hidden": 4})
    assert made.fit.lr == 0.5
    assert all(head.options == {"hidden": 4} for head in made.heads.values())
