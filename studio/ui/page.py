"""The page: the strip, the tabs in the order of the way, and what they share. It has no handlers of its own."""

from __future__ import annotations

import gradio as gr

from studio.ui import check, compare, export, prompt, strip, train, write
from studio.ui.shell import Shell
from studio.work.studio import Studio

TABS = (write, check, prompt, train, compare, export)


def build(studio: Studio) -> gr.Blocks:
    """Lay out the whole page for one studio."""
    with gr.Blocks(
        title="Studio", fill_width=True, analytics_enabled=False, delete_cache=(3600, 86400)
    ) as page:
        top = strip.build(studio)
        tick, handed = gr.Timer(1.0), gr.JSON(None, visible=False)
        with gr.Tabs(elem_id="tabs") as tabs:
            shell = Shell(top.project, tick, tabs, page, handed)
            for tab in TABS:
                tab.build(studio, shell)
        strip.wire(studio, shell, top)
    return page
