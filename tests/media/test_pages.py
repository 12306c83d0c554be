"""What is a web page comes without its tags; what merely holds tags keeps them."""

from __future__ import annotations

import pytest

from duretrieval.media import Limits, decode
from duretrieval.types import Reading

FRAGMENTS = [
    ("<center><b>tulips</b></center> roses", "tulips\n\nroses"),
    ("<ul><li>tulips</li><li>roses</li></ul>", "tulips\nroses"),
    ("<UL><LI>tulips<LI>roses</UL>", "tulips\nroses"),
    ("<!-- saved --><b>tulips</b>", "tulips"),
    ("\n<!-- one -->\n<!-- two -->\n<P>tulips", "tulips"),
    (
        "<?xml version='1.0'?>\n<!DOCTYPE html PUBLIC '-//W3C//DTD XHTML 1.0//EN' 'x.dtd'>\n<html>tulips</html>",
        "tulips",
    ),
    ("<?xml version='1.0'?><div>tulips<br/>roses</div>", "tulips\nroses"),
    ("<font color=red>tulips</font>", "tulips"),
    ("<a href='x'>tulips</a>", "tulips"),
    ("<img src=x alt=no> tulips", "tulips"),
    ("<span>tul</span>ips", "tulips"),
    ("<frameset><noframes>tulips</noframes></frameset>", "tulips"),
    ("<style>b{}</style><b>tulips</b>", "tulips"),
    ("<script>x()</script><b>tulips</b>", "tulips"),
    ("<section>tulips</section><dl><dt>a<dd>b</dl>", "tulips\n\na\nb"),
    ("<tt>tul</tt>ips<hr>roses", "tulips\n\nroses"),
]


def text(path):
    return "\n\n".join(part.content for part in decode(path, Reading(), Limits()).parts)


@pytest.mark.parametrize(("page", "words"), FRAGMENTS)
@pytest.mark.parametrize("name", ["page", "page.htm", "page.HTML", "page.txt"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le"])
def test_fragments(tmp_path, page, words, name, encoding):
    (tmp_path / name).write_bytes(page.encode(encoding))
    assert text(tmp_path / name) == words


@pytest.mark.parametrize(
    ("page", "words"),
    [
        ("Fresh <b>tulips</b> and<br>roses", "Fresh tulips and\nroses"),
        ("caf&eacute; tulips", "café tulips"),
        (f"<!-- {'licence ' * 1_000} --><p>tulips</p>", "tulips"),
    ],
)
def test_words_first_in_what_is_called_a_page(tmp_path, page, words):
    (tmp_path / "page.html").write_text(page)
    assert text(tmp_path / "page.html") == words


@pytest.mark.parametrize(
    "words",
    [
        "1 < 2 and <b>bold</b> is a tag",
        "if (a<b && c>d) { return a<p; }",
        "#include <vector>\nstd::vector<a> x;",
        'document.body.innerHTML = "<ul><li>x</li></ul>";',
        "# Title\n\nSome <b>bold</b> words<br>and more.",
        '<p align="center"><img src="logo.png"></p>\n\n# Title\n\nWords.',
        "<details>\n\nSee [the page](https://example.org).\n\n</details>",
        "<ann> hello\n<b> hello ann",
        "<T> is a type parameter",
        "<b is less than b",
        "<?xml version='1.0'?><catalog><flower>tulip</flower></catalog>",
        "<template>\n<p>x</p>\n</template>",
        "<script>\nimport x from 'y'\n</script>\n<p>x</p>",
        "From here: one\nTo there: two\n\nwords",
        "Subject: a meeting\nDate: today\nAttendees: Ann\n\nwords",
    ],
)
@pytest.mark.parametrize("name", ["words", "words.txt", "words.md"])
def test_what_merely_holds_tags_keeps_them(tmp_path, words, name):
    (tmp_path / name).write_text(words)
    assert text(tmp_path / name) == words


@pytest.mark.parametrize(
    ("said", "encoding", "words"),
    [
        ("gb2312", "gb18030", "春天的花园里开满了郁金香㐀"),
        ("iso-8859-1", "cp1252", "“café”"),
        ("utf-16", "utf-8", "café 郁金香"),
        ("utf-8", "gb18030", "春天的花园里开满了郁金香"),
        ("gb2312", "utf-8-sig", "春天的花园里开满了郁金香"),
        ("no-such-thing", "utf-8", "春天"),
    ],
)
def test_a_page_is_decoded_as_it_says_if_that_fits(tmp_path, said, encoding, words):
    (tmp_path / "page").write_bytes(f"<html><meta charset={said}><body>{words}</body></html>".encode(encoding))
    assert text(tmp_path / "page") == words


def test_a_page_whose_head_is_long_is_decoded_by_all_of_it(tmp_path):
    page = "<html><body>" + "<p>plain words</p>\n" * 10_000 + "<p>春天的花园里开满了郁金香</p></body></html>"
    (tmp_path / "page").write_bytes(page.encode("gbk"))
    chunk = decode(tmp_path / "page", Reading(passage_chars=1_000_000), Limits())
    assert chunk.parts[-1].content.endswith("plain words\n\n春天的花园里开满了郁金香")
