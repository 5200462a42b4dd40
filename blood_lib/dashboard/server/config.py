"""All settings of Voilà and of what lies beneath it; no configuration file of the machine can weaken them."""

from __future__ import annotations

import logging
import os
import sys
import tempfile
from typing import Any

from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
from traitlets.config import Config

from blood_lib.dashboard.server.script_bundle import name_script_bundle
from blood_lib.dashboard.state.messages import LANGUAGES, Messages
from blood_lib.files.errors import BloodError

__all__ = ["POLICY", "OneKernelSpec", "build_config"]

# Every upload is classified on new threads, and glibc would give each a heap of its own and keep it: 10 to
# 20 MB more after every thousand images; with two heaps, none.
KERNEL_ENV = {"MALLOC_ARENA_MAX": "2"}
IDLE_SECONDS = 30 * 60  # a kernel that no page has asked anything for so long is ended
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


def build_config(*, n_ready: int, max_visitors: int, public_name: str | None = None) -> Config:
    """The settings, for Voilà's `config`."""
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
