import pytest

from duretrieval.cli.limits import limits
from duretrieval.errors import ConfigError
from duretrieval.media.limits import Limits


def test_what_is_not_named_keeps_its_default() -> None:
    assert limits([]) == Limits()
    raised = limits(["max_pixels=4e8", "decode_timeout_s=2.5"])
    assert (raised.max_pixels, raised.decode_timeout_s, raised.max_pages) == (400_000_000, 2.5, Limits().max_pages)


@pytest.mark.parametrize(
    ("typed", "complaint"),
    [
        ("max_pixel=4", r"no limit 'max_pixel'\. Did you mean 'max_pixels'\?"),
        ("max_pixels=many", "expected a number, as in max_pixels=2.5e\\+08"),
        ("max_pixels", "expected a number"),
        ("max_pages=0", "a limit is above 0"),
        ("max_pixels=inf", "expected a number"),
        ("file_timeout_s=inf", "a limit is above 0, and has an end"),
        ("file_timeout_s=nan", "a limit is above 0"),
    ],
)
def test_what_cannot_be_used_is_said(typed: str, complaint: str) -> None:
    with pytest.raises(ConfigError, match=complaint):
        limits([typed])
