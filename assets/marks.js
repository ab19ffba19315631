// Several conversations chosen in the list, and what is done to all of them at once; the last deed can be undone as one.
const picked = new Set(), bar = make("div", "marks"), tagField = make("input", "tag-all");
let lastMade = null, lastSaid = "";
bar.setAttribute("role", "status");
bar.hidden = true;
tagField.placeholder = "Add a tag to all";
tagField.setAttribute("aria-label", "Add a tag to all selected");
tagField.maxLength = 100;
tagField.onkeydown = event => { if (event.key === "Enter" && tagField.value.trim()) markAll({ tag: tagField.value }, "tagged"); };

function plain(text, does) { return press(text, "quiet", does); }

function pickBox(each) {
  const box = make("input", "pick");
  box.type = "checkbox";
  box.checked = picked.has(each.id);
  box.setAttribute("aria-label", "Select conversation " + padded(each.number));
  box.onchange = () => pick(each.id, box.checked);
  return box;
}

function pick(id, on) {
  if (on) picked.add(id); else picked.delete(id);
  lastMade = null;
  drawMarks();
}

// From the keyboard: the conversation that is open.
function pickOpen() {
  if (!chosen || binned) return;
  pick(chosen, !picked.has(chosen));
  const box = [...rows.querySelectorAll("li")].find(item => item.querySelector("button").dataset.id === chosen);
  if (box) box.querySelector(".pick").checked = picked.has(chosen);
}

function drawMarks() {
  rows.classList.toggle("picking", picked.size > 0);
  bar.hidden = !picked.size && !lastMade;
  if (picked.size) {
    bar.replaceChildren(make("b", "num", picked.size.toLocaleString("en") + " selected"), plain("Approve", () => markAll({ status: "approved" }, "approved")), plain("Reject", askWhyAll),
      plain("Delete", () => markAll({ deleted: true }, "put into the bin")), plain("Select none", () => { picked.clear(); drawMarks(); refresh(); }), tagField);
  } else if (lastMade) {
    bar.replaceChildren(make("span", "", lastSaid), plain("Undo", unmarkAll));
  }
}

// The authors read why; nothing need be said.
function askWhyAll() {
  const field = make("input", "tag-all"), does = () => markAll({ status: "rejected", reason: field.value }, "rejected");
  field.placeholder = "Why? A few words for the authors, or nothing";
  field.setAttribute("aria-label", "Why all selected are rejected");
  field.maxLength = 1000;
  field.onkeydown = event => { if (event.key === "Enter") does(); else if (event.key === "Escape") { event.stopPropagation(); drawMarks(); } };
  bar.replaceChildren(make("b", "num", picked.size.toLocaleString("en") + " selected"), field, plain("Reject them", does), plain("Cancel", drawMarks));
  field.focus();
}

async function markAll(what, done) {
  tagField.value = "";
  const answer = await server.on_mark({ project, ids: [...picked], ...what }).catch(() => null);
  told(answer, made => made.length.toLocaleString("en") + " " + done + ".", answer && answer.made);
}

async function unmarkAll() {
  const answer = await server.on_unmark({ project, made: lastMade }).catch(() => null);
  told(answer, made => made.length === lastMade.length ? "Undone." : made.length.toLocaleString("en") + " undone; the others were changed since.", null);
}

function told(answer, words, made) {
  if (!answer || answer.error) { range.textContent = answer ? answer.error.message : "The studio does not answer. Nothing was changed; try again in a moment."; return; }
  const said = words(answer.made);
  picked.clear();
  lastMade = made && made.length ? made : null;
  lastSaid = said;
  drawMarks();
  if (!lastMade) { bar.hidden = false; bar.replaceChildren(make("span", "", said)); }
  tell("studio:saved", {});
  tell("studio:marked", {});
}
