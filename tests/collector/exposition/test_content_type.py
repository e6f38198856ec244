import pytest

from collector.errors import ContentTypeError
from collector.exposition import OPENMETRICS, TEXT, Format, format_of


@pytest.mark.parametrize(
    ("content_type", "form"),
    [
        ("text/plain", TEXT),
        ("text/plain; version=0.0.4; charset=utf-8", TEXT),
        ("Text/Plain ;version=0.0.4", TEXT),
        ("application/openmetrics-text; version=1.0.0; escaping=allow-utf-8", OPENMETRICS),
    ],
)
def test_content_type_names_the_format(content_type: str, form: Format) -> None:
    assert format_of(content_type) is form
    assert format_of(content_type, fallback=TEXT if form is OPENMETRICS else OPENMETRICS) is form


@pytest.mark.parametrize("content_type", ["", "text/html; charset=utf-8", "application/json", ";", "text"])
def test_fallback_stands_in_for_a_missing_or_unknown_content_type(content_type: str) -> None:
    assert format_of(content_type, fallback=TEXT) is TEXT
    with pytest.raises(ContentTypeError, match="fallback_scrape_protocol is not set"):
        format_of(content_type)
