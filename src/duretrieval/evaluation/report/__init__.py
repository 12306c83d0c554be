"""One page that shows an evaluation, and the same figures as JSON beside it.

materials = [Material("text-image", scores, relevance, query=..., item=...)]
write_report(Path("out"), evaluation, closeups=[look(m) for m in materials])    # out/report.html, out/result.json
"""

from duretrieval.evaluation.report.closeup import Closeup, Material, look
from duretrieval.evaluation.report.exhibit import Exhibit, of_file, of_text
from duretrieval.evaluation.report.write import write_report

__all__ = ["Closeup", "Exhibit", "Material", "look", "of_file", "of_text", "write_report"]
