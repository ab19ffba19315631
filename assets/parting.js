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

addEventListener("pagehide", part);
document.addEventListener("visibilitychange", () => { if (document.hidden && element.isConnected && doc && dirty()) save(); });
element.addEventListener("focusout", () => { if (doc && dirty()) later(0); });
