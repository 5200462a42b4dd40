"""Voilà set up for strangers: one notebook, one kernel per visitor, nothing on disk, nothing from elsewhere.

Every setting stands here in code; no configuration file of the machine can weaken it. The command line is
left to `serve.py`.
"""

from __future__ import annotations

import contextlib
import logging
import os
import sys
import tempfile
import webbrowser
from pathlib import Path
from typing import Any

import tornado.web
from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
from jupyter_server.base.handlers import FileFindHandler
from tornado.httpclient import AsyncHTTPClient
from tornado.ioloop import IOLoop
from tornado.web import GZipContentEncoding
from traitlets.config import Config
from voila.app import Voila
from voila.static_file_handler import MultiStaticFileHandler
from voila.tornado.handler import TornadoVoilaHandler
from voila.tornado.kernel_websocket_handler import VoilaKernelWebsocketHandler

from blood_lib.dashboard.app import BUNDLE_VARIABLE
from blood_lib.dashboard.server.compressed import ExtensionFiles, PageFiles
from blood_lib.dashboard.server.script_bundle import (
    ScriptBundleHandler,
    compress_script_bundle,
    name_script_bundle,
)
from blood_lib.dashboard.state.messages import LANGUAGES, Messages, choose_language
from blood_lib.files.errors import BloodError

__all__ = ["Server", "serve"]

TEMPLATES = Path(__file__).parent / "jupyter"
# Every upload is classified on new threads, and glibc would give each a heap of its own and keep it: 10 to
# 20 MB more after every thousand images; with two heaps, none.
KERNEL_ENV = {"MALLOC_ARENA_MAX": "2"}
PROTOCOL = "v1.kernel.websocket.jupyter.org"
IDLE_SECONDS = 30 * 60  # a kernel that no page has asked anything for so long is ended
MAX_PARTS = 64  # of one message; the uploader sends one buffer in each
REFILL_SECONDS = 5  # a kernel that starts takes a processor for seconds, which the page has a better use for

# Bytes of a socket's path: what a system takes (macOS; Linux four more), and what comes behind the folder,
# "/voila_12345678/kernel-<UUID>-ipc-5". A path that is too long opens no socket, and says nothing.
LONGEST_SOCKET, SOCKET_NAME = 103, 65

# Scripts come as files from this server, or as the text of a widget (blob:), never from within the page: what
# a file name might smuggle into some HTML does not run. The widgets need inline styles.
POLICY = "; ".join(
    [
        "default-src 'none'",
        "script-src 'self' blob:",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "font-src 'self' data:",
        "connect-src 'self'",
        "base-uri 'self'",
        "form-action 'none'",
        "frame-ancestors 'self'",
    ]
)
ERRORS = {403: "page.nothing", 404: "page.nothing", 503: "page.full"}  # what a page says that cannot be given
HEADERS = {
    "Content-Security-Policy": POLICY,
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Opener-Policy": "same-origin",
}


class OneKernelSpec(KernelSpecManager):
    """This very Python, whatever kernels the machine's configuration offers, and no history file."""

    def find_kernel_specs(self) -> dict[str, str]:
        return {"python3": ""}

    def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
        options = ["--HistoryManager.enabled=False", "--IPKernelApp.exec_PYTHONSTARTUP=False"]
        argv = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}", *options]
        return KernelSpec(argv=argv, env=KERNEL_ENV, display_name="Python 3", language="python")

    def get_all_specs(self) -> dict[str, Any]:
        return {"python3": {"resource_dir": "", "spec": self.get_kernel_spec("python3").to_dict()}}


class CheckedWebsocket(VoilaKernelWebsocketHandler):
    """Refuses what would make the server count to 2**64: legacy clients, and frames with false counts."""

    async def get(self, kernel_id: str) -> None:
        offered = self.request.headers.get("Sec-WebSocket-Protocol", "")
        if PROTOCOL not in [name.strip() for name in offered.split(",")]:
            raise tornado.web.HTTPError(400, "the kernel's sub-protocol is missing")
        await super().get(kernel_id)

    def on_message(self, ws_message: Any) -> None:
        if not is_sound_frame(ws_message):
            self.close(1003, "not a kernel message")
            return
        super().on_message(ws_message)


def is_sound_frame(frame: Any) -> bool:
    """Whether a frame of the v1 protocol has as many parts as it says, in order, and not too many."""
    if not isinstance(frame, bytes) or len(frame) < 8:
        return False
    n = int.from_bytes(frame[:8], "little")
    if not 2 <= n <= MAX_PARTS or len(frame) < 8 * (n + 1):
        return False
    offsets = [int.from_bytes(frame[8 * (i + 1) : 8 * (i + 2)], "little") for i in range(n)]
    return offsets == sorted(offsets) and offsets[0] == 8 * (n + 1) and offsets[-1] == len(frame)


class Page(TornadoVoilaHandler):
    """The dashboard; a visitor more than there are places for is told so."""

    async def get(self, path: str | None = None) -> None:
        if path:
            raise tornado.web.HTTPError(404)
        if len(self.kernel_manager) - self._n_warm() >= self.settings["max_visitors"]:
            raise tornado.web.HTTPError(503)
        await super().get(path)

    def _n_warm(self) -> int:
        """How many kernels wait for a visitor; Voilà counts those too that it is yet to start."""
        pools = getattr(self.kernel_manager, "_pools", {})
        return sum(kernel.done() for kernel in pools.get(self.notebook_path, ()))

    def should_use_rendered_notebook(self, *args: Any) -> bool:
        """A kernel that is yet to be started would come later than one that is started now."""
        return self._n_warm() > 0 and super().should_use_rendered_notebook(*args)

    def write_error(self, status_code: int, **_details: Any) -> None:
        self.set_header("Content-Type", "text/html; charset=utf-8")
        template = self.settings["voila_jinja2_env"].get_template("error.html")
        accepted = self.request.headers.get("Accept-Language", "").split(",")
        messages = Messages(choose_language(tag.partition(";")[0] for tag in accepted))
        page = template.render(
            language=messages.language,
            status_code=status_code,
            sentence=messages(ERRORS.get(status_code, "page.error")),
            home=messages("page.home"),
            base_url=self.base_url,
        )
        self.finish(page)


class Health(tornado.web.RequestHandler):
    """For whoever watches the server: answers without starting a kernel."""

    def get(self) -> None:
        self.set_header("Content-Type", "text/plain; charset=utf-8")
        self.set_header("Cache-Control", "no-store")
        self.finish("ok\n")


OURS = {
    VoilaKernelWebsocketHandler: CheckedWebsocket,
    TornadoVoilaHandler: Page,
    MultiStaticFileHandler: PageFiles,
    FileFindHandler: ExtensionFiles,
}


class Server(Voila):
    """Voilà with our handlers in place of the ones that are too trusting or too slow."""

    def load_config_file(self, *_args: Any, **_kwargs: Any) -> None:
        """Read no voila.json or voila.py, wherever one may lie."""

    def init_handlers(self) -> list[Any]:
        kept = [handler for handler in map(self._exchange, super().init_handlers()) if handler is not None]
        ours = [
            (f"{self.server_url}health", Health),
            (rf"{self.server_url}scripts/(\w+\.js)", ScriptBundleHandler),
        ]
        return [*ours, *kept]

    def _exchange(self, handler: tuple[Any, ...]) -> tuple[Any, ...] | None:
        pattern, kind, *rest = handler
        if "/voila/files/" in pattern:  # nothing of the notebook's folder is given out
            return None
        return (pattern, OURS.get(kind, kind), *rest)

    def listen(self) -> None:
        IOLoop.current().add_callback(self._announce)
        self.app.add_transform(GZipContentEncoding)  # a slow network feels the difference
        super().listen()

    async def _announce(self) -> None:
        """Say the address once it answers."""
        address = f"http://localhost:{self.port}{self.base_url}"
        await AsyncHTTPClient().fetch(f"{address}health", request_timeout=30)
        print(f"The dashboard is at {address.rstrip('/')}  (Ctrl-C ends it)", flush=True)
        await IOLoop.current().run_in_executor(None, compress_script_bundle)
        if self.open_page:
            webbrowser.open(address)

    open_page = False

    def initialize(self, argv: list[str] | None = None) -> None:
        super().initialize(argv)
        for log in (self.log, logging.getLogger("tornado.general")):
            log.addFilter(_matters)

    def stop(self) -> None:
        print("\nStopping ...", flush=True)
        with contextlib.suppress(FileNotFoundError):
            super().stop()


def _matters(record: logging.LogRecord) -> bool:
    """Not so: that the notebook is unsigned, and that Jupyter counts pings in ms where Tornado does in s."""
    text = record.getMessage()
    return "is not trusted" not in text and "websocket_ping_timeout" not in text


def serve(
    notebook: Path,
    *,
    port: int,
    bundle: Path,
    open_browser: bool = False,
    n_ready: int = 1,
    max_visitors: int = 24,
    public_name: str | None = None,
) -> None:
    """Serve `notebook` on localhost until Ctrl-C, with `n_ready` kernels started ahead of their visitors."""
    os.environ[BUNDLE_VARIABLE] = str(bundle)
    os.environ["JUPYTER_PATH"] = os.pathsep.join(
        filter(None, [str(TEMPLATES), os.environ.get("JUPYTER_PATH")])
    )
    config = build_config(n_ready=n_ready, max_visitors=max_visitors, public_name=public_name)
    server = Server(config=config, notebook_path=str(notebook), port=port)
    server.open_page = open_browser
    server.initialize([])
    server.start()


def build_config(*, n_ready: int, max_visitors: int, public_name: str | None = None) -> Config:
    """All settings of Voilà and of what lies beneath it."""
    config = Config()
    config.Voila.open_browser = False
    config.Voila.port_retries = 0
    config.Voila.ip = "localhost"
    config.Voila.log_level = logging.WARNING
    config.Voila.config_file_paths = []
    config.Voila.tornado_settings = {
        "headers": HEADERS,
        "allow_remote_access": False,  # another site's name that resolves to this machine gets no answer
        "local_hostnames": ["localhost", *filter(None, [public_name])],
        "disable_check_xsrf": True,  # the page's farewell, which ends its kernel, has no token
        "max_visitors": max_visitors,
    }
    page = config.VoilaConfiguration
    page.template = "dashboard"
    page.allow_template_override = "NO"
    page.allow_theme_override = "NO"
    page.file_allowlist = []
    page.file_denylist = [".*"]
    page.show_tracebacks = False
    page.strip_sources = True
    page.http_keep_alive_timeout = 55
    words = {language: _page_words(Messages(language)) for language in LANGUAGES}
    page.resources = {"words": words, "script_bundle": name_script_bundle()}
    page.extension_allowlist = [
        "@voila-dashboards/widgets-manager8",
        "@jupyter-widgets/jupyterlab-manager",
        "anywidget",
        "plain-text",
    ]
    page.kernel_spec_manager_class = OneKernelSpec
    page.preheat_kernel = n_ready > 0
    page.default_pool_size = n_ready
    config.VoilaKernelManager.fill_delay = REFILL_SECONDS
    config.ZMQChannelsWebsocketConnection.limit_rate = (
        False  # it would drop parts of what a page has asked for
    )
    kernels = config.MappingKernelManager
    kernels.cull_idle_timeout = IDLE_SECONDS
    kernels.cull_interval = 60
    kernels.cull_connected = True  # a page that is open asks for a sign of life, so its kernel is never idle
    kernels.buffer_offline_messages = True
    config.KernelManager.autorestart = False  # a new kernel would know nothing: let the page notice
    if os.name == "posix":
        config.KernelManager.transport = "ipc"  # sockets in the file system, which other users cannot open
        config.Voila.connection_dir_root = _find_socket_folder()
    config.VoilaExecutor.timeout = 120
    config.VoilaExecutor.store_widget_state = False  # it would hold what was uploaded
    return config


def _find_socket_folder() -> str:
    """A folder for temporary files whose path leaves room for the name of a socket; BloodError: none does."""
    longest = LONGEST_SOCKET - SOCKET_NAME
    for folder in (tempfile.gettempdir(), "/tmp"):
        if len(os.fsencode(folder)) <= longest and os.access(folder, os.W_OK | os.X_OK):
            return folder
    raise BloodError(f"The kernels' sockets need a folder: set TMPDIR to one of {longest} letters at most.")


def _page_words(messages: Messages) -> dict[str, str]:
    """What the page says before the app is there."""
    return messages.section("page") | {"title": messages("word.title")}
