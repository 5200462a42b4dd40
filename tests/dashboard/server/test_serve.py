"""`blood serve`: its options and errors, what it gives to strangers, and that nothing is left behind."""

from __future__ import annotations

import argparse
import http.client
import json
import os
import re
import socket
import struct
import sys
import tempfile
import time
import uuid
from pathlib import Path

import pytest

from blood_lib.__main__ import main
from blood_lib.bundle import Bundle
from blood_lib.dashboard.server import serve
from blood_lib.dashboard.server.config import POLICY, OneKernelSpec, build_config
from blood_lib.dashboard.server.handlers import is_sound_frame
from blood_lib.dashboard.server.script_bundle import join_scripts, list_chunks
from blood_lib.dashboard.state.messages import LANGUAGES, Messages
from blood_lib.files.errors import BloodError
from tests.tools.serving import Running, is_alive, serving, wait_for

V1 = "v1.kernel.websocket.jupyter.org"


# --- the command line ---


def parse(*options: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    serve.add_parser(parser.add_subparsers())
    return parser.parse_args(["serve", *options])


def test_the_defaults_are_those_of_the_manual() -> None:
    args = parse()
    assert (args.port, args.bundle, args.open) == (8866, None, False)


@pytest.mark.parametrize("port", ["0", "70000", "http", "-1"])
def test_a_port_that_is_none_is_wrong_usage(port: str, capsys: pytest.CaptureFixture) -> None:
    with pytest.raises(SystemExit) as caught:
        parse("--port", port)
    assert caught.value.code == 2
    assert "1 to 65535" in capsys.readouterr().err


def test_a_port_in_use_is_told_together_with_a_free_one(
    tiny_bundle: Bundle, capsys: pytest.CaptureFixture
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert main(["serve", "--port", str(port), "--bundle", str(tiny_bundle.path)]) == 1
        message = capsys.readouterr().err
        free = int(re.search(r"--port (\d+)", message)[1])
    assert f"port {port} is in use" in message
    assert free != port
    serve.check_port(free)


def test_a_missing_bundle_is_told_before_anything_starts(
    tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    assert main(["serve", "--bundle", str(tmp_path / "none")]) == 1
    assert "bundle.json" in capsys.readouterr().err


def test_the_notebook_is_found_in_a_checkout_and_in_an_installed_package(tmp_path: Path, monkeypatch) -> None:
    assert serve.find_notebook().name == "dashboard.ipynb"
    installed = tmp_path / "blood_lib" / "dashboard"
    (installed / "server").mkdir(parents=True)
    monkeypatch.setattr(serve, "__file__", str(installed / "server" / "serve.py"))
    with pytest.raises(BloodError, match="install"):
        serve.find_notebook()
    (installed / "dashboard.ipynb").touch()
    assert serve.find_notebook() == installed / "dashboard.ipynb"


# --- settings ---


def test_settings_are_those_for_strangers() -> None:
    config = build_config(n_ready=1, max_visitors=5)
    assert config.VoilaConfiguration.file_allowlist == []
    assert config.VoilaConfiguration.allow_template_override == "NO"
    assert not config.VoilaConfiguration.show_tracebacks
    assert not config.VoilaExecutor.store_widget_state
    assert config.MappingKernelManager.cull_idle_timeout > 0
    assert config.Voila.ip == "localhost"


@pytest.mark.parametrize("folder", ["/tmp", f"/var/folders/zz/{'x' * 30}/T", f"/tmp/{'x' * 90}"])
def test_a_kernels_socket_has_a_path_that_every_system_takes(
    folder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", folder)
    config = build_config(n_ready=1, max_visitors=5)
    assert config.KernelManager.transport == "ipc"
    assert len(f"{config.Voila.connection_dir_root}/voila_12345678/kernel-{uuid.uuid4()}-ipc-5") <= 103
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    with pytest.raises(BloodError, match="set TMPDIR to one of 38 letters at most"):
        build_config(n_ready=1, max_visitors=5)


def test_kernels_are_this_python_whatever_the_machine_offers_and_keep_no_history() -> None:
    spec = OneKernelSpec().get_kernel_spec("anything")
    assert spec.argv[0] == sys.executable
    assert "--HistoryManager.enabled=False" in spec.argv
    assert spec.env["MALLOC_ARENA_MAX"] == "2"  # or memory grows with every upload


def test_the_policy_allows_no_other_host_and_no_script_from_within_the_page() -> None:
    assert "default-src 'none'" in POLICY
    assert "unsafe-eval" not in POLICY
    assert not re.search(r"script-src[^;]*'unsafe-inline'", POLICY)
    assert not re.search(r"https?:|\*|wss?:", POLICY)


def frame(*parts: bytes) -> bytes:
    """A message of the v1 protocol: count, offsets, parts."""
    offsets = [8 * (len(parts) + 2)]
    for part in parts:
        offsets.append(offsets[-1] + len(part))
    return struct.pack(f"<{len(offsets) + 1}Q", len(offsets), *offsets) + b"".join(parts)


def test_a_true_frame_is_taken_and_false_ones_are_not() -> None:
    good = frame(b"shell", b"{}", b"{}", b"{}", b"{}")
    assert is_sound_frame(good)
    huge = struct.pack("<Q", 2**64 - 1) + good[8:]
    for bad in (huge, good[:20], b"", b"abc", "text", good + b"more", frame(*[b""] * 1000)):
        assert not is_sound_frame(bad)


# --- a server that runs ---


@pytest.fixture(scope="module")
def server(tiny_bundle: Bundle, tmp_path_factory: pytest.TempPathFactory):
    with serving(tmp_path_factory.mktemp("serve"), bundle=tiny_bundle.path) as running:
        yield running


def get(server: Running, path: str, **headers: str) -> tuple[int, dict[str, str], str]:
    connection = http.client.HTTPConnection("localhost", server.port, timeout=120)
    connection.request("GET", path, headers=headers)
    answer = connection.getresponse()
    found = answer.status, dict(answer.getheaders()), answer.read().decode("utf-8", "replace")
    connection.close()
    return found


@pytest.mark.slow
def test_health_is_answered_without_a_kernel(server: Running) -> None:
    wait_for(lambda: len(server.kernels()) == 1)  # the one that is kept warm
    assert get(server, "/health")[::2] == (200, "ok\n")
    assert len(server.kernels()) == 1


@pytest.mark.slow
def test_scripts_travel_compressed(server: Running) -> None:
    _, _, whole = get(server, "/voila/static/voila.js")
    _, headers, compressed = get(server, "/voila/static/voila.js", **{"Accept-Encoding": "gzip"})
    assert headers["Content-Encoding"] == "gzip"
    assert len(compressed) < len(whole) / 2
    again = {"Accept-Encoding": "gzip", "If-None-Match": headers["Etag"]}
    assert get(server, "/voila/static/voila.js", **again)[0] == 304  # a browser that has it needs it no more
    assert "Could not open" not in server.log.read_text()
    assert get(server, "/voila/static/none.js", **{"Accept-Encoding": "gzip"})[0] in {403, 404}


def test_every_piece_of_the_page_is_found_and_keeps_its_own_strictness() -> None:
    pieces = list_chunks()
    assert [address for address, path in pieces.items() if path is None] == []
    assert join_scripts().count(b"(function () {") >= len(pieces)
    assert not join_scripts().startswith(b'"use strict"')


@pytest.mark.slow
def test_the_pieces_come_as_one_file_that_a_browser_may_keep(server: Running) -> None:
    address = re.search(r'"(/scripts/\w+\.js)"', get(server, "/")[2])[1]
    status, headers, whole = get(server, address)
    assert (status, whole) == (200, join_scripts().decode())
    assert "immutable" in headers["Cache-Control"]
    _, headers, compressed = get(server, address, **{"Accept-Encoding": "gzip"})
    assert headers["Content-Encoding"] == "gzip" and len(compressed) < len(whole) / 2
    assert get(server, "/scripts/other.js")[0] == 404


@pytest.mark.slow
def test_extensions_travel_compressed_and_mathjax_is_replaced(server: Running) -> None:
    page = get(server, "/")[2]
    config = json.loads(re.search(r'id="jupyter-config-data"[^>]*>(.*?)</script>', page, re.S)[1])
    loads = {one["name"]: one["load"] for one in config["federated_extensions"]}
    for name in ("plain-text", "anywidget"):
        path = f"/voila/labextensions/{name}/{loads[name]}"
        status, headers, _ = get(server, path, **{"Accept-Encoding": "gzip"})
        assert (status, headers["Content-Encoding"]) == (200, "gzip")
        assert "Content-Encoding" not in get(server, path)[1]


@pytest.mark.slow
def test_the_page_comes_with_the_policy_and_without_inline_scripts(server: Running) -> None:
    status, headers, page = get(server, "/")
    assert status == 200
    assert headers["Content-Security-Policy"] == POLICY
    assert headers["X-Content-Type-Options"] == "nosniff"
    scripts = re.findall(r"<script([^>]*)>", page)
    assert scripts
    assert all("src=" in script or "json" in script for script in scripts)
    assert not re.findall(r'(?:src|href)="(?:https?:)?//', page)


@pytest.mark.slow
def test_the_page_has_its_first_words_in_every_language(server: Running) -> None:
    """It is made before anyone asks for it, so the browser picks."""
    words = json.loads(re.search(r'id="words"[^>]*>(.*?)</script>', get(server, "/")[2], re.S)[1])
    assert set(words) == set(LANGUAGES)
    assert words["es"]["starting"] == Messages("es")("page.starting")


@pytest.mark.slow
@pytest.mark.parametrize(
    "path",
    [
        "/voila/files/README.md",
        "/voila/files/dashboard.ipynb",
        "/voila/files/blood_lib/bundles/pbc/bundle.json",
        "/dashboard.ipynb",
        "/voila/tree",
        "/voila/render/dashboard.ipynb",
        "/api/kernels",
        "/api/contents",
        "/voila/api/contents/",
        "/voila/static/../../../../etc/passwd",
    ],
)
def test_no_file_and_no_other_notebook_is_given_out(server: Running, path: str) -> None:
    assert get(server, path)[0] in {403, 404, 405}


@pytest.mark.slow
def test_a_strange_host_name_gets_no_answer(server: Running) -> None:
    assert get(server, "/", Host="evil.example")[0] == 403


def upgrade(server: Running, kernel: str, protocol: str | None) -> int:
    """The answer to opening the kernel's socket."""
    headers = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    }
    if protocol is not None:
        headers["Sec-WebSocket-Protocol"] = protocol
    connection = http.client.HTTPConnection("localhost", server.port, timeout=60)
    connection.request("GET", f"/api/kernels/{kernel}/channels", headers=headers)
    status = connection.getresponse().status
    connection.close()
    return status


@pytest.mark.slow
def test_a_socket_without_the_sub_protocol_is_refused_and_with_it_opened(server: Running) -> None:
    page = get(server, "/?")[2]
    config = json.loads(re.search(r'id="jupyter-config-data"[^>]*>(.*?)</script>', page, re.S)[1])
    assert upgrade(server, config["kernelId"], None) == 400
    assert upgrade(server, config["kernelId"], "other") == 400
    assert upgrade(server, config["kernelId"], V1) == 101


@pytest.mark.slow
def test_the_kernel_that_waits_is_no_visitor_and_no_place_either(tiny_bundle: Bundle, tmp_path: Path) -> None:
    with serving(tmp_path, "--visitors", "1", bundle=tiny_bundle.path) as server:
        wait_for(lambda: len(server.kernels()) == 1)
        time.sleep(2)  # it is a kernel to the server a moment after it is a process
        assert get(server, "/")[0] == 200
        assert get(server, "/")[0] == 503
        wait_for(lambda: len(server.kernels()) == 2)  # the next one is started when the page has had its time
        time.sleep(2)
        assert get(server, "/")[0] == 503


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_more_visitors_than_places_are_told_so_and_ctrl_c_ends_every_kernel(
    tiny_bundle: Bundle, tmp_path: Path
) -> None:
    options = ("--visitors", "1", "--ready", "0")
    with serving(tmp_path, *options, bundle=tiny_bundle.path) as server:
        assert get(server, "/?template=nope&theme=nope")[0] == 200
        status, _, page = get(server, "/")
        assert status == 503
        assert Messages("en")("page.full") in page
        spanish = get(server, "/", **{"Accept-Language": "es-ES,es;q=0.9,en;q=0.8"})[2]
        assert Messages("es")("page.full") in spanish and 'lang="es"' in spanish
        kernels = server.kernels()
        assert len(kernels) == 1
        assert server.interrupt() == 0
        wait_for(lambda: not any(map(is_alive, kernels)), 30)
        log = server.log.read_text()
    assert "Traceback" not in log
    assert "Stopping" in log
