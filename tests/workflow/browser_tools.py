"""Render a page in a browser without network access."""

import html
import re
import shutil
import subprocess
import tempfile

import pytest

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
WITHIN = ("#", "data:", "javascript:")  # how links begin that need no other file
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND", "--virtual-time-budget=10000", "--dump-dom",
)  # fmt: skip
TIMEOUT = 120  # [s]


def browser():
    """Return a working browser, or skip the test."""
    for path in filter(None, map(shutil.which, BROWSERS)):
        # the placeholder of a snap exists but does not start
        if not subprocess.run([path, "--version"], capture_output=True).returncode:
            return path
    return pytest.skip("needs chromium")


def page_in_a_browser(path):
    """Return what a browser makes of a page's own scripts, without the scripts."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        command = [browser(), *FLAGS, f"--user-data-dir={profile}", path.as_uri()]
        done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT)
    assert done.returncode == 0, done.stderr
    body = done.stdout[done.stdout.index("<body") :]
    body = re.sub(r"<(script|style)\b.*?</\1>", "", body, flags=re.DOTALL)
    return re.sub(r"(;base64,)[^\"]*", r"\1...", body)


def text_of(page):
    """Return the words of a page."""
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", page)).split())
