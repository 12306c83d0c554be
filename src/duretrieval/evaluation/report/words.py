"""Every sentence of a report, in English and in Chinese; the page holds both, and shows one."""

from __future__ import annotations

from duretrieval.page.html import Markup, join, tag
from duretrieval.page.layout import LANGS, Lang
from duretrieval.types import Modality

WORDS: dict[str, tuple[str, str]] = {
    "title": ("Evaluation: {name}", "评测：{name}"),
    "lead": (
        "{pairs} pairs of modalities, {queries} queries. Intervals hold the true value with {level} % certainty, as "
        "far as these queries are like those to come.",
        "共 {pairs} 组模态对，{queries} 个查询。若将来的查询与这些查询相似，真实值有 {level}% 的把握落在区间之内。",
    ),
    "lead-health": ("What can be measured of a collection without labels.", "无需标注即可测得的集合状况。"),
    "few": (
        "Some pairs have fewer than {n} queries: their intervals are rough, and too narrow where all queries agree.",
        "部分模态对的查询少于 {n} 个：其区间只是粗略估计，若各查询结果一致则会偏窄。",
    ),
    "reranked": (
        "The model has a learned score. As in a search, it puts the {n} nearest by cosine in order; the others follow.",
        "该模型带有学习得到的打分器。与检索时相同：先按余弦相似度取前 {n} 项，再由打分器重新排序，其余项依次排在其后。",
    ),
    "matrix": ("From each modality to each other", "各模态之间"),
    "matrix-note": (
        "Mean of {measure}, in percent; rows ask, columns are searched.",
        "{measure} 的平均值（百分数）；行为查询，列为被检索的一方。",
    ),
    "asks": ("asks ↓ / searched →", "查询 ↓ / 被检索 →"),
    "figures": ("All figures", "全部指标"),
    "figures-note": (
        "Shares in percent, ranks as they are; in brackets the interval. hit@k is what papers print as R@k.",
        "比例以百分数表示，名次为原值；括号内为置信区间。hit@k 即论文中的 R@k。",
    ),
    "pair": ("pair", "模态对"),
    "queries": ("queries", "查询"),
    "gallery": ("gallery", "候选库"),
    "totals": ("Over all pairs", "汇总"),
    "of-pair": ("{n} queries in a gallery of {gallery}", "{n} 个查询，候选库 {gallery} 项"),
    "curve": (
        "How many queries find a right answer among the first k (percent; k to the right, band: interval)",
        "前 k 个结果中含正确答案的查询比例（%；横轴为 k，阴影为置信区间）",
    ),
    "curve-chance": ("dashed: a random order", "虚线：随机排序"),
    "ranks": (
        "Where the first right answer comes (percent of queries; rank to the right)",
        "首个正确答案的名次（纵轴为查询百分比，横轴为名次）",
    ),
    "not-found": ("∞: not among the results", "∞：未出现在结果中"),
    "scores": (
        "Scores of right and wrong answers (each to its own height)",
        "正确与错误答案的得分分布（各自归一）",
    ),
    "right": ("right", "正确"),
    "wrong": ("wrong", "错误"),
    "separation": (
        "A right answer scores above a wrong one {share} % of the time.",
        "正确答案得分高于错误答案的概率为 {share}%。",
    ),
    "worst": ("Where it fails", "失败最多的查询"),
    "best": ("Where it shines", "表现最好的查询"),
    "rank-is": ("right answer at rank {rank}", "正确答案排第 {rank} 位"),
    "rank-none": ("no right answer found", "未找到正确答案"),
    "found": ("found", "检索结果"),
    "missed": ("missed", "本应找到"),
    "against": ("Against {name}", "与 {name} 比较"),
    "against-note": (
        "{better} better and {worse} worse for certain, of {n} comparisons; corrected for comparing so often (Holm).",
        "共 {n} 项比较，其中显著更好 {better} 项、显著更差 {worse} 项；已作多重比较校正（Holm）。",
    ),
    "measure": ("metric", "指标"),
    "before": ("before", "之前"),
    "now": ("now", "现在"),
    "difference": ("difference", "差值"),
    "verdict": ("verdict", "结论"),
    "better": ("▲ better", "▲ 更好"),
    "worse": ("▼ worse", "▼ 更差"),
    "unsure": ("not certain", "无法确定"),
    "same": ("equal", "相同"),
    "health": ("The collection", "集合"),
    "items": ("items", "条目"),
    "parts": ("parts", "片段"),
    "problems": ("with a problem", "有问题的条目"),
    "index": ("approximate index", "近似索引"),
    "memory": ("index in memory", "内存中的索引"),
    "yes": ("yes", "有"),
    "no": ("no, every vector is compared", "无，逐一比较全部向量"),
    "agreement": ("Does search find what comparing every vector finds?", "检索结果是否与逐一比较一致？"),
    "agreement-note": (
        "Share of the exact first {k} that a search returns, by filter; {queries} queries each.",
        "检索返回了多少精确的前 {k} 个结果（按过滤条件）；每行 {queries} 个查询。",
    ),
    "filter": ("filter", "过滤条件"),
    "keeps": ("keeps", "保留"),
    "recall": ("recall", "召回率"),
    "asked-by": ("queries", "查询来源"),
    "any-query": ("any", "任意"),
    "inside": ("like what it keeps", "与保留内容相似"),
    "outside": ("unlike what it keeps", "与保留内容不相似"),
    "no-filter": ("none", "无"),
    "latency": ("How long does an answer take?", "一次检索需要多久？"),
    "latency-note": ("Milliseconds, of {n} queries.", "单位毫秒，共 {n} 次查询。"),
    "text-search": ("words to hits", "文字到结果"),
    "vector-search": ("vector to parts", "向量到片段"),
    "half": ("half within", "半数以内"),
    "within": ("{share} % within", "{share}% 以内"),
    "provenance": ("How to get these figures again", "如何复现"),
    "model": ("model fingerprint", "模型指纹"),
    "data": ("data hash", "数据哈希"),
    "command": ("command", "命令"),
    "version": ("duretrieval", "duretrieval"),
    "json": ("The same figures as data: {file}", "同样的数据：{file}"),
    "text": ("text", "文本"),
    "image": ("image", "图像"),
    "video": ("video", "视频"),
    "audio": ("audio", "音频"),
    "whole": ("whole", "整体"),
    "any": ("any", "任意模态"),
}


SIDES = [*(modality.value for modality in Modality), "any"]
"""Of which there are words, in the order in which they are shown."""


def say(key: str, **values: object) -> Markup:
    """A sentence in both languages, each marked as what it is."""
    return join(*(tag("span", one(key, lang, **values), class_=lang, lang=_code(lang)) for lang in LANGS))


def one(key: str, lang: Lang, **values: object) -> str:
    """A sentence in one language."""
    return WORDS[key][LANGS.index(lang)].format(**values)


def say_pair(query: str, gallery: str) -> Markup:
    """Two sides, as "text → image"."""
    return join(say_side(query), " → ", say_side(gallery))


def say_side(name: str) -> Markup:
    """A modality in both languages; a view by its name."""
    return say(name) if name in SIDES else tag("span", name)


def _code(lang: Lang) -> str:
    return "zh-Hans" if lang == "zh" else "en"
