// Keys for the whole page: single letters work outside text fields, on what is seen; "?" lists them.
(() => {
  const KEYS = [
    ["Ctrl Enter", "Save and open the next conversation"], ["Ctrl S", "Save now"], ["n", "New conversation"], ["t", "New conversation from a template"], ["/", "Search"],
    ["j", "Next conversation in the list"], ["k", "Previous conversation in the list"], ["x", "Select the open conversation in the list, to mark several at once"], ["a", "Approve"], ["r", "Reject, and say why"], ["v", "Review what waits for a second pair of eyes"], ["Ctrl D", "Let a model draft the answer"],
    ["Tab", "From the text of a turn to the next one; Shift Tab goes back"], ["Ctrl Shift Enter", "Add a turn"],
    ["Alt ↑ Alt ↓", "Move the turn that one writes in"], ["Alt Enter", "More for this turn: insert, split, join, delete"],
    ["Ctrl Z", "Undo the last saved step; in a text field, the last typing"], ["Ctrl Shift Z", "Redo"],
    ["Esc", "Leave a text field, so that the letters above work; Tab then goes to the buttons beside it; stop a draft"], ["?", "Show these keys"],
  ];
  const seen = node => node && node.getClientRects().length > 0;
  const typing = node => node && (node.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(node.tagName));

  function list() {
    const dialog = document.createElement("dialog"), title = document.createElement("h2"), keys = document.createElement("dl"), close = document.createElement("button");
    dialog.id = "shortcuts";
    dialog.setAttribute("aria-labelledby", "shortcuts-title");
    title.id = "shortcuts-title";
    title.textContent = "Shortcuts";
    for (const [key, does] of KEYS) {
      const name = document.createElement("dt"), sense = document.createElement("dd"), cap = document.createElement("kbd");
      cap.textContent = key;
      name.append(cap);
      sense.textContent = does;
      keys.append(name, sense);
    }
    close.textContent = "Close";
    close.type = "button";
    close.onclick = () => dialog.close();
    dialog.onclose = () => dialog.remove();
    dialog.append(title, keys, close);
    (document.querySelector(".gradio-container .contain") || document.body).append(dialog);
    dialog.showModal();
  }

  // An element that takes a key says so in data-key, such as data-key="n" or data-key="ctrl+enter".
  function wished(event) {
    const name = event.key.toLowerCase();
    return event.ctrlKey || event.metaKey ? "ctrl+" + (event.shiftKey ? "shift+" : "") + name : name;
  }

  function take(event) {
    if (event.defaultPrevented || event.isComposing || event.altKey || document.querySelector("dialog[open]")) return;
    const held = event.ctrlKey || event.metaKey;
    if (event.key === "Escape" && typing(document.activeElement)) return document.activeElement.blur();
    if (typing(event.target) && (!held || event.key.toLowerCase() === "z")) return; // a text field undoes its own typing
    if (!held && event.key === "?") { event.preventDefault(); return list(); }
    const target = [...document.querySelectorAll("[data-key]")].find(node => node.dataset.key.split(" ").includes(wished(event)) && seen(node));
    if (!target) return;
    event.preventDefault();
    if (typing(target)) { target.focus(); if (target.select) target.select(); } else if (!target.disabled) target.click();
  }

  // Gradio's dropdowns look at a key a moment later, and open again when Tab has left them.
  function leave(event) {
    if (event.key === "Tab" && event.target.matches("[role=combobox]")) event.stopPropagation();
  }

  document.addEventListener("keydown", leave, true);
  document.addEventListener("keydown", take);
  document.addEventListener("studio:help", list);
})();
