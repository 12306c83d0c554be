"""`doctor`: does everything here work?"""

from __future__ import annotations

import typer

from duretrieval.cli.app import HERE, CollectionPath, Json, Trust, app
from duretrieval.cli.output import out, print_json, trusting
from duretrieval.collection.doctor import diagnose


@app.command()
def doctor(collection: CollectionPath = HERE, trust: Trust = False, json: Json = False) -> None:
    """Check the installation, the model and the collection; exit code 1 when something is wrong."""
    with trusting(trust):
        findings = list(diagnose(collection))
    if json:
        print_json({"check": f.check, "ok": f.ok, "detail": f.detail} for f in findings)
    else:
        for f in findings:
            out.print(f"{'ok   ' if f.ok else 'FAULT'}  {f.check}: {f.detail}", markup=False)
    raise typer.Exit(0 if all(f.ok for f in findings) else 1)
