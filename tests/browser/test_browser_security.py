"""The page in a browser: it asks nobody but its own server, and what slipped into it does not run."""

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser


def test_the_page_asks_only_its_own_server(page, shared):
    asked = []
    page.context.on("request", lambda request: asked.append(request.url))
    page.goto(shared.url)
    expect(page.locator(".strip")).to_contain_text("Idle", timeout=30_000)
    for tab in ("check", "prompt", "train", "compare", "export"):
        page.locator(f"[role=tab][data-tab-id={tab}]").click()
    page.wait_for_timeout(1500)

    strangers = [each for each in asked if not each.startswith((f"{shared.url}/", "data:", "blob:"))]
    assert len(asked) > 10
    assert strangers == []


def test_a_script_that_slipped_in_does_not_run_and_a_form_or_picture_does_not_leave(page, shared):
    page.goto(shared.url)
    expect(page.locator(".strip")).to_contain_text("Idle", timeout=30_000)
    blocked = []
    page.expose_function("told", lambda what: blocked.append(what))
    page.evaluate(
        """() => {
            document.addEventListener("securitypolicyviolation", event => window.told(event.effectiveDirective));
            const place = document.createElement("div");
            place.innerHTML = "<img src=x onerror='window.bad=1'><img src='https://stranger.example/x.png'>"
                + "<iframe src='https://stranger.example/'></iframe><form id=leak action='https://stranger.example/'></form>";
            const script = document.createElement("script");
            script.textContent = "window.bad = 2";
            document.body.append(place, script);
            document.getElementById("leak").submit();
        }"""
    )
    page.wait_for_timeout(1000)

    assert page.evaluate("window.bad") is None
    assert {"script-src-attr", "script-src-elem", "img-src", "frame-src", "form-action"} <= set(blocked)


def test_another_sites_page_can_neither_read_nor_save(page, shared):
    """Another port of this machine is another site: its page asks as a stranger's would."""
    page.route(
        "http://localhost:1/",
        lambda route: route.fulfill(body="<title>stranger</title>", content_type="text/html"),
    )
    page.goto("http://localhost:1/")
    tried = page.evaluate(
        """async address => {
            const said = [];
            for (const [path, options] of [["/config", {}], ["/gradio_api/queue/join", { method: "POST", body: "{}" }],
                    ["/gradio_api/component_server/", { method: "POST", body: "{}", mode: "no-cors" }]]) {
                try { const answer = await fetch(address + path, options); said.push(answer.type + " " + answer.status); } catch (error) { said.push("refused"); }
            }
            return said;
        }""",
        shared.url,
    )

    assert tried[:2] == ["refused", "refused"]
    assert tried[2] in ("refused", "opaque 0")
