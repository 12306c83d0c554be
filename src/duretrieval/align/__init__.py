"""Several spaces to one.

centre      text: its own space, centred
conse       any classifier's classes: a convex combination of the vectors of their names
ridge       pairs: predict the other side of a pair (`Ridge.fit`)
procrustes  pairs: rotate one space onto the other (`Procrustes.fit`)
cca         pairs: carry both sides to what they have in common (`Cca.fit`)
itq         vectors: binary codes of them (`Itq.fit`)
network     a head that was trained, as a graph
chain       aligners after one another (`Chain`), or their rows added (`Sum`)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from duretrieval.window import window

if TYPE_CHECKING:
    from duretrieval.align.cca import Cca as Cca
    from duretrieval.align.centre import Centre as Centre
    from duretrieval.align.chain import Chain as Chain
    from duretrieval.align.chain import Sum as Sum
    from duretrieval.align.conse import Conse as Conse
    from duretrieval.align.fitting import fit_aligner as fit_aligner
    from duretrieval.align.itq import Itq as Itq
    from duretrieval.align.network import OnnxAligner as OnnxAligner
    from duretrieval.align.procrustes import Procrustes as Procrustes
    from duretrieval.align.ridge import Ridge as Ridge
else:
    __getattr__, __dir__, __all__ = window(
        __name__,
        {
            "cca": "Cca",
            "centre": "Centre",
            "chain": "Chain Sum",
            "conse": "Conse",
            "fitting": "fit_aligner",
            "itq": "Itq",
            "network": "OnnxAligner",
            "procrustes": "Procrustes",
            "ridge": "Ridge",
        },
    )
