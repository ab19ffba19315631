"""The one seam between the page and the studio: gives a handler its studio and its person, and turns errors into sentences."""

from __future__ import annotations

import functools
import html
import inspect
import logging
import typing
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import unquote

import gradio as gr

from studio.core.errors import BadInput, foreseen
from studio.core.people import named
from studio.core.records import Person
from studio.work.studio import Studio, owner

log = logging.getLogger(__name__)

UNFORESEEN = (
    "Something went wrong that the studio did not foresee. What you wrote is safe. The log holds the details."
)
SECONDS = 10.0  # how long a message stays on the page
NAME = "studio_name"  # the cookie in which assets/you.js keeps what somebody is called


def who(request: Any) -> Person:
    """The person behind a request, be it of a page, an event or a server function: who they say they are, else the owner.

    There are no passwords, so a name is a claim: it says who wrote what, and permits nothing.
    """
    try:
        return named(unquote(claimed(request), errors="strict"))
    except (BadInput, UnicodeDecodeError):
        return owner()


def claimed(request: Any) -> str:
    """The name's cookie as it came, "" for none.

    Gradio wraps the request of an event, and makes attributes of its cookies there: one that is called like a method of
    its wrapper breaks that. So the cookies are read from the request within.
    """
    inner = request.request if isinstance(request, gr.Request) else request
    return str(getattr(inner, "cookies", {}).get(NAME, ""))


def bind(studio: Studio, handler: Callable[..., Any]) -> Callable[..., Any]:
    """Make `handler(studio, person, *values)` an event handler of Gradio, `values` being the event's inputs.

    Generators stay generators and are closed with their page. A StudioError becomes the message that the person reads;
    anything else is logged whole and becomes one sentence.
    """
    bound = streamed(studio, handler) if inspect.isgeneratorfunction(handler) else called(studio, handler)
    return shown_as(bound, handler)


def called(studio: Studio, handler: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(handler)
    def bound(request: gr.Request, *values: Any) -> Any:
        try:
            return handler(studio, who(request), *values)
        except Exception as error:
            raise told(error, handler) from error

    return bound


def streamed(studio: Studio, handler: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(handler)
    def bound(request: gr.Request, *values: Any) -> Iterator[Any]:
        # `yield from` hands GeneratorExit (a closed tab, a cancelled event) on to the handler's own `finally`.
        try:
            yield from handler(studio, who(request), *values)
        except Exception as error:
            raise told(error, handler) from error

    return bound


def shown_as(bound: Callable[..., Any], handler: Callable[..., Any]) -> Callable[..., Any]:
    """Show Gradio the handler's own parameters less studio and person, so that it can check the wiring."""
    request = inspect.Parameter("request_", inspect.Parameter.POSITIONAL_ONLY, annotation=gr.Request)
    own = list(inspect.signature(handler).parameters.values())[2:]
    bound.__signature__ = inspect.Signature([request, *own])  # type: ignore[attr-defined]
    hints = typing.get_type_hints(handler)
    bound.__annotations__ = {each.name: hints[each.name] for each in own if each.name in hints} | {
        "request_": gr.Request
    }
    return bound


def told(error: Exception, handler: Callable[..., Any]) -> gr.Error:
    """The message for the page. It is drawn as HTML there, so people's text in it is escaped.

    Gradio 6.31 hands `title` to the page, which looks for it under another name and shows "Error": so it stands in the text.
    """
    if isinstance(error, gr.Error):
        return error
    title, text = worded(error, handler)
    shown = f"<strong>{html.escape(title)}</strong><br>{html.escape(text, quote=False)}"
    return gr.Error(shown, duration=SECONDS, title=title, print_exception=False)


def worded(error: Exception, handler: Callable[..., Any]) -> tuple[str, str]:
    """(title, sentence) of an error; what was not foreseen is logged whole."""
    if said := foreseen(error):
        return said.title, str(said)
    log.error("unforeseen failure in %s", handler.__name__, exc_info=error)
    return "Something went wrong", UNFORESEEN


def bind_server(studio: Studio, handler: Callable[..., Any]) -> Callable[..., Any]:
    """Make `handler(studio, person, given)` a server function of a gr.HTML, called `server.<handler's name>(given)` there.

    It answers what the handler answers, or {"error": {"title", "message"}}: a script cannot catch a gr.Error.
    """

    def bound(given: Any, request: gr.Request) -> Any:
        try:
            return handler(studio, who(request), given)
        except Exception as error:
            title, message = worded(error, handler)
            return {"error": {"title": title, "message": message}}

    bound.__name__ = handler.__name__
    bound.__annotations__ = {"request": gr.Request}
    return bound
