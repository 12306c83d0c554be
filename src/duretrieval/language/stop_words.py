"""Words that say little about what a text is about, in English and Chinese.

Negations are not among them (not, no, without; 不, 没有): they turn a meaning round.
"""

from __future__ import annotations


def listed(words: str) -> frozenset[str]:
    """Words with white space between them, as a set."""
    return frozenset(words.split())


ENGLISH = listed(
    """
    a an the this that these those each every either neither some any such another other others both all most more
    many much few less least own same
    i me my mine myself we us our ours ourselves you your yours yourself yourselves he him his himself she her hers
    herself it its itself they them their theirs themselves one who whom whose which what
    am is are was were be been being do does did doing done have has had having will would shall should can could may
    might must ought get gets got let lets
    i'm i've i'd i'll you're you've you'd you'll he's he'd he'll she's she'd she'll it's it'd it'll we're we've we'd
    we'll they're they've they'd they'll that's there's here's what's who's let's
    about above across after against along among around as at before behind below beneath beside between beyond by
    despite down during except for from in inside into like near of off on onto out over past per since than through
    throughout till to toward towards under until up upon via with within
    and or but nor so yet if because although though while whereas whether unless
    again also already always almost ever even else here there then thus hence however just maybe now only once often
    perhaps quite rather really still too very well when where why how
    mr mrs ms etc
    """
)

CHINESE = listed(
    """
    的 地 得 了 着 过 们 之 所 等 等等 者 儿
    我 你 您 他 她 它 我们 你们 您们 他们 她们 它们 咱 咱们 自己 本人 大家 人家 别人 其 其他 其它 另 另外 另一 彼此
    这 那 这个 那个 这些 那些 这里 那里 这儿 那儿 这样 那样 这么 那么 这种
    那种 此 该 本 各 每 每个 某 某个 某些 一些 有些 任何
    谁 什么 哪 哪个 哪些 哪里 哪儿 怎么 怎样 如何 为什么 为何 几 多少
    是 就是 也是 还是 在 有 具有 为 成为 做 使 让 令 被 把 将 叫 给 对 对于 关于 由 由于 从 自 自从 到 向 往 朝 于
    以 用 按 按照 根据
    通过 随着 除了 除 比 跟 和 与 及 以及 同 并 并且 而 而且 或 或者 还 还有 又 也 都 就 才 则 却 但 但是 可是 不过
    然而 虽然 尽管 即使
    因为 因此 所以 如果 若 要是 假如 只要 只有 无论 不管 既 既然 于是 然后 接着 那么 此外 例如 比如 譬如
    很 非常 十分 太 更 更加 最 极 极其 比较 相当 稍 稍微 挺 真 真的 好像 似乎 大约 大概 左右 几乎 差不多
    已 已经 曾 曾经 正 正在 刚 刚刚 将要 会 能 能够 可 可以 可能 应 应该 应当 必须 得以 想 要 需要 愿意
    再 再次 又是 总 总是 常 常常 经常 往往 一直 始终 仍 仍然 依然 还要 只 只是 仅 仅仅 一 一个 一下 一样 一般 一定
    上 下 里 内 中 外 前 后 间 时 时候 之前 之后 之间 以前 以后 以上 以下 当 当时 现在
    个 只 条 张 件 位 次 种 些 点
    啊 吧 呢 吗 嘛 呀 哦 哈 嗯 哎 唉 喂 啦 哇
    """
)
