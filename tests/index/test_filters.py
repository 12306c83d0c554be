from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from duretrieval.errors import QueryError, UnknownField
from duretrieval.index.filters import check, quoted, unusable

FIELDS = {
    "width": "integer",
    "ext": "text",
    "price": "number",
    "taken": "date",
    "类型": "text",
    "my field": "text",
    "Camera": "text",
    "in": "text",
    "date": "text",
    "interval": "integer",
}


@pytest.mark.parametrize(
    ("where", "sql"),
    [
        ("width > 3", "`width` > 3"),
        ("WIDTH > 3 and camera = 'x'", "`width` > 3 and `Camera` = 'x'"),
        ("类型 = '图' OR `my field` IS NULL", "`类型` = '图' OR `my field` IS NULL"),
        ("ext = 'it''s widht > 3'", "`ext` = 'it''s widht > 3'"),
        ("lower(ext) LIKE 'a%'", "lower(`ext`) LIKE 'a%'"),
        ("ext IN ('a',\n'b')", "`ext` IN ('a', 'b')"),
        ("`in` = 'x'", "`in` = 'x'"),
        ("date = 'x' AND interval = 3", "`date` = 'x' AND `interval` = 3"),
        ("width > 2.5 AND interval = 1", "CAST(`width` AS DOUBLE) > 2.5 AND `interval` = 1"),
        (
            "(width NOT BETWEEN 1 AND 2.5 OR width = 3) AND NOT width = 4",
            "(CAST(`width` AS DOUBLE) NOT BETWEEN 1 AND 2.5 OR `width` = 3) AND NOT `width` = 4",
        ),
        ("coalesce(width, 0.5) > interval", "coalesce(CAST(`width` AS DOUBLE), 0.5) > CAST(`interval` AS DOUBLE)"),
        ("price > 1e3", "`price` > 1e3"),
        ("cast(width as double) > 1 AND price::int = 1", "cast(`width` as double) > 1 AND `price`::int = 1"),
        ("taken > '2024'", "`taken` > timestamp '2024-01-01T00:00:00.000000+00:00'"),
        ("'2024-05' <= taken", "timestamp '2024-05-01T00:00:00.000000+00:00' <= `taken`"),
        ("taken = '2024-05-01T08:00:00+08:00'", "`taken` = timestamp '2024-05-01T00:00:00.000000+00:00'"),
        ("taken > date '2024-05-01'", "`taken` > date '2024-05-01'"),
        ("date '2024-05-01' < taken", "date '2024-05-01' < `taken`"),
        (
            "taken NOT BETWEEN '2024' AND '2025' AND ext = '2024'",
            "`taken` NOT BETWEEN timestamp '2024-01-01T00:00:00.000000+00:00' AND "
            "timestamp '2025-01-01T00:00:00.000000+00:00' AND `ext` = '2024'",
        ),
        ("taken IN ('2024-05-01') OR (ext IN ('b'))", None),
    ],
)
def test_what_the_store_gets_to_hear(where, sql):
    expected = sql or "`taken` IN (timestamp '2024-05-01T00:00:00.000000+00:00') OR (`ext` IN ('b'))"
    assert check(where, FIELDS).sql == expected


def test_the_names_a_filter_reads():
    assert check("WIDTH > 3 AND lower(ext) = 'price'", FIELDS).names == {"width", "ext"}


def test_a_typo_is_answered_with_the_name_that_was_meant():
    message = (
        r"no field 'widht' \(in the filter 'widht > 3'\)\. Did you mean 'width'\? There are: Camera, date, ext, in, "
        r"interval, `my field`, price, taken, width, 类型"
    )
    with pytest.raises(UnknownField, match=message):
        check("widht > 3", FIELDS)


@pytest.mark.parametrize("where", ["colour = 'red'", "e-f > 1", "N'x' = ext", "`width ` = 1", "_rowid = 1"])
def test_a_name_that_no_item_has(where):
    with pytest.raises(UnknownField, match="no field"):
        check(where, FIELDS)


def test_a_name_that_differs_in_case_alone_must_be_exact_where_there_are_two():
    fields = {"Width": "integer", "width": "integer"}
    assert check("Width > 1", fields).sql == "`Width` > 1"
    with pytest.raises(UnknownField, match="no field 'WIDTH'"):
        check("WIDTH > 1", fields)


@pytest.mark.parametrize(
    ("where", "message"),
    [
        ("", "the filter is empty; leave it out"),
        ("  ", "the filter is empty"),
        ('ext = "jpg"', "cannot be read from '\"jpg\"' on; write text in single quotes"),
        ("ext = 'jpg", "the quote is never closed"),
        ("`ext = 1", "the backtick is never closed"),
        ("ext = 'a'; drop table x", "';' has no meaning here"),
        ("ext = $1", r"'\$' has no meaning here"),
        ("(ext = 'a'", "brackets of the filter .* do not match"),
        ("ext = 'a') OR (ext = 'b'", "brackets of the filter .* do not match"),
        ("taken > '0001-01-01T00:00:00+14:00'", r"\+14:00' is no date in UTC, and field 'taken' holds dates"),
        ("taken > '9999-12-31T23:59:59-10:00'", "-10:00' is no date in UTC, and field 'taken' holds dates"),
        ("taken > 'tuesday'", "'tuesday' is no date, and field 'taken' holds dates; write '2024-05-31'"),
    ],
)
def test_what_cannot_be_read(where, message):
    with pytest.raises(QueryError, match=message):
        check(where, FIELDS)


def test_the_complaint_of_the_store_loses_its_source_code():
    raw = (
        "Invalid user input: Error parsing statement: SELECT 1 FROM t WHERE `width` >  "
        "(sql parser error: Expected: an expression, found: EOF), /home/x/rust/lance-datafusion/src/sql.rs:109:22"
    )
    message = str(unusable("width >", raw))
    assert message.startswith("the filter 'width >' cannot be used: ")
    assert "Expected: an expression" in message
    assert "rust" not in message
    assert "SELECT" not in message


@given(st.text())
def test_any_text_can_be_quoted(text):
    assert check(f"ext = {quoted(text)}", FIELDS).names == {"ext"}


@given(st.text(alphabet="width ext'`()=<>!.,0123456789ANDORNOT类-+;\"\\\n", max_size=30))
def test_any_filter_is_answered_or_refused(where):
    with suppress(QueryError):
        assert check(where, FIELDS).names <= FIELDS.keys()
