// The history of the open conversation: who changed what and when, word by word, and the way back to any version.
const DEEDS = { saved: "saved", imported: "imported", deleted: "put into the bin", restored: "taken out of the bin", "kept aside": "kept aside, for somebody else had saved first", undone: "one step undone", redone: "one step redone" };
const CHANGES = { same: "", changed: "changed", gone: "deleted", new: "new" };
const past = make("section", "past");
const pastButton = button("History", "quiet", () => (past.hidden ? openPast() : closePast()));
const undoButton = button("↶", "quiet", () => walk("undo"), "ctrl+z", "Undo the last saved step (Ctrl Z outside a text field)");
const redoButton = button("↷", "quiet", () => walk("redo"), "ctrl+shift+z", "Redo (Ctrl Shift Z outside a text field)");
past.hidden = true;
past.setAttribute("aria-label", "History");
pastButton.setAttribute("aria-expanded", "false");

function closePast() {
  past.hidden = true;
  past.replaceChildren();
  pastButton.setAttribute("aria-expanded", "false");
}

async function openPast() {
  if (!doc || !doc.id || !(await leave())) return;
  const answer = await ask(server.on_history, {});
  if (!answer) return;
  const list = make("ol", "steps");
  list.append(...answer.steps.map(step));
  past.replaceChildren(make("h3", "", "History"), list);
  past.hidden = false;
  pastButton.setAttribute("aria-expanded", "true");
}

function step(each) {
  const item = make("li"), said = "Version " + each.version + ", " + DEEDS[each.kind] + " by " + each.by;
  const opener = button(said, "quiet", () => (item.querySelector(".changes") ? fold(item, opener) : unfold(item, opener, each)));
  opener.setAttribute("aria-expanded", "false");
  item.append(opener, make("span", "soft num", new Date(each.at).toLocaleString("en-GB")));
  if (each.reason) item.append(make("p", "why", "Rejected: " + each.reason));
  return item;
}

function fold(item, opener) {
  item.querySelector(".changes").remove();
  opener.setAttribute("aria-expanded", "false");
}

async function unfold(item, opener, each) {
  const answer = await ask(server.on_step, { place: each.place });
  if (!answer || item.querySelector(".changes")) return;
  const changes = make("div", "changes");
  changes.append(...answer.turns.map(difference));
  const newest = each.version === doc.version && each.kind !== "kept aside";
  if (!newest && !doc.deleted) changes.append(button("Restore this version", "", () => restorePast(each, answer.content), "", "Put the text of version " + each.version + " in the place of the newest"));
  item.append(changes);
  opener.setAttribute("aria-expanded", "true");
}

function difference([role, kind, relearned, parts]) {
  const row = make("div", "change " + kind), text = make("p", "text"), what = [CHANGES[kind], relearned ? "learned or not" : ""].filter(Boolean).join(", ");
  for (const [how, words] of parts) text.append(how === "same" ? words : make(how === "gone" ? "del" : "ins", "", words));
  row.append(make("span", "who", role + (what ? " (" + what + ")" : "")), text);
  return row;
}

function restorePast(each, content) {
  show({ ...doc, ...content });
  changed(0);
  note("", "The text of version " + each.version + " is back. What came after it stays in the history.");
}

// One step back or on again, also over a restart: the studio keeps the steps.
async function walk(way) {
  if (!doc || !doc.id || !(await leave())) return;
  const answer = await ask(server.on_walk, { way });
  if (!answer) return;
  await open(doc.id);
  tell("studio:saved", { id: doc.id });
}

// Asks the studio about the open conversation; a refusal is told, and answers null.
async function ask(deed, more) {
  try {
    const answer = await timed(deed({ project, conversation: doc.id, ...more }));
    if (!answer.error) return answer;
    notes.replaceChildren();
    note("bad", answer.error.message);
  } catch (error) { note("bad", "The studio does not answer. Try again in a moment."); }
  return null;
}
