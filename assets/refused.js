// Says what an event of the page was refused with: Gradio 6.31 shows that only for events that went through its queue.
(() => {
  if (window.fetch.tells) return; // the strip was drawn anew
  const fetched = window.fetch, shown = new Map();
  window.fetch = async (...given) => {
    const answer = await fetched(...given);
    if (answer.status === 500 && new URL(answer.url).pathname.endsWith("/run/predict")) answer.clone().json().then(say, () => {});
    return answer;
  };
  window.fetch.tells = true;

  // `error` is HTML, made for Gradio's own messages (ui/wire.py): only its words are taken.
  function say({ error, duration }) {
    const words = new DOMParser().parseFromString(String(error || ""), "text/html").body, title = words.querySelector("strong");
    if (title) title.remove();
    const text = words.textContent, before = shown.get(text);
    if (!text) return;
    clearTimeout(before && before.timer);
    const node = before ? before.node : drawn(title ? title.textContent : "That did not work", text);
    shown.set(text, { node, timer: setTimeout(() => away(text), 1000 * (duration || 10)) });
  }

  function drawn(title, text) {
    const node = document.createElement("div"), heading = document.createElement("b"), close = document.createElement("button");
    node.className = "refused";
    node.setAttribute("role", "alert");
    heading.textContent = title;
    close.type = "button";
    close.textContent = "×";
    close.setAttribute("aria-label", "Close");
    close.onclick = () => away(text);
    node.append(close, heading, text);
    place().append(node);
    return node;
  }

  function place() {
    const found = document.querySelector(".refusals"), made = document.createElement("div");
    made.className = "refusals";
    if (!found) document.querySelector(".gradio-container .contain").append(made);
    return found || made;
  }

  function away(text) {
    const { node, timer } = shown.get(text) || {};
    clearTimeout(timer);
    if (node) node.remove();
    shown.delete(text);
  }
})();
