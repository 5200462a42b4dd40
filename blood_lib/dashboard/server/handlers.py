"""How requests are answered where Voilà would be too trusting: sockets, the page itself, its health."""

from __future__ import annotations

from typing import Any

import tornado.web
from voila.tornado.handler import TornadoVoilaHandler
from voila.tornado.kernel_websocket_handler import VoilaKernelWebsocketHandler

from blood_lib.dashboard.state.messages import Messages, choose_language

__all__ = ["CheckedWebsocket", "Health", "Page", "is_sound_frame"]

PROTOCOL = "v1.kernel.websocket.jupyter.org"
MAX_PARTS = 64  # of one message; the uploader sends one buffer in each
ERRORS = {403: "page.nothing", 404: "page.nothing", 503: "page.full"}  # what a page says that cannot be given


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
    """For a monitor of the server: answers without starting a kernel."""

    def get(self) -> None:
        self.set_header("Content-Type", "text/plain; charset=utf-8")
        self.set_header("Cache-Control", "no-store")
        self.finish("ok\n")
