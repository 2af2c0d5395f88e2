"""`lmmscope mcp`, spoken to over standard input and output by the protocol's own client."""

import asyncio
import base64
import io
import os
import sys

import pytest
from PIL import Image
from typer.testing import CliRunner

from lmmscope import mcp_command
from lmmscope.cli import app
from tools.registry import NAMES, named
from toybox.planted import plant

SKIPPED = 'NO MCP: nothing of it is tested. Try pip install "lmmscope[mcp]"'
mcp = pytest.importorskip("mcp", reason=SKIPPED)
FEATURE = next(number for number, one in enumerate(plant(0)) if one.rule == "single")
FEW = {"LMMSCOPE_DATA__EXPLORE_PICTURES": "80", "LMMSCOPE_DATA__HELD_OUT_PICTURES": "40"}


def spoken(folder, talk, *options):
    """What somebody gets to hear who talks with a fresh server."""
    server = mcp.StdioServerParameters(
        command=sys.executable,
        args=["-m", "lmmscope", "mcp", "--planted-seed", "0", "--runs", str(folder), *options],
        env={name: value for name, value in os.environ.items() if name != "COLUMNS"} | FEW,
    )

    async def session():
        async with mcp.Client(server) as client:
            return await talk(client)

    return asyncio.run(session())


@pytest.fixture(scope="module")
def heard(tmp_path_factory):
    """One conversation: tools, calls that work, calls that don't, resources."""

    async def talk(client):
        told = {"tools": (await client.list_tools()).tools}
        gathered = await client.call_tool("top_images", {"feature": FEATURE, "top": 2})
        told["gathered"] = gathered
        asked = {"evidence": gathered.structured_content["evidence"], "sheet": True, "limit": 2}
        told["rendered"] = await client.call_tool("render_masks", asked)
        told["sealed"] = await client.call_tool("top_images", {"feature": FEATURE, "split": "test"})
        told["wrong"] = await client.call_tool("top_images", {"features": FEATURE})
        told["costly"] = await client.call_tool("explain", {"evidence": asked["evidence"]})
        told["unknown"] = await client.call_tool("top_image", {})
        sheet = told["rendered"].structured_content["sheet"]
        told["sheet"] = await client.read_resource(f"lmmscope://artefacts/{sheet}")
        told["resources"] = (await client.list_resources()).resources
        with pytest.raises(mcp.MCPError) as raised:
            await client.read_resource("lmmscope://artefacts/../../etc/passwd")
        told["outside"] = str(raised.value)
        return told

    return spoken(tmp_path_factory.mktemp("runs"), talk)


def test_only_tools_that_cost_nothing_are_offered_with_the_schemas_that_they_have(heard):
    reads = [name for name in NAMES if named(name).risk == "reads"]
    assert [one.name for one in heard["tools"]] == reads
    for one in heard["tools"]:
        assert one.input_schema == named(one.name).arguments.model_json_schema()
        assert one.annotations.read_only_hint


def test_a_result_is_the_tools_own(heard):
    told = named("top_images").result.model_validate(heard["gathered"].structured_content)
    assert told.feature == FEATURE
    assert named("top_images").result.model_validate_json(heard["gathered"].content[0].text) == told


def test_pictures_come_along_the_sheet_first(heard):
    sheet = heard["rendered"].content[1]
    assert sheet.mime_type == "image/png"
    (kept,) = heard["sheet"].contents
    assert pixels(kept.blob).size >= pixels(sheet.data).size
    named_in_it = heard["rendered"].structured_content["pictures"]
    shown = len({one["shown"] for one in named_in_it})
    assert len(heard["rendered"].content) == 2 + shown


@pytest.mark.parametrize(
    ("call", "said"),
    [
        ("sealed", "The split test is sealed"),
        ("wrong", "top_images: feature"),
        ("costly", "--allow asks-models"),
        ("unknown", "Did you mean top_images?"),
    ],
)
def test_what_a_tool_cannot_do_is_told_to_whoever_asked(heard, call, said):
    assert heard[call].is_error
    assert said in heard[call].content[0].text


def test_nothing_but_artefacts_is_read(heard):
    assert "is no artefact" in heard["outside"]


def test_findings_are_resources(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    with pytest.MonkeyPatch.context() as patch:
        for name, value in FEW.items():
            patch.setenv(name, value)
        asked = ("batch", "--features", str(FEATURE), "--no-steer", "--planted-seed", "0")
        assert CliRunner().invoke(app, [*asked, "--runs", str(folder)]).exit_code == 0

    async def talk(client):
        listed = (await client.list_resources()).resources
        texts = [(await client.read_resource(one.uri)).contents[0].text for one in listed]
        found = await client.call_tool("search_findings", {"feature": FEATURE})
        tools = [one.name for one in (await client.list_tools()).tools]
        return listed, texts, found.structured_content["found"], tools

    listed, texts, found, tools = spoken(folder, talk, "--allow", "long")
    assert listed[0].uri == "lmmscope://status"
    assert "1 findings" in texts[0]
    assert f'"feature":{FEATURE}' in texts[1]
    assert [one["finding"] for one in found] == [listed[1].name]
    assert sorted(tools) == sorted(NAMES)


def pixels(data):
    return Image.open(io.BytesIO(base64.b64decode(data)))


def test_what_may_be_allowed_is_named():
    told = CliRunner().invoke(app, ["mcp", "--allow", "everything"])
    assert told.exit_code == 2
    assert "--allow asks-models or long" in told.stderr


def test_without_the_package_the_extra_is_named(monkeypatch):
    monkeypatch.setattr(mcp_command, "find_spec", lambda _: None)
    told = CliRunner().invoke(app, ["mcp"])
    assert told.exit_code == 2
    assert told.stderr.strip().endswith('Try pip install "lmmscope[mcp]"')
