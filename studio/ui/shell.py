"""What the page hands to each tab: the few components that all tabs share."""

from __future__ import annotations

from dataclasses import dataclass

import gradio as gr

NEW = "+"  # the choice of the project switcher that makes a new project


@dataclass(frozen=True)
class Shell:
    """`project` holds the chosen project's id once the page has loaded; every handler that needs it takes it as input.

    A tab re-reads the store on its own `tab.select`: the page selects Write when the project changes, and selects the tab
    that was open before a refresh, so `select` is all that a tab needs. `tick` fires each second, for running things.

    `handed` is how a tab leads to another: it holds what to look at there, only where it lies in the store, and the other tab
    takes it when it is selected.

    A file that a person is to download is written below `studio.home.temporary`: nothing else can be had from the page.
    """

    project: gr.Dropdown
    tick: gr.Timer
    tabs: gr.Tabs
    opened: gr.Blocks
    handed: gr.JSON
