"""Text from outside shows as it is and does nothing. markdown-it, a CommonMark parser, is the judge."""

import html
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from incidentio.learn.markdown import inert

PARSER = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])

HOSTILE = [
    "[click](javascript:alert(1))",
    "![x](https://evil.example/p.png)",
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "a | b | c",
    "**bold** _it_ `code` ~~gone~~",
    "# title\n\n- item\n\n```\nfence",
    "https://evil.example/x?y=1",
    "www.evil.example",
    "<https://evil.example>",
    "[ref]: https://evil.example",
    "&lt;b&gt; &#60;",
    "back\\slash \\| \\`",
    "@everyone",
    "$x^2$",
]


def cell(text: str) -> str:
    """The text as a browser would show the table cell it stands in."""
    rendered = PARSER.render(f"| a | b |\n|---|---|\n| {inert(text)} | end |\n")
    cells = re.findall(r"<td>(.*?)</td>", rendered, re.DOTALL)
    assert len(cells) == 2, rendered
    assert cells[1] == "end"
    assert not re.search(r"<(?!/?(table|thead|tbody|tr|th|td)\b)", rendered), rendered
    return html.unescape(cells[0])


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_only_text(text: str) -> None:
    assert cell(text) == re.sub(r"\s+", " ", text)


@given(st.text(st.characters(min_codepoint=33, max_codepoint=0x2000), min_size=1, max_size=60))
def test_any_text_shows_exactly_itself(text: str) -> None:
    assert cell(text) == re.sub(r"\s+", " ", text).strip()


@pytest.mark.parametrize(
    "text", ["http://evil.example", "HTTPS://evil.example", "www.evil.example", "WWW.evil.example"]
)
def test_no_bare_link_is_left_for_viewers_that_make_links(text: str) -> None:
    assert not re.search(r"(?i)https?://|www\.", inert(text))
