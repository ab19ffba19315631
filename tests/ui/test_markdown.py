"""An answer as Markdown: what a model may write, however hostile, comes out as harmless tags or as text."""

from html.parser import HTMLParser

import pytest

from studio.ui import markdown, talk

# All of them without attributes, but for the number that a list begins with.
HARMLESS = {
    "p", "strong", "em", "s", "code", "pre", "ul", "ol", "li", "blockquote", "hr", "br",
    "table", "thead", "tbody", "tr", "th", "td",
}  # fmt: skip
HOSTILE = {
    "a script": "<script>alert(1)</script>",
    "a script in a paragraph": "Hello <script>alert(1)</script> you",
    "a handler": "<img src=x onerror=alert(1)>",
    "an unfinished tag": "<img src=x onerror=alert(1) ",
    "a frame": '<iframe srcdoc="<script>alert(1)</script>"></iframe>',
    "a style": "<style>* { display: none }</style>",
    "a comment": "<!-- --!><img src=x onerror=alert(1)> -->",
    "a drawing": '<svg/onload="alert(1)"><a xlink:href="javascript:alert(1)">x</a></svg>',
    "a form": '<form action="https://evil.example"><input name=password></form>',
    "a link": "[here](https://evil.example)",
    "a script link": "[here](javascript:alert(1))",
    "a hidden script link": "[here](&#x6A;ava&Tab;script:alert(1))",
    "a data link": "[here](data:text/html;base64,PHNjcmlwdD4=)",
    "a title": '[here](https://evil.example "\\" onmouseover=alert(1) x=\\"")',
    "a reference": "[here][1]\n\n[1]: javascript:alert(1)",
    "an address": "<https://evil.example> <javascript:alert(1)> <a@evil.example> https://evil.example",
    "a picture": "![x](https://evil.example/seen.png)",
    "a data picture": "![x](data:image/png;base64,iVBORw0KGgo=) ![x](data:image/svg+xml,<svg onload=alert(1)>)",
    "a picture in a link": '[![x](https://evil.example/a"onerror=alert(1)>)](javascript:alert(1))',
    "a fence's language": '```"><script>alert(1)</script>\nx\n```',
    "a fence's end": "```\n</code></pre><script>alert(1)</script>\n```",
    "code": "`<script>alert(1)</script>` and    \n\n    <script>alert(1)</script>",
    "a table": "| <b>a</b> | b |\n| :-: | -: |\n| <img src=x onerror=alert(1)> | `|` |",
    "a heading": "# <b onclick=alert(1)>Big</b>\n\nBig\n===",
    "a task": "- [ ] <input onfocus=alert(1) autofocus>\n- [x] done",
    "a list": '7. seven\n8. eight\n\n999999999. <p style="x">',
    "an alert": "> [!WARNING]\n> <u>Do</u> not",
    "entities": "&lt;script&gt;alert(1)&lt;/script&gt; &#60;b&#62; &#xD800; &#0;",
    "the page's own marks": "${alert(1)} {{alert(1)}} </p></div>",
    "other scripts": "‮<b>\u2066 \x00 \ufeff<ｓcript>",
}
DEEP = {
    "quotes": "> " * 2_000 + "x",
    "lists": "".join(f"{'  ' * depth}- x\n" for depth in range(140)),
    "brackets": "[" * 5_000 + "x" + "](y)" * 2_000,
    "stars": "*" * 9_000 + "x" + "*" * 9_000,
    "one star after the other": "*a _b " * 3_000,
    "backticks": "".join("`" * count + " " for count in range(190)),
    "pictures": "![" * 5_000,
    "tags": "<" * 10_000 + "<a b=" * 1_500,
    "a table": "|" * 4_000 + "\n" + "|-" * 4_000 + "|\n" + "|x" * 1_900,
    "entities": "&" * 9_000 + "&#x" * 3_000,
}


class Seen(HTMLParser):
    """The tags that a browser would make of a text, each with its attributes."""

    def __init__(self, html):
        super().__init__()
        self.tags = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, attributes))

    def handle_comment(self, data):
        self.tags.append(("comment", []))

    handle_decl = unknown_decl = handle_pi = handle_comment


def harmful(html):
    """The tags that no answer may bring onto the page."""
    return [
        (tag, attributes)
        for tag, attributes in Seen(html).tags
        if tag not in HARMLESS
        or any((tag, name) != ("ol", "start") or not value.isdecimal() for name, value in attributes)
    ]


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_hostile_text_comes_out_harmless(text):
    html = markdown.reader()(text)

    assert harmful(html) == []
    html.encode("utf-8")  # a lone surrogate would end the page's connection
    assert "\x00" not in html


@pytest.mark.parametrize("text", DEEP.values(), ids=DEEP)
def test_text_that_is_deep_comes_out_harmless_and_soon(text):
    assert harmful(markdown.reader()(text)) == []


def believed(**switched):
    """The names of the texts that would do harm through a reader with one switch turned."""
    reader = markdown.parser()
    reader.options.update(switched)
    return {name for name, text in HOSTILE.items() if harmful(reader.render(text))}


def test_tags_would_be_found_if_they_were_let_through():
    assert {"a script", "a handler", "a frame", "a style", "a form", "a table", "a task"} <= believed(
        html=True
    )
    assert believed() == set()


def test_links_and_pictures_would_be_found_if_they_were_drawn(monkeypatch):
    monkeypatch.setattr(markdown, "LEADING_OUT", ())

    assert {"a link", "a title", "an address", "a picture", "a data picture"} <= believed()


def test_links_and_pictures_stay_as_they_were_written_with_their_address_to_be_read():
    read = markdown.reader()

    assert (
        read("See [our page](https://harbour.example/a).")
        == "<p>See [our page](https://harbour.example/a).</p>\n"
    )
    assert "![seal](https://harbour.example/s.png)" in read("![seal](https://harbour.example/s.png)")


def test_what_a_model_marks_is_drawn():
    html = markdown.reader()(
        "## Ahoy\n\nOn **the** boat\nat *six*:\n\n3. rope\n4. `knot`\n\n| a | b |\n|---|--:|\n| 1 | 2 |"
    )

    assert "<p><strong>Ahoy</strong></p>" in html
    assert "On <strong>the</strong> boat<br>\nat <em>six</em>:" in html
    assert '<ol start="3">' in html
    assert "<code>knot</code>" in html
    assert "<td>2</td>" in html


def test_what_is_too_long_is_only_shown_as_it_was_written():
    turn = talk.turn("Hi?") | {"answer": "a" * (markdown.LONGEST + 1)}

    assert "marked" not in talk.pane([turn], marked=markdown.reader())
    assert "marked" in talk.pane([turn | {"answer": "a"}], marked=markdown.reader())
