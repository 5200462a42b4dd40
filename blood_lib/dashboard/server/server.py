"""Voilà set up for strangers: one notebook, one kernel per visitor, nothing on disk, nothing from elsewhere.

The settings are in `config.py`, how requests are answered in `handlers.py`. The command line is left to
`serve.py`.
"""

from __future__ import annotations

import contextlib
import logging
import os
import webbrowser
from pathlib import Path
from typing import Any

from jupyter_server.base.handlers import FileFindHandler
from tornado.httpclient import AsyncHTTPClient
from tornado.ioloop import IOLoop
from tornado.web import GZipContentEncoding
from voila.app import Voila
from voila.static_file_handler import MultiStaticFileHandler
from voila.tornado.handler import TornadoVoilaHandler
from voila.tornado.kernel_websocket_handler import VoilaKernelWebsocketHandler

from blood_lib.dashboard.app import BUNDLE_VARIABLE
from blood_lib.dashboard.server.compressed import ExtensionFiles, PageFiles
from blood_lib.dashboard.server.config import build_config
from blood_lib.dashboard.server.handlers import CheckedWebsocket, Health, Page
from blood_lib.dashboard.server.script_bundle import ScriptBundleHandler, compress_script_bundle

__all__ = ["Server", "serve"]

TEMPLATES = Path(__file__).parent / "jupyter"
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
