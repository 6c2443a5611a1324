"""A JupyterLab server, and a headless Chromium that reaches it and nothing else."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import nbformat
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"
LAPTOP = (1366, 1000)


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@contextlib.contextmanager
def server(folder: Path) -> Iterator[str]:
    """Serve ``folder`` with JupyterLab; yields its address. Settings of the user do not count."""
    port, home = free_port(), folder / ".home"
    environment = {
        **os.environ,
        "PYTHONPATH": str(SCRIPTS),
        "JUPYTER_CONFIG_DIR": str(home / "config"),
        "JUPYTER_DATA_DIR": str(home / "data"),
        "JUPYTER_RUNTIME_DIR": str(home / "runtime"),
        "JUPYTERLAB_SETTINGS_DIR": str(home / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(home / "workspaces"),
        "OMP_NUM_THREADS": "1",
    }
    quiet = home / "settings/@jupyterlab/apputils-extension/notification.jupyterlab-settings"
    quiet.parent.mkdir(parents=True)
    quiet.write_text('{"fetchNews": "false"}', encoding="utf-8")
    arguments = [
        "--no-browser",
        "--allow-root",
        "--ServerApp.ip=127.0.0.1",
        f"--ServerApp.port={port}",
        f"--ServerApp.root_dir={folder}",
        "--IdentityProvider.token=",
    ]
    with (folder / "server.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "jupyterlab", *arguments],
            env=environment,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    address = f"http://127.0.0.1:{port}"
    try:
        _wait_for(address, process, folder / "server.log")
        yield address
    finally:
        process.terminate()
        process.wait(20)


def _wait_for(address: str, process: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(240):
        assert process.poll() is None, log.read_text("utf-8")
        with contextlib.suppress(urllib.error.URLError, ConnectionError):
            urllib.request.urlopen(f"{address}/api").close()
            return
        time.sleep(0.25)
    raise TimeoutError(log.read_text("utf-8"))


@contextlib.contextmanager
def chromium(binary: str, driver: str) -> Iterator[webdriver.Chrome]:
    options = webdriver.ChromeOptions()
    options.binary_location = binary
    for argument in (
        "--headless=new",
        "--no-sandbox",
        "--disable-dev-shm-usage",
        "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
        "--window-size={},{}".format(*LAPTOP),
    ):
        options.add_argument(argument)
    started = webdriver.Chrome(options=options, service=webdriver.ChromeService(driver))
    try:
        yield started
    finally:
        started.quit()


class Notebook:
    """One notebook, open in the browser."""

    def __init__(self, browser: webdriver.Chrome, address: str, folder: Path, code: str) -> None:
        self.browser = browser
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code)])
        notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3"}
        self.path = folder / "test.ipynb"
        nbformat.write(notebook, self.path)
        self.url = f"{address}/doc/tree/test.ipynb?reset"
        self.open()

    def open(self) -> None:
        """Open the page anew and wait until its kernel is ready."""
        self.browser.get(self.url)
        self.find(".jp-Notebook .jp-Cell")
        self.until(lambda: "| Idle" in self.find("#jp-main-statusbar").text)
        self.until(lambda: self.find(".jp-CodeCell .cm-content").is_displayed())

    def save(self) -> None:
        """Save the notebook, so that the page can be opened again as it is."""
        self.find(".jp-Notebook").send_keys(Keys.CONTROL, "s")
        self.until(lambda: "widget-view" in self.path.read_text("utf-8"))

    def run_cell(self) -> None:
        """Run the first cell."""
        cell = self.find(".jp-CodeCell .cm-content")
        cell.click()
        cell.send_keys(Keys.SHIFT, Keys.ENTER)

    def find(self, selector: str, seconds: float = 60):
        """Wait for an element and return it."""
        return self.until(lambda: self.browser.find_elements(By.CSS_SELECTOR, selector), seconds)[0]

    def all(self, selector: str):
        """Return all elements that are there now."""
        return self.browser.find_elements(By.CSS_SELECTOR, selector)

    def until(self, condition, seconds: float = 60):
        """Wait until a condition holds, and return what it gave."""
        return WebDriverWait(self.browser, seconds, poll_frequency=0.05).until(
            lambda _: condition(), message=self.message()
        )

    def message(self) -> str:
        """What the widget's message line says."""
        return "\n".join(self.texts(".genescribe-message p"))

    def texts(self, selector: str) -> list[str]:
        """Return the texts of all elements that are there now, in one go: pages change."""
        return self.browser.execute_script(
            "return [...document.querySelectorAll(arguments[0])].map((one) => one.innerText)",
            selector,
        )

    def says(self, words: str, seconds: float = 120) -> str:
        """Wait until the message line contains ``words``."""
        self.until(lambda: words in self.message(), seconds)
        return self.message()

    def button(self, text: str):
        """Return the button with this text."""
        return next(found for found in self.all(".genescribe button") if found.text == text)

    def press(self, text: str) -> None:
        """Click a button, wherever on the page it is."""
        self.browser.execute_script(
            "arguments[0].scrollIntoView({block: 'center'})", self.button(text)
        )
        self.button(text).click()

    def field(self, label: str):
        """Return the control that a label stands for, as a screen reader finds it."""
        return self.browser.execute_script(
            "const label = [...document.querySelectorAll('.genescribe label')]"
            ".find((one) => one.firstChild?.textContent === arguments[0]);"
            "return label && label.control;",
            label,
        )

    def type(self, label: str, text: str) -> None:
        """Replace what stands in a field."""
        field = self.field(label)
        self.browser.execute_script("arguments[0].scrollIntoView({block: 'center'})", field)
        field.send_keys(Keys.CONTROL, "a")
        field.send_keys(text)

    def genes(self) -> list[str]:
        """Return the gene ids of the page of the table that is shown."""
        return self.texts(".genes-table tbody th button")

    def shot(self, name: str) -> None:
        """Save a screenshot to GENESCRIBE_SHOTS, if that is set."""
        if folder := os.environ.get("GENESCRIBE_SHOTS"):
            Path(folder).mkdir(parents=True, exist_ok=True)
            self.browser.save_screenshot(f"{folder}/{name}.png")
