"""The loader is strict: a prompt that lost a variable would still get an answer, a worse one."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prompts import Prompt, PromptError, load

GOOD = "---\nversion: 2\nrole: judge\noutput: [01]\n---\nIs {{it}} a {{kind}}?\n"


@pytest.fixture
def written(tmp_path):
    def write(content: str) -> Prompt:
        (tmp_path / "asked.md").write_text(content)
        return load("asked", tmp_path)

    return write


def test_load_reads_front_matter_body_and_hash(written):
    prompt = written(GOOD)
    assert (prompt.name, prompt.version, prompt.role, prompt.output) == (
        "asked",
        2,
        "judge",
        "[01]",
    )
    assert prompt.body == "Is {{it}} a {{kind}}?"
    assert prompt.content_hash == hashlib.sha256(GOOD.encode()).hexdigest()


def test_render_replaces_every_placeholder(written):
    assert written(GOOD).render(it="this", kind="car") == "Is this a car?"


@given(st.text())
def test_render_puts_values_in_verbatim(value):
    prompt = Prompt("p", 1, "judge", ".", "say {{a}}, {{b}}", "")
    assert prompt.render(a=value, b="x") == f"say {value}, x"


def test_render_does_not_expand_placeholders_inside_values(written):
    assert written(GOOD).render(it="{{kind}}", kind=r"\1") == r"Is {{kind}} a \1?"


def test_render_names_missing_and_superfluous_variables(written):
    with pytest.raises(PromptError, match="asked: missing kind; superfluous colour, size"):
        written(GOOD).render(it="this", size="", colour="")


def test_a_prompt_without_placeholders_refuses_variables():
    with pytest.raises(PromptError, match="superfluous description"):
        load("explain").render(description="a car")


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("Is it a car?", "expected a front matter"),
        ("---\nversion: 1\nrole: judge\noutput: x\n---\n", "expected a front matter"),
        (GOOD.replace("role: judge\n", ""), "lacks role"),
        (GOOD.replace("role:", "rôle:"), "unknown key 'rôle'"),
        (GOOD.replace("role: judge", "role: judge\nrole: planner"), "repeated key 'role'"),
        (GOOD.replace("role: judge", "role judge"), "not 'role judge'"),
        (GOOD.replace("role: judge", "role:"), "not 'role:'"),
        (GOOD.replace("version: 2", "version: two"), "whole number, not 'two'"),
        (GOOD.replace("[01]", "[01"), "no regular expression"),
        (GOOD.replace("{{it}}", "{{ it }}"), "lower case, without spaces"),
        (GOOD.replace("{{it}}", "{{It}}"), "lower case, without spaces"),
        (GOOD.replace("{{it}}", "{{it}"), "lower case, without spaces"),
    ],
)
def test_a_malformed_file_is_refused_with_its_fault(written, content, complaint):
    with pytest.raises(PromptError, match=r"asked\.md") as caught:
        written(content)
    assert complaint in str(caught.value)


def test_an_unknown_prompt_is_named_with_those_that_there_are():
    with pytest.raises(
        PromptError, match=r"No prompt 'judg' in .*Known: categorise, .*explain, .*judge, .*refine"
    ):
        load("judg")
