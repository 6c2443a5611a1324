"""The few things that the checks ask of a Galaxy server, through bioblend."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bioblend.galaxy import GalaxyInstance

FINISHED = ("ok", "error", "paused", "deleted")
Dataset = dict[str, Any]


class Client:
    """One user's view of a server, and the history that the checks fill."""

    def __init__(self, url: str, key: str, history: str) -> None:
        self.galaxy = GalaxyInstance(url, key=key)
        self.history = self.galaxy.histories.create_history(history)["id"]

    def upload(self, files: Mapping[Path, str]) -> dict[str, Dataset]:
        """Upload files with the datatypes given; return the datasets by file name."""
        items = [_item(path, datatype) for path, datatype in files.items()]
        target = {"destination": {"type": "hdas"}, "items": items}
        made = self._fetch(target)["outputs"]
        return {dataset["name"]: self.wait(dataset) for dataset in made}

    def upload_list(self, name: str, files: Mapping[str, Path], datatype: str) -> Dataset:
        """Upload files as a collection, by element name."""
        elements = [_item(path, datatype) | {"name": key} for key, path in files.items()]
        target = {
            "destination": {"type": "hdca"},
            "collection_type": "list",
            "name": name,
            "elements": elements,
        }
        made = self._fetch(target)["output_collections"][0]
        for _ in range(1200):
            found = self.galaxy.histories.show_dataset_collection(self.history, made["id"])
            if found["populated"]:
                break
            time.sleep(0.5)
        for element in found["elements"]:
            self.wait(element["object"])
        return dict(made)

    def _fetch(self, target: Mapping[str, Any]) -> Any:
        payload = {"history_id": self.history, "targets": [target]}
        return self._post("/api/tools/fetch", payload)

    def _post(self, path: str, payload: Mapping[str, Any]) -> Any:
        return self.galaxy.make_post_request(self.galaxy.base_url + path, payload=dict(payload))

    def run(self, tool: str, inputs: Mapping[str, Any]) -> Any:
        """Start a tool; return what Galaxy says of the job, with its outputs."""
        return self.galaxy.tools.run_tool(self.history, tool, dict(inputs), input_format="legacy")

    def wait(self, dataset: Mapping[str, Any], seconds: float = 600) -> Dataset:
        """Return a dataset once it is finished, well or badly."""
        for _ in range(int(seconds / 0.5)):
            found = self.galaxy.datasets.show_dataset(dataset["id"])
            if found["state"] in FINISHED:
                return found
            time.sleep(0.5)
        raise TimeoutError(f"dataset {dataset['id']} is {found['state']} after {seconds} s")

    def outputs(self, started: Mapping[str, Any]) -> dict[str, Dataset]:
        """Return the finished datasets of a started job by output name."""
        return {made["output_name"]: self.wait(made) for made in started["outputs"]}

    def content(self, dataset: Mapping[str, Any]) -> bytes:
        """Return a dataset's bytes as they lie on the server."""
        url = f"{self.galaxy.base_url}/api/datasets/{dataset['id']}/display"
        return bytes(self.galaxy.make_get_request(url, params={"raw": "true"}).content)

    def job(self, started: Mapping[str, Any]) -> dict[str, Any]:
        """Return all that Galaxy knows of a started job."""
        return dict(self.galaxy.jobs.show_job(started["jobs"][0]["id"], full_details=True))


def _item(path: Path, datatype: str) -> dict[str, str]:
    return {"src": "path", "path": str(path), "name": path.name, "ext": datatype}


def hda(dataset: Mapping[str, Any]) -> dict[str, str]:
    """Name a dataset as a tool's input."""
    return {"src": "hda", "id": dataset["id"]}


def mapped(collection: Mapping[str, Any]) -> dict[str, Any]:
    """Name a collection as the input of a tool that takes one dataset: it runs on each."""
    return {"batch": True, "values": [{"src": "hdca", "id": collection["id"]}]}


def linked(collections: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Name collections whose elements belong together, pairwise."""
    return [mapped(collection) | {"linked": True} for collection in collections]
