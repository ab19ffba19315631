"""What a person does on the page again and again, at a person's pace."""

import re


def go_to(page, tab):
    page.locator("#tabs [role=tab]:visible", has_text=re.compile(f"^{tab}")).click()
    settle(page)


def unfold(page, title):
    """Open a folded part by its title."""
    page.get_by_text(title).click()
    settle(page)


def settle(page):
    """Wait two frames. Gradio 6.31 fills what a tab or a folded part shows for the first time once more, one frame after
    it has drawn it: what a test types before that is wiped out. Nobody can click and type within a frame.
    """
    page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
