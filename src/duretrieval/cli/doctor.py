"""`doctor`: does everything here work?"""

from __future__ import annotations

import typer

from duretrieval.cli.options import HERE, AnyCollectionPath, Json, Trust, trusting
from duretrieval.cli.output import print_json
from duretrieval.cli.terminal import out


def doctor(collection: AnyCollectionPath = HERE, trust: Trust = False, json: Json = False) -> None:
    """Check installation, model and collection. Exit code 1 when something is wrong."""
    from duretrieval.collection.doctor import diagnose

    with trusting(trust):
        findings = list(diagnose(collection))
    if json:
        print_json({"check": f.check, "ok": f.ok, "detail": f.detail} for f in findings)
    else:
        for f in findings:
            out.print(f"{'ok   ' if f.ok else 'FAULT'}  {f.check}: {f.detail}")
    raise typer.Exit(0 if all(f.ok for f in findings) else 1)
