"""Filters that would eat the machine are refused in words before the SQL engine sees them; useful ones are not."""

from __future__ import annotations

from contextlib import suppress

import lance
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from duretrieval.errors import QueryError
from duretrieval.index import filter_cost
from duretrieval.index.filters import check

FIELDS = {"width": "integer", "name": "text", "price": "number", "taken": "date", "fits": "boolean", "repeat": "text"}


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    table = pa.table(
        {
            "width": pa.array([1, 2, 3]),
            "name": ["a.jpg", "b.png", None],
            "price": [1.5, 2.5, None],
            "taken": pa.array([0, 1, 2], pa.timestamp("us", "UTC")),
            "fits": [True, False, None],
            "repeat": ["x", "y", "z"],
        }
    )
    return lance.write_dataset(table, str(tmp_path_factory.mktemp("lance") / "rows"))


@pytest.mark.parametrize(
    "call",
    [
        "repeat('a', 1000000000)",
        "REPEAT('a', 1000000000)",
        "repeat ('a', 1000000000)",
        "lpad(name, 1000000000)",
        "rpad(name, 1000000000, 'x')",
        "concat(name, name)",
        "concat_ws(',', name, name)",
        "replace(name, 'a', 'aaaaaaaaaaaaaaaaaaaaaaaa')",
        "translate(name, 'a', 'b')",
        "regexp_like(name, '(.{0,100}){0,100}x')",
        "regexp_match(name, '(a+)+b')",
        "regexp_replace(name, 'a', 'aaaaaaa', 'g')",
        "power(width, 1000)",
        "factorial(20)",
        "md5(name)",
        "sha512(name)",
        "array_length(range(0, 100000000))",
        "range(0, 100000000)",
        "generate_series(0, 100000000)",
        "array_repeat(1, 100000000)",
        "make_array(1, 2)",
        "random()",
        "uuid()",
        "to_hex(width)",
        "levenshtein(name, name)",
        "json_extract(name, '$')",
        "get_field(name, 'x')",
        "arrow_cast(width, 'Utf8')",
        "exists(width)",
        "sum(width)",
        "timestamp('2024-01-01')",
        "names(width)",
    ],
)
def test_only_plain_functions_are_called(call):
    name = call.split("(")[0].strip().lower()
    for frame in ("{} = 'x'", "width > 1 AND (name = {})", "length(lower({})) > 1", "width IN ({})"):
        with pytest.raises(QueryError, match=f"no function '{name}' in filters .* There are: abs, btrim, cast, char_"):
            check(frame.replace("{}", call), FIELDS)


def test_a_misspelt_function_is_answered_with_the_one_that_was_meant():
    with pytest.raises(QueryError, match=r"no function 'lenght' in filters \(in 'lenght.*Did you mean 'length'\?"):
        check("lenght(name) > 3", FIELDS)


@pytest.mark.parametrize("where", ["`repeat`('a', 1000000000) = 'x'", "`width` (3) = 1"])
def test_a_field_is_not_called(where):
    with pytest.raises(QueryError, match="is a field and cannot be called"):
        check(where, FIELDS)


@pytest.mark.parametrize("where", ["width::repeat = 1", "cast(width AS utf8view) = 'x'", "width::width = 1"])
def test_only_plain_types_are_cast_to(where):
    with pytest.raises(QueryError, match=r"no type .* in filters .* There are: bigint, boolean"):
        check(where, FIELDS)


@pytest.mark.parametrize(
    ("where", "message"),
    [
        ("name || name = 'x'", r"'\|\|' cannot be used in a filter .* compare each of the texts by itself"),
        ("width = 1 -- ) OR (width = 2", "'--' cannot be used .* begin a comment; put a space between the signs"),
        ("width = 1 /* ) */", r"'/\*' cannot be used .* begin a comment"),
        ("width = --1", "begin a comment"),
    ],
)
def test_signs_that_are_refused(where, message):
    with pytest.raises(QueryError, match=message):
        check(where, FIELDS)


@pytest.mark.parametrize(
    "where",
    [
        "width > " + "+".join(["1"] * 1000),
        "width > " + "+".join(["width"] * 1000),
        "width > 1" + " - - 1" * 500,
        "fits" + " = fits" * 1000,
        "fits" + " IS NULL" * 1000,
        "width" + "::int" * 1000 + " = 1",
        "NOT " * 1000 + "fits",
        " OR ".join(["width = 1"] * 1000),
        "width IN (" + "+".join(["1"] * 1000) + ")",
        "width IN (" + ", ".join(["1 - - 1"] * 1000) + ")",
    ],
)
def test_a_chain_that_would_end_the_process_is_refused(where):
    with pytest.raises(QueryError, match=r"has [\d,]+ operators, above 100; write field IN \('a', 'b'"):
        check(where, FIELDS)


@pytest.mark.parametrize("where", [" OR ".join(["fits"] * 600), f"coalesce({', '.join(['name'] * 600)}) = 'x'"])
def test_too_many_pieces_are_refused(where):
    with pytest.raises(QueryError, match="words, signs and values, above 1,000"):
        check(where, FIELDS)


@pytest.mark.parametrize("where", ["(" * 31 + "width = 1" + ")" * 31, "lower(" * 31 + "name" + ")" * 31 + " = 'x'"])
def test_brackets_too_deep_are_refused(where):
    with pytest.raises(QueryError, match="brackets 31 deep, above 30; leave out some of them"):
        check(where, FIELDS)


def test_a_filter_too_long_is_refused_and_its_message_is_short():
    with pytest.raises(
        QueryError, match="the filter has 60,009 characters, above 50,000; ask for fewer values"
    ) as long:
        check("name = '" + "x" * 60_000 + "'", FIELDS)
    assert len(str(long.value)) < 300
    with pytest.raises(QueryError) as wide:
        check("nonsense" * 5000 + " = 1", FIELDS)
    assert len(str(wide.value)) < 1000


AT_THE_BOUNDS = [
    "width > " + "+".join(["width"] * 99) + " + 1",
    "fits" + " = fits" * 100,
    "fits" + " IS NULL" * 100,
    "width" + "::int" * 99 + " = 1",
    " OR ".join(["width = 1"] * 100),
    " OR ".join(["fits"] * 500),
    "(" * 30 + "width = 1" + ")" * 30,
    "lower(" * 30 + "name" + ")" * 30 + " = 'x'",
    "width IN (" + ", ".join(map(str, range(-4000, 4000))) + ")",
    "name IN (" + ", ".join(f"'{n}.jpg'" for n in range(4000)) + ")",
    "name LIKE '" + "%a" * 20_000 + "'",
    " OR ".join(["name ILIKE '" + "%a_" * 100 + "b'"] * 100),
    f"coalesce({', '.join(['name'] * 490)}) = 'x'",
]


@pytest.mark.parametrize("where", AT_THE_BOUNDS, ids=lambda where: where[:20])
def test_what_is_just_within_the_bounds_is_answered_by_the_engine(data, where):
    sql = check(where, FIELDS).sql
    with suppress(ValueError, OSError):  # refused in words, by the engine itself
        data.scanner(columns=["width"], filter=sql).to_table()
    assert data.count_rows("width = 1") == 1


@pytest.mark.parametrize(
    ("where", "rows"),
    [
        ("lower(name) LIKE '%.JPG' OR upper(name) LIKE '%.JPG'", 1),
        ("starts_with(name, 'a') AND ends_with(name, 'g') AND contains(name, '.j')", 1),
        ("left(name, 1) = 'b' AND right(name, 3) = 'png' AND strpos(name, 'n') > 0", 1),
        ("length(name) = 5 AND char_length(btrim(name)) = 5", 2),
        ("coalesce(name, 'none') = 'none'", 1),
        ("abs(width) = 2 AND round(price) = 3", 1),
        ("taken < now() AND date_part('year', taken) = 1970", 3),
        ("date_trunc('year', taken) = timestamp '1970-01-01T00:00:00+00:00'", 3),
        ("cast(width AS string) = '2' OR price::int = 1", 2),
        ("width IN (-1, 2, 3) AND NOT fits IS NULL", 1),
        ("width % 2 = 0 AND width * 2 - 1 = 3 AND price BETWEEN 2 AND 3", 1),
    ],
)
def test_what_archives_need_is_answered(data, where, rows):
    assert data.scanner(columns=["width"], filter=check(where, FIELDS).sql).to_table().num_rows == rows


@pytest.mark.parametrize("name", sorted(filter_cost.FUNCTIONS - {"cast", "try_cast", "coalesce"}))
def test_every_function_in_the_list_is_known_to_the_engine(data, name):
    """With one argument too many, it complains of those and not of the name."""
    with pytest.raises(ValueError, match="No function matches the given name and argument types"):
        data.scanner(columns=["width"], filter=f"{name}(1, 2, 3, 4) = 3").explain_plan()


@pytest.mark.parametrize("kind", sorted(filter_cost.TYPES - {"decimal"}))
def test_every_type_in_the_list_is_known_to_the_engine(data, kind):
    where = f"try_cast(name AS {kind}) IS NULL OR width = 1"
    assert data.scanner(columns=["width"], filter=check(where, FIELDS).sql).to_table().num_rows


WORDS = [
    *"()+-*/%,=<>",
    "::",
    "||",
    "--",
    "/*",
    "and",
    "or",
    "not",
    "is",
    "null",
    "in",
    "like",
    "between",
    "cast",
    "as",
]


@given(
    st.lists(
        st.sampled_from([*WORDS, "cast", "int", "repeat", "lower", "width", "`name`", "fits", "1", "'x'"]), max_size=40
    )
)
def test_any_words_are_answered_or_refused(words):
    with suppress(QueryError):
        sql = check(" ".join(words), FIELDS).sql
        assert "repeat(" not in sql.replace(" ", "")
