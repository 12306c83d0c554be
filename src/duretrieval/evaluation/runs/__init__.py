"""Ranked lists and judgements on disk: TREC's text files, JSON lines, Parquet, CSV; chosen by the file's name.

run          query -> item -> score, larger is better
judgements   query -> item -> gain ("qrels"); 0 or less means judged and not relevant
"""

from duretrieval.evaluation.runs.cut import top
from duretrieval.evaluation.runs.files import read_judgements, read_run, write_judgements, write_run
from duretrieval.evaluation.runs.judgement import judge
from duretrieval.evaluation.runs.rows import Judgements, Run

__all__ = ["Judgements", "Run", "judge", "read_judgements", "read_run", "top", "write_judgements", "write_run"]
