"""Answers: their form is kept, their ids become links, and nothing else of theirs does."""

import pytest

from review.markdown import answer_html, linked

ID = "0123456789ab"


def test_the_form_of_an_answer_is_kept():
    html = answer_html("**bold**\n\n- one\n- two\n\n| a | b |\n|---|---|\n| 1 | 2 |")
    assert "<strong>bold</strong>" in html
    assert html.count("<li>") == 2
    assert "<td>2</td>" in html


def test_what_is_cited_is_linked():
    html = answer_html(f"it is so (finding {ID}cdef, evidence [{ID}])")
    assert f'href="/findings/{ID}cdef"' in html
    assert f'href="/evidence/{ID}"' in html


@pytest.mark.parametrize(
    "text",
    ["[click](http://evil.example)", "[click](javascript:alert(1))", "<http://evil.example>",
     "![see](http://evil.example/a.png)", "[a]: http://evil.example\n\n[a]",
     "<img src=x onerror=alert(1)>",
     "<script>alert(1)</script>", "[click](/runs)", "http://evil.example",
     "| <b>x</b> |\n|---|\n| <i>y</i> |",
     "`<script>`", "```<script>\n<script>\n```", "&lt;script&gt;"],
)  # fmt: skip
def test_nothing_of_a_model_becomes_a_link_picture_or_tag(text):
    html = answer_html(text)
    for tag in ("<a", "<img", "<script", "<b>", "<i>", "onerror=x"):
        assert tag not in html


def test_plain_texts_are_escaped_around_their_links():
    assert linked(f"<b> [{ID}]").startswith("&lt;b&gt; <a ")
    assert linked("[not an id] finding it") == "[not an id] finding it"
