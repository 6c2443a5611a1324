"""Small controls that several panels use, each with a label that screen readers find."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import ipywidgets
from markupsafe import Markup

from genescribe.doors import NOTEBOOK
from genescribe.errors import GenescribeError
from genescribe.specs.spec import list_specs
from genescribe.widget.session import Session

WIDE = {"description_width": "7.5rem"}


def heading(text: str) -> ipywidgets.HTML:
    """Return the head of a panel."""
    return ipywidgets.HTML(Markup("<h3>{}</h3>").format(text))


def button(
    session: Session, text: str, what: str, pressed: Callable[[], None], *, main: bool = False
) -> ipywidgets.Button:
    """Return a button; ``what`` it does is its tooltip."""
    made = ipywidgets.Button(
        description=text,
        tooltip=what,
        button_style="primary" if main else "",
        layout={"width": "auto"},
    )
    made.on_click(session.guard(lambda _: pressed()))
    return made


def labelled(kind: Callable[..., Any], label: str, **settings: Any) -> Any:
    """Return a control of an ipywidgets class with its label, as wide as its panel."""
    return kind(description=label, style=WIDE, layout={"width": "auto"}, **settings)


def model_choice(label: str, value: str) -> Any:
    """Return a field for a model, with the known ones to choose from."""
    names = [spec.name for spec in list_specs()]
    return labelled(ipywidgets.Combobox, label, value=value, options=names)


def facts(rows: list[tuple[str, str]]) -> Markup:
    """Return names and values as a description list; empty values are left out."""
    pairs = Markup("").join(
        Markup("<div><dt>{}</dt><dd>{}</dd></div>").format(name, value)
        for name, value in rows
        if value
    )
    return Markup('<dl class="facts">{}</dl>').format(pairs)


class Field:
    """A text field that is checked as one types.

    ``check`` returns a remark about a good value ("" for none) and raises GenescribeError about
    a bad one.
    """

    def __init__(
        self, session: Session, widget: ipywidgets.Text, check: Callable[[str], str]
    ) -> None:
        self.widget = widget
        self.check = check
        self.hint = ipywidgets.HTML()
        self.hint.add_class("genescribe-hint")
        self.problem = ""
        self.box = ipywidgets.VBox([widget, self.hint])
        widget.observe(session.guard(lambda _: self.validate()), names=["value"])
        self.validate()

    @property
    def value(self) -> str:
        """What stands in the field."""
        return str(self.widget.value).strip()

    def validate(self) -> None:
        """Check the value again, and say what is wrong with it."""
        try:
            remark, self.problem = self.check(self.value), ""
        except GenescribeError as error:
            remark, self.problem = "", error.told(NOTEBOOK)
        except OSError as error:
            remark, self.problem = "", f"{self.value}: {error.strerror or error}"
        kind = "error" if self.problem else "fine"
        self.hint.value = Markup('<span class="{}">{}</span>').format(kind, self.problem or remark)


class PathField(Field):
    """A field for a path, with a list of the kernel's files to choose from."""

    def __init__(
        self,
        session: Session,
        label: str,
        value: str,
        check: Callable[[str], str],
        endings: tuple[str, ...] = (),
    ) -> None:
        text = ipywidgets.Text(
            value=value, description=label, style=WIDE, layout={"flex": "1 1 auto"}
        )
        super().__init__(session, text, check)
        self.endings = endings
        self.folder = Path.cwd()
        self.list = labelled(ipywidgets.Select, "Files", rows=8)
        self.browse = ipywidgets.ToggleButton(
            description="Browse",
            tooltip=f"choose {label.lower()} from a list",
            layout={"width": "6rem"},
        )
        self.opened = button(session, "Open", "open the folder, or take the file", self.open)
        self.chooser = ipywidgets.VBox([self.list, self.opened], layout={"display": "none"})
        self.browse.observe(session.guard(lambda _: self.toggle()), names=["value"])
        line = ipywidgets.HBox([text, self.browse])
        self.box.children = (line, self.hint, self.chooser)

    def toggle(self) -> None:
        """Show or hide the list, beginning at the folder that is in the field."""
        self.chooser.layout.display = "" if self.browse.value else "none"
        if self.browse.value:
            given = Path(self.value).expanduser().absolute()
            near = (given, *given.parents)
            self.list_folder(next(folder for folder in near if folder.is_dir()))

    def list_folder(self, folder: Path) -> None:
        """List folders, and the files of the right kind; hidden ones are left out."""
        self.folder = folder
        inside = sorted(path for path in folder.iterdir() if not path.name.startswith("."))
        folders = [f"{path.name}/" for path in inside if path.is_dir()]
        files = [
            path.name
            for path in inside
            if path.is_file() and path.name.endswith(self.endings or "")
        ]
        self.list.options = ["../", *folders, *files]

    def open(self) -> None:
        """Go into the chosen folder, or take the chosen file."""
        chosen = (self.folder / str(self.list.value)).resolve()
        self.widget.value = str(chosen)
        if chosen.is_dir():
            self.list_folder(chosen)
        else:
            self.browse.value = False
