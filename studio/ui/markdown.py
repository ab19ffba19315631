"""A model's answer read as Markdown: hostile text goes in, and nothing but harmless tags without attributes comes out."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token

# What would lead out of the page or load from elsewhere stays as it was written, its address to be read.
LEADING_OUT = ("link", "image", "autolink", "reference")
LONGEST = 20_000  # characters; what is longer is only shown as it was written


def reader() -> Callable[[str], str]:
    """Reads texts to HTML, "" for one that is too long; each only once, for a conversation is drawn anew with every word."""
    made = parser()
    return functools.cache(lambda text: made.render(text) if len(text) <= LONGEST else "")


def parser() -> MarkdownIt:
    """Tags in the text are text; lists, tables, code and emphasis are drawn; a new line begins where the model began one."""
    return MarkdownIt("js-default", {"breaks": True}, renderer_cls=Plainly).disable(LEADING_OUT)


class Plainly(RendererHTML):
    """Leaves out what Markdown says of classes, styles and ranks."""

    @staticmethod
    def renderAttrs(token: Token) -> str:
        start = token.attrs.get("start") if token.tag == "ol" else None
        return f' start="{int(start)}"' if start is not None else ""

    def heading_open(self, tokens: Sequence[Token], place: int, options: Any, env: Any) -> str:
        """An answer's headings are none of the page's."""
        return "<p><strong>"

    def heading_close(self, tokens: Sequence[Token], place: int, options: Any, env: Any) -> str:
        return "</strong></p>\n"
