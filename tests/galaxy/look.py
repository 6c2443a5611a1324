#!/usr/bin/env python3
"""Take pictures of what a person sees on the server, after ``check.py`` has filled it.

``look.py URL FOLDER``, run by the project's Python (selenium) with Debian's chromium: the tool's
form and help, a finished and a failed history, and the report before and after the tool is
allowed to show HTML as it is. Nothing is asserted: look at the pictures.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

from selenium import webdriver
from selenium.webdriver.support.ui import WebDriverWait

FETCH = """
const [path, method, done] = arguments;
fetch(path, {method}).then(answer => answer.json()).then(done, error => done(String(error)));
"""
EXPAND = """
const item = document.querySelector(`.content-item[data-hid="${arguments[0]}"]`);
if (item) item.querySelector('.cursor-pointer').click(), item.scrollIntoView();
return Boolean(item);
"""


class Look:
    """A browser on a server in single-user mode: whoever comes is the administrator."""

    def __init__(self, url: str, folder: Path) -> None:
        self.url, self.folder = url, folder
        options = webdriver.ChromeOptions()
        options.binary_location = "/usr/bin/chromium"
        for argument in (
            "--headless=new",
            "--no-sandbox",
            "--disable-dev-shm-usage",
            "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
            "--window-size=1280,900",
        ):
            options.add_argument(argument)
        service = webdriver.ChromeService("/usr/bin/chromedriver")
        self.driver = webdriver.Chrome(options=options, service=service)
        self.driver.set_page_load_timeout(300)
        self.driver.set_script_timeout(120)
        self.open("/", "return document.querySelector('#current-history-panel')")

    def ask(self, path: str, method: str = "GET") -> Any:
        """Call the API as the browser's user."""
        return self.driver.execute_async_script(FETCH, path, method)

    def until(self, script: str, *arguments: object) -> None:
        """Wait until a script gives something, and what it did is drawn."""
        WebDriverWait(self.driver, 300).until(
            lambda driver: driver.execute_script(script, *arguments)
        )
        time.sleep(6)

    def open(self, path: str, script: str) -> None:
        """Open a page and wait for it."""
        self.driver.get(f"{self.url}{path}")
        self.until(script)

    def shoot(self, name: str) -> None:
        """Write what the window shows to NAME.png."""
        self.driver.save_screenshot(str(self.folder / f"{name}.png"))

    def history(self, name: str) -> list[dict[str, Any]]:
        """Show the newest history of that name; return its datasets, the latest first."""
        found = next(item for item in self.ask("/api/histories") if item["name"] == name)
        self.ask(f"/history/set_as_current?id={found['id']}")
        self.open("/", "return document.querySelector('#current-history-panel .content-item')")
        listed: list[dict[str, Any]] = self.ask(
            f"/api/histories/{found['id']}/contents?v=dev&order=hid-dsc"
        )
        return listed

    def item(self, dataset: dict[str, Any], name: str) -> None:
        """Open one item of the history that is shown."""
        self.until(EXPAND, dataset["hid"])
        self.shoot(name)


def main() -> int:
    """Take all pictures."""
    look = Look(sys.argv[1], Path(sys.argv[2]))
    try:
        for history, name in (("bad input", "failed"), ("killed", "killed")):
            items = look.history(f"genescribe: {history}")
            look.item(next(item for item in items if item["state"] == "error"), name)
        made = {item["extension"]: item for item in reversed(look.history("genescribe: workflow"))}
        look.item(made["gff3"], "history")
        job = look.ask(f"/api/datasets/{made['gff3']['id']}")["creating_job"]
        look.open(f"/?job_id={job}", "return document.querySelector('.form-help')")
        look.shoot("form")
        look.until("return document.querySelector('.form-help').scrollIntoView() ?? true")
        look.shoot("help")
        for moment in ("before", "after"):
            page = f"/datasets/{made['html']['id']}/preview"
            look.open(page, "return document.querySelector('iframe#frame')")
            look.shoot(f"report_{moment}")
            look.ask("/api/sanitize_allow?tool_id=genescribe", "PUT")
    finally:
        look.driver.quit()
    return 0


if __name__ == "__main__":
    sys.exit(main())
