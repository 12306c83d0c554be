"""Of a message its words: decoded, with who wrote to whom, and the names of what is attached."""

from __future__ import annotations

import mailbox
from base64 import b64encode
from email.message import EmailMessage
from email.mime.text import MIMEText

import pytest

from duretrieval.errors import LimitExceeded
from duretrieval.media import DecoderPool, Limits, decode
from duretrieval.types import Reading

SPRING = "春天的花园里开满了郁金香，孩子们在草地上奔跑。"


def read(path, limits=None):
    return decode(path, Reading(passage_chars=5_000), limits or Limits())


def put(path, data):
    path.write_bytes(data if isinstance(data, bytes) else data.as_bytes())
    return path


def text(path):
    return "\n\n".join(part.content for part in read(path).parts)


def letter(words="", **fields):
    message = EmailMessage()
    for name, said in fields.items():
        message[name] = said
    if words:
        message.set_content(words)
    return message


@pytest.mark.parametrize("encoding", ["utf-8", "gb2312", "big5", "iso-8859-1"])
@pytest.mark.parametrize("way", ["base64", "quoted-printable", "8bit"])
def test_a_letter(tmp_path, encoding, way):
    words = {"big5": "春天的花園裡開滿了鬱金香。", "iso-8859-1": "Le café est fermé."}.get(encoding, SPRING)
    message = letter(Subject="郁金香", From="Ann <ann@example.org>", To="bob@example.org", Date="Mon, 1 Jan 2024 10:00")
    message.set_content(words, charset=encoding, cte=way)
    chunk = read(put(tmp_path / "m.eml", message))
    fields = "Subject: 郁金香\nFrom: Ann <ann@example.org>\nTo: bob@example.org\nDate: Mon, 1 Jan 2024 10:00"
    assert chunk.parts[0].content.startswith(fields.split("\nDate")[0])
    assert chunk.parts[0].content.endswith(f"\n\n{words}")
    assert chunk.fields["title"] == "郁金香"


def test_of_two_ways_to_say_it_the_richer_is_read_and_attachments_are_named(tmp_path):
    message = letter("See the HTML version.", Subject="S", From="a@example.org")
    message.add_alternative("<html><body><p>café</p><p>tulips</p><img src='cid:1'></body></html>", subtype="html")
    message.get_payload()[1].add_related(b"png", "image", "png", cid="<1>", filename="logo.png")
    message.add_attachment(b"%PDF", "application", "pdf", filename="花园计划.pdf")
    message.add_attachment("secret words", filename="notes.txt")
    words = "café\n\ntulips\n\nAttachment: logo.png\n\nAttachment: 花园计划.pdf\n\nAttachment: notes.txt"
    assert text(put(tmp_path / "m", message)) == f"Subject: S\nFrom: a@example.org\n\n{words}"


def test_an_empty_html_way_gives_way_to_the_plain_one(tmp_path):
    message = letter("plain tulips", Subject="S")
    message.add_alternative("<html><body></body></html>", subtype="html")
    assert text(put(tmp_path / "m", message)) == "Subject: S\n\nplain tulips"


def test_a_letter_within_a_letter(tmp_path):
    message = letter("As she wrote:", Subject="Fwd", From="b@example.org")
    message.add_attachment(letter("tulips", Subject="Inner", From="a@example.org"))
    words = "As she wrote:\n\nSubject: Inner\nFrom: a@example.org\n\ntulips"
    assert text(put(tmp_path / "m", message)) == f"Subject: Fwd\nFrom: b@example.org\n\n{words}"


HEAD = b"MIME-Version: 1.0\r\nSubject: S\r\nContent-Type: text/plain%s\r\nContent-Transfer-Encoding: base64\r\n\r\n"


@pytest.mark.parametrize("cut", [1, 2, 3, 5])
def test_base64_that_is_cut(tmp_path, cut):
    held = text(put(tmp_path / "m", HEAD % b"; charset=utf-8" + b64encode(b"tulips and roses")[:-cut]))
    assert held.startswith("Subject: S\n\ntulips and ro")


def test_words_after_base64_and_letters_that_say_nothing_of_their_charset(tmp_path):
    data = HEAD % b"" + b64encode(SPRING.encode("gbk")) + b"\r\n--\r\nsent by a list\r\n"
    assert text(put(tmp_path / "m", data)).startswith(f"Subject: S\n\n{SPRING}"[:-2])


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        (b"=?gb2312?B?1KS40A==?=", "预感"),
        (b"=?utf-8?Q?caf=C3=A9?= =?utf-8?Q?_tulips?=", "café tulips"),
        (b"=?no-such?B?w6k=?=", "é"),
        (b"=?utf-8?B?w6k1w?= tulips", "=?utf-8?B?w6k1w?= tulips"),
        (b"=?utf-8?B?6YOB6YeR?=\r\n =?utf-8?B?6aaZ?=", "郁金香"),
        ("郁金香".encode(), "郁金香"),
        ("春天的花园里开满了郁金香".encode("gbk"), "春天的花园里开满了郁金香"),
    ],
)
def test_subjects_in_every_writing(tmp_path, said, shown):
    path = put(tmp_path / "m", b"Message-ID: <1@x>\r\nSubject: " + said + b"\r\n\r\nwords")
    assert read(path).fields["title"] == shown
    assert text(path) == f"Subject: {shown}\n\nwords"


def test_fields_that_are_not_ascii_where_they_must_be(tmp_path):
    data = HEAD.replace(b"base64", b"b\xe9se64") % b"\xe9; charset=utf-8\xe9" + b"tulips"
    assert text(put(tmp_path / "m", data)) == "Subject: S\n\ntulips"


def test_a_web_archive(tmp_path):
    data = (
        b"From: <Saved by Blink>\r\nSubject: A page\r\nMIME-Version: 1.0\r\n"
        b'Content-Type: multipart/related;\r\n\ttype="text/html";\r\n\tboundary="x"\r\n\r\n--x\r\n'
        b"Content-Type: text/html\r\nContent-Transfer-Encoding: quoted-printable\r\nContent-Location: http://x/\r\n\r\n"
        b'<html><head><meta charset=3D"utf-8"></head><body>caf=C3=A9 tu=\r\nlips</body></html>\r\n--x\r\n'
        b"Content-Type: text/css\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nbody {}\r\n--x\r\n"
        b"Content-Type: image/png\r\nContent-Transfer-Encoding: base64\r\n\r\niVBORw0KGgo=\r\n--x--\r\n"
    )
    path = put(tmp_path / "p.mhtml", data)
    assert text(path) == "Subject: A page\nFrom: <Saved by Blink>\n\ncafé tulips"


def test_a_mailbox_has_a_page_a_letter(tmp_path):
    box = mailbox.mbox(tmp_path / "box")
    for n in range(3):
        message = MIMEText(f"letter {n}: {SPRING}", _charset="utf-8")
        message["Subject"], message["From"] = f"S{n}", "a@example.org"
        box.add(message)
    box.close()
    before = (tmp_path / "box").read_bytes()
    parts = read(tmp_path / "box").parts
    assert [(part.page, part.content) for part in parts] == [
        (n + 1, f"Subject: S{n}\nFrom: a@example.org\n\nletter {n}: {SPRING}") for n in range(3)
    ]
    assert (tmp_path / "box").read_bytes() == before


ENVELOPE = b"From a@example.org Mon Jan  1 10:00:00 2024\n"


def test_a_mailbox_is_read_where_nothing_may_be_written(tmp_path):
    path = put(tmp_path / "box", (ENVELOPE + b"To: b\nSubject: S\nMessage-ID: 1\n\nwords\n\n") * 2)
    with DecoderPool(Reading(), Limits(), workers=1) as pool:
        parts = pool.submit(path).result(60).parts
    assert [part.content for part in parts] == ["Subject: S\nTo: b\n\nwords"] * 2


def test_what_only_looks_like_the_beginning_of_a_letter_is_a_part_of_it(tmp_path):
    body = b"From 10:30 on we talked.\n\nFrom here it went on.\n"
    path = put(tmp_path / "box", 2 * (ENVELOPE + b"To: b\nMessage-ID: 1\n\nwords\n" + body + b"\n"))
    letters = read(path).parts
    assert [part.page for part in letters] == [1, 2]
    assert "From 10:30 on we talked.\n\nFrom here it went on." in letters[1].content


def test_a_letter_above_the_limit_in_a_mailbox(tmp_path):
    path = put(tmp_path / "box", ENVELOPE + b"To: b\nMessage-ID: 1\n\n" + b"tulips " * 1_000)
    with pytest.raises(LimitExceeded, match="bytes in a message, above the limit of 1,000; raise `memory_bytes`"):
        read(path, Limits(memory_bytes=8_000))


def test_a_letter_above_the_limit(tmp_path):
    path = put(tmp_path / "m", letter("tulips " * 1_000, Subject="S"))
    with pytest.raises(LimitExceeded, match="bytes, above the limit of 1,000; raise `memory_bytes` to read it"):
        read(path, Limits(memory_bytes=8_000))


def test_a_subject_made_to_be_read_for_ever_is_cut(tmp_path):
    path = put(tmp_path / "m", b"To: b\nMessage-ID: 1\nSubject: " + b"=?utf-8?q?ab?= " * 1_000_000 + b"\n\nwords")
    assert str(read(path).fields["title"]).startswith("ab" * 1_000)
