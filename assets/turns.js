// Draws the turns of a conversation and its system text, and changes their order, roles and what is learned of them.
const ROLES = ["user", "assistant"];

function button(text, classes, does, key, title) {
  const node = press(text, classes, does);
  if (key) node.dataset.key = key;
  if (title) { node.title = title; node.setAttribute("aria-label", title); }
  return node;
}

function grow(area) {
  if (CSS.supports("field-sizing", "content")) return;
  area.style.height = "auto";
  area.style.height = area.scrollHeight + 2 + "px";
}

function turn(message) {
  const row = make("div"), who = make("div", "who"), role = button("", "role", () => flip(row)), area = make("textarea"), tools = make("div", "tools");
  const learned = button("", "learned", () => toggle(row));
  row.message = { ...message };
  aim(area, message.content);
  area.value = message.content;
  area.rows = 1;
  area.spellcheck = true;
  area.oninput = () => { edited(row); aim(area, area.value); grow(area); changed(); };
  area.addEventListener("beforeinput", event => aim(area, area.value + (event.data || "")));
  area.onkeydown = event => turnKey(event, row, area);
  who.append(role, learned);
  tools.append(button("↑", "quiet", () => move(row, -1), "", "Move this turn up"), button("↓", "quiet", () => move(row, 1), "", "Move this turn down"),
    deedsOf(row, area), button("×", "quiet", () => drop(row), "", "Delete this turn"));
  const side = make("div", "side");
  side.append(tools, make("span", "length soft num"));
  row.append(who, area, side);
  dress(row);
  return row;
}

// What is done to a turn less often; also by Alt Enter from its text.
function deedsOf(row, area) {
  return menuOf("⋯", "More for this turn",
    button("Insert a turn below", "quiet", () => insert(row, "")), button("Split at the cursor", "quiet", () => split(row, area)),
    button("Join with the next", "quiet", () => join(row, area)), button("Draft an answer here", "quiet", () => draftFor(row)), button("Delete", "quiet", () => drop(row), "", "Delete this turn and go to the one beside it"));
}

// A turn of the other role below this one.
function insert(row, content) {
  const made = turn({ role: ROLES.find(each => each !== row.message.role), content, drafted: content ? row.message.drafted : undefined });
  row.after(made);
  grow(made.querySelector("textarea"));
  made.querySelector("textarea").focus();
  changed(content ? 0 : PAUSE);
}

function split(row, area) {
  const at = area.selectionStart, rest = area.value.slice(at).trim();
  if (!rest || !area.value.slice(0, at).trim()) { notes.replaceChildren(); note("", "Put the cursor where the next turn begins, then split."); area.focus(); return; }
  area.value = area.value.slice(0, at).trimEnd();
  grow(area);
  insert(row, rest);
}

function join(row, area) {
  const next = row.nextElementSibling;
  if (!next) return;
  area.value = [area.value, next.querySelector("textarea").value].filter(Boolean).join("\n\n");
  row.message.drafted = row.message.drafted || next.message.drafted;
  next.remove();
  dress(row);
  grow(area);
  area.focus();
  changed(0);
}

function dress(row) {
  const { role, weight } = row.message, left = row.querySelector(".learned"), off = weight === 0;
  row.className = "turn " + role + (off ? " off" : "");
  row.querySelector(".role").textContent = role;
  row.querySelector(".role").title = "Make this the " + ROLES.find(each => each !== role) + "'s turn";
  row.querySelector("textarea").setAttribute("aria-label", role + " says");
  row.querySelector("textarea").placeholder = role === "user" ? "What somebody asks or says" : "What the model should answer, in your words";
  left.hidden = role !== "assistant";
  left.textContent = off ? "not learned" : "learned";
  left.setAttribute("aria-pressed", String(!off));
  left.title = off ? "The model sees this answer and does not learn it. Press to have it learned." : "The model learns this answer. Press to have it seen only.";
  dressDraft(row);
}

function flip(row) { row.message.role = ROLES.find(each => each !== row.message.role); dress(row); changed(0); }

function toggle(row) {
  const was = row.message.weight;
  row.message.weight = was === 0 ? row.before ?? null : 0;
  if (was !== 0) row.before = was;
  dress(row);
  changed(0);
}

// The neighbour moves, not the row itself: so the row keeps the cursor and what its text field can undo.
function move(row, way) {
  const other = way < 0 ? row.previousElementSibling : row.nextElementSibling;
  if (!other) return;
  if (way < 0) row.after(other); else row.before(other);
  changed(0);
}

function drop(row) {
  const after = row.nextElementSibling, beside = after || row.previousElementSibling;
  row.remove();
  (beside ? beside.querySelector("textarea") : foot.querySelector("button")).focus();
  changed(0);
  notes.replaceChildren();
  note("", "The turn was deleted.", button("Undo", "", () => { if (after && after.isConnected) after.before(row); else turns.append(row); notes.replaceChildren(); row.querySelector("textarea").focus(); changed(0); }));
}

function addTurn() {
  const last = turns.lastElementChild;
  const row = turn({ role: last && last.message.role === "user" ? "assistant" : "user", content: "" });
  turns.append(row);
  row.querySelector("textarea").focus();
  changed();
}

// The system text: the conversation's own, or the project's

function drawSystem() {
  const own = doc.system !== null, row = make("div", "turn system"), who = make("div", "who"), tools = make("div", "tools");
  who.append(make("span", "role", "system"));
  row.append(who);
  if (own) {
    const area = make("textarea");
    area.value = doc.system;
    area.rows = 1;
    area.dir = "auto";
    area.setAttribute("aria-label", "System text of this conversation");
    area.oninput = () => { doc.system = area.value; grow(area); changed(); };
    row.append(area);
    tools.append(button("Use the project's", "quiet", () => { doc.system = null; drawSystem(); changed(0); }));
  } else {
    row.append(make("p", "soft text", system || "No system text. It tells the model who it is, before every conversation of this project."));
    tools.append(button("Edit for all", "quiet", editSystem, "", "Edit the system text of the project"), button("Only here", "quiet", () => { doc.system = system; drawSystem(); changed(0); }, "", "Give this conversation a system text of its own"));
  }
  row.append(tools);
  above.replaceChildren(row);
  above.querySelectorAll("textarea").forEach(grow);
}

function editSystem() {
  const form = make("div", "turn system"), area = make("textarea"), who = make("div", "who"), row = make("div", "row"), body = make("div", "form"), wrong = make("span", "bad");
  area.value = system;
  area.rows = 2;
  area.dir = "auto";
  area.setAttribute("aria-label", "System text of the project");
  wrong.setAttribute("role", "alert");
  async function keep() {
    try {
      const answer = await timed(server.on_system({ project, text: area.value }));
      if (answer.error) throw new Error(answer.error.message);
      system = answer.system;
      drawSystem();
    } catch (error) { wrong.textContent = error.message || "Not saved. Try again."; }
  }
  who.append(make("span", "role", "system"));
  row.append(button("Save for all conversations", "", keep), button("Cancel", "quiet", drawSystem), wrong);
  body.append(area, make("p", "soft small", "The project's system text stands before every conversation that has none of its own, when training and when asking."), row);
  form.append(who, body);
  above.replaceChildren(form);
  grow(area);
  area.focus();
}
