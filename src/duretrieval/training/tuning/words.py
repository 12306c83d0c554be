"""Every sentence of a search's report, in English and in Chinese."""

from __future__ import annotations

from duretrieval.page.html import Markup, join, tag

WORDS: dict[str, tuple[str, str]] = {
    "title": ("Search for settings", "超参数搜索"),
    "lead": (
        "{n} trials by {sampler}: {complete} finished, {pruned} stopped early, {failed} failed. The value is "
        "{monitor} on the validation rows, at each trial's best check; larger is better (a loss counts below 0).",
        "共 {n} 次试验（{sampler}）：完成 {complete} 次，提前终止 {pruned} 次，失败 {failed} 次。"
        "数值为每次试验最佳检查点在验证集上的 {monitor}，越大越好（损失取负值）。",
    ),
    "best": ("The best: trial {number}, {value}", "最佳：第 {number} 次试验，{value}"),
    "course": ("The course of the search", "搜索过程"),
    "so-far": (
        "Value of each trial (line: the best so far; filled: the best; faint: stopped early)",
        "每次试验的数值（折线：截至当时的最佳；实心：最佳；浅色：提前终止）",
    ),
    "learning": (
        "Value at each check of a trial (strong: the best trial)",
        "各次试验在每个检查点的数值（深色：最佳试验）",
    ),
    "settings": ("What each setting does", "各项设置的影响"),
    "against": ("Value against {name}", "{name} 与数值"),
    "against-log": ("Value against {name} (logarithmic)", "{name}（对数轴）与数值"),
    "importance": ("How much each setting mattered", "各项设置的重要性"),
    "importance-note": (
        "Share of the variance of the ranks of the trials' values that a setting alone explains: one-way grouping by "
        "choice, or by thirds of what was tried, corrected for chance (epsilon squared; Kelley 1935). A trial that was "
        "stopped early counts with its last value. What two settings do together is not in it, and with few trials it "
        "is rough.",
        "某项设置单独能解释的、各次试验数值之秩的方差比例：按选项（或已试取值的三等分）单因素分组，并对随机性作校正"
        "（ε²，Kelley 1935）。提前终止的试验以其最后数值计入。不含设置之间的交互作用；试验较少时仅供粗略参考。",
    ),
    "importance-few": (
        "Fewer than {n} trials: too few to say.",
        "试验少于 {n} 次，无法判断。",
    ),
    "trials": ("All trials", "全部试验"),
    "trial": ("trial", "试验"),
    "value": ("value", "数值"),
    "state": ("state", "状态"),
    "complete": ("finished", "完成"),
    "pruned": ("stopped early", "提前终止"),
    "fail": ("failed", "失败"),
    "setting": ("setting", "设置"),
    "share": ("share", "比例"),
}


def say(key: str, **values: object) -> Markup:
    """A sentence in both languages, each marked as what it is."""
    english, chinese = (text.format(**values) for text in WORDS[key])
    return join(tag("span", english, class_="en", lang="en"), tag("span", chinese, class_="zh", lang="zh-Hans"))
