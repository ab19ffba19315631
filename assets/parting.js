// What is not saved when the page goes away is sent on its way out. It was kept in this browser before, under the same request:
// should it not arrive, or arrive and not be heard of, the next page sends it again and the studio does it once.
function part() {
  if (!element.isConnected || !doc || doc.deleted || !dirty()) return;
  if (!pending) {
    const change = read();
    if (!doc.id && blank(change)) return;
    send(change);
  }
  // Only a request marked so outlives its page; up to 64 kB, what is longer waits for the next page. Gradio's caller of server functions marks none.
  const usual = window.fetch;
  window.fetch = (where, how) => usual(where, { ...how, keepalive: true });
  server.on_save(pending.change).catch(() => {});
  window.fetch = usual;
}

// Where the cursor is when the page goes, for the page that comes: Gradio loads it anew when a server is back that was away.
function leaveMark() {
  const active = document.activeElement, at = doc ? [...turns.children].findIndex(row => row.querySelector("textarea") === active) : -1;
  if (element.isConnected && at >= 0) sessionStorage.setItem("studio.cursor", JSON.stringify({ id: doc.id, at, caret: active.selectionStart }));
}

function land() {
  const { id = null, at = 0, caret = 0 } = JSON.parse(sessionStorage.getItem("studio.cursor") || "{}"), area = turns.children[at]?.querySelector("textarea");
  sessionStorage.removeItem("studio.cursor");
  if (!area || (id && id !== doc.id) || id === null || document.activeElement !== document.body) return;
  point(area);
  area.setSelectionRange(caret, caret);
}

addEventListener("pagehide", () => { leaveMark(); part(); });
document.addEventListener("visibilitychange", () => { if (document.hidden && element.isConnected && doc && dirty()) save(); });
element.addEventListener("focusout", () => { if (doc && dirty()) later(0); });
