"""Pictures by their ids, within limits, and never as they lie on the disk."""

import io
import struct
import zlib

import pytest
from PIL import Image, PngImagePlugin

from review.pictures import FOREVER, MOST_BYTES, Unreadable, decoded, written


def png_saying(width, height):
    """A PNG of a few bytes whose header says how large it is; nothing of it is there."""

    def chunk(kind, content):
        body = kind + content
        return struct.pack(">I", len(content)) + body + struct.pack(">I", zlib.crc32(body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = zlib.compress(b"\0" * 1000)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
    )


def opened(reply):
    return Image.open(io.BytesIO(reply.content))


def test_a_picture_is_served_by_its_id(client, picture):
    reply = client.get(f"/pictures/{picture}.png")
    assert reply.status_code == 200
    assert reply.headers["content-type"] == "image/png"
    assert reply.headers["cache-control"] == FOREVER
    assert opened(reply).size == (120, 60)
    assert opened(reply).getpixel((5, 5)) == (200, 30, 30)


def test_a_thumbnail_keeps_the_shape_and_never_enlarges(client, picture):
    assert opened(client.get(f"/pictures/{picture}.png?size=96")).size == (96, 48)
    assert opened(client.get(f"/pictures/{picture}.png?size=384")).size == (120, 60)


@pytest.mark.parametrize("size", ["97", "0", "-96", "100000", "96.0", "x"])
def test_only_a_few_sizes_are_made(client, picture, size):
    assert client.get(f"/pictures/{picture}.png?size={size}").status_code == 422


def test_a_browser_that_has_it_is_not_sent_it_again(client, picture):
    first = client.get(f"/pictures/{picture}.png?size=96")
    again = {"if-none-match": f'"other", {first.headers["etag"]}'}
    reply = client.get(f"/pictures/{picture}.png?size=96", headers=again)
    assert (reply.status_code, reply.content) == (304, b"")
    assert client.get(f"/pictures/{picture}.png", headers=again).status_code == 200


@pytest.mark.parametrize(
    "name",
    ["../findings.db", "..%2ffindings.db", "%2e%2e/%2e%2e/findings.db", "aa/" + "a" * 64, "A" * 64,
     "a" * 63, "a" * 65, "a" * 64 + "%00", "a" * 64 + "%0a", "/etc/passwd", "%2fetc%2fpasswd"],
)  # fmt: skip
def test_there_is_no_way_out_of_the_artefacts(client, store, name):
    (store.runs / "findings.db.png").write_bytes(png_saying(1, 1))
    assert client.get(f"/pictures/{name}.png").status_code in (404, 422)


def test_a_picture_that_is_not_there_is_not_found_however_often_it_was_seen(client, picture, store):
    path = store.artefacts.folder / picture[:2] / picture
    path.unlink()
    tag = f'"{picture[:32]}-whole"'
    reply = client.get(f"/pictures/{picture}.png", headers={"if-none-match": tag})
    assert reply.status_code == 404


@pytest.mark.parametrize("side", [30_000, 10_000, 2**31 - 1])
def test_a_pixel_bomb_is_refused_before_it_is_decoded(client, store, side):
    name = store.artefacts.put(png_saying(side, side))
    reply = client.get(f"/pictures/{name}.png")
    assert reply.status_code == 415
    assert "pixels" in reply.text or "no picture" in reply.text


def test_a_file_that_is_too_large_is_not_even_opened():
    with pytest.raises(Unreadable, match="bytes are more"):
        decoded(b"\x89PNG" + bytes(MOST_BYTES))


@pytest.mark.parametrize(
    "content",
    [b"", b"\x89PNG", b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", b'{"a": 1}',
     b"\x89PNG\r\n\x1a\n" + b"x" * 99, png_saying(0, 5), png_saying(400, 400)],
)  # fmt: skip
def test_what_is_no_picture_is_not_shown_as_one(client, store, content):
    name = store.artefacts.put(content)
    reply = client.get(f"/pictures/{name}.png")
    assert reply.status_code == 415
    assert b"onload" not in reply.content


def test_a_damaged_picture_is_not_shown(client, picture, store):
    path = store.artefacts.folder / picture[:2] / picture
    path.write_bytes(png_saying(4, 4))
    reply = client.get(f"/pictures/{picture}.png")
    assert reply.status_code == 404
    assert "damaged" in reply.text


def test_nothing_but_pixels_leaves_the_file():
    told = PngImagePlugin.PngInfo()
    told.add_text("scene", "where the umbrella is")
    file = io.BytesIO()
    Image.new("RGB", (4, 4)).save(file, "PNG", pnginfo=told)
    assert b"umbrella" in file.getvalue()
    assert b"umbrella" not in written(decoded(file.getvalue()))
