"""`/targets`: what people see of scraping."""

import re
from html import unescape
from urllib.parse import parse_qs, urlsplit

from tests.miniprom.api.harness import serving

CONFIG = """
scrape_configs:
- job_name: <b>
  static_configs: [{targets: ['127.0.0.1:2', '127.0.0.1:3'], labels: {__meta_x: '<script>'}}]
  relabel_configs:
  - {source_labels: [__address__], regex: '.*:3', action: drop}
- job_name: other
"""


def test_targets_and_what_was_dropped_are_shown_job_by_job() -> None:
    with serving(CONFIG) as api:
        api.start_scraping()
        page = api.get("/targets").text
    assert "<h2>&lt;b&gt; (0/1 up)</h2>" in page
    assert "<h2>other (0/0 up)</h2>" in page
    assert "<td>http://127.0.0.1:2/metrics</td><td>" in page
    assert "<code>instance=&quot;127.0.0.1:2&quot;</code>" in page
    assert "<summary>1 dropped</summary><ul>\n<li><details><summary>discovered: 127.0.0.1:3" in page


def test_what_targets_bring_is_text_and_no_markup() -> None:
    with serving(CONFIG) as api:
        api.start_scraping()
        page = api.get("/targets").text
    assert "<script>" not in page
    assert page.count("<code>__meta_x=&quot;&lt;script&gt;&quot;</code>") == 2


def test_page_leads_to_the_steps_of_relabelling() -> None:
    with serving(CONFIG) as api:
        api.start_scraping()
        link = unescape(re.findall(r'href="([^"]*)"', api.get("/targets").text)[1])
        path, query = urlsplit(link).path, parse_qs(urlsplit(link).query)
        steps = api.get(path, {name: values[0] for name, values in query.items()}).data["steps"]
    assert [step["keep"] for step in steps] == [False]


def test_one_job_can_be_chosen() -> None:
    with serving(CONFIG) as api:
        api.start_scraping()
        page = api.get("/targets", {"scrapePool": "other"}).text
    assert re.findall("<h2>.*</h2>", page) == ["<h2>other (0/0 up)</h2>"]
