"""A report as files."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from duretrieval import whole
from duretrieval.errors import EvaluationError
from duretrieval.evaluation import result_json
from duretrieval.evaluation.comparison import Difference
from duretrieval.evaluation.health.health import Health
from duretrieval.evaluation.report.closeup import Closeup
from duretrieval.evaluation.report.page import page
from duretrieval.evaluation.result import Evaluation
from duretrieval.page.layout import Lang


def write_report(
    folder: str | Path,
    evaluation: Evaluation,
    *,
    closeups: Sequence[Closeup] = (),
    health: Health | None = None,
    compared: Sequence[Difference] = (),
    against: str = "",
    notes: Sequence[str] = (),
    lang: Lang = "en",
) -> Path:
    """Write `report.html` and `result.json` (and `health.json`) into a folder, made if need be; return the page's path.

    closeups: `look(material)` of the pairs that are to be shown with examples.  against: what `compared` compares
    with.  notes: what a reader should know first.

    Raises:
        EvaluationError: the folder cannot be made, or is a file.
    """
    folder = Path(folder)
    html = page(
        evaluation, closeups=closeups, health=health, compared=compared, against=against, notes=notes, lang=lang
    )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        whole.write(folder / "report.html", html)
        result_json.save(evaluation, folder / "result.json")
        if health:
            text = json.dumps(health.as_dict(), ensure_ascii=False, indent=1)
            whole.write(folder / "health.json", text)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise EvaluationError(f"the report cannot be written to {folder}: {reason}; give another --report") from error
    return folder / "report.html"
