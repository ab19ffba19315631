// The conversation editor: draws turns by DOM calls (never HTML from text), saves after a pause, and calls nothing saved that the disk has not got.
const PAUSE = 800, STATUSES = ["draft", "ready", "approved", "rejected"];
let project = "", system = "", doc = null, edits = 0, saved = 0, pending = null, running = null, timer = null, failures = 0, turnSeen = null;

const tell = (name, detail) => document.dispatchEvent(new CustomEvent(name, { detail }));
const hear = (name, does) => document.addEventListener(name, function listener(event) {
  if (element.isConnected) does(event); else document.removeEventListener(name, listener);
});
const padded = number => String(number).padStart(4, "0");
const clock = at => new Date(at).toLocaleTimeString("en-GB");
const named = of => of.id || "new-" + of.local;
const dirty = () => edits !== saved || pending !== null;

// The frame, made once.
const head = make("div", "head"), notes = make("div", "notes"), above = make("div", "system"), turns = make("div", "turns"), foot = make("div", "foot");
const title = make("h2"), version = make("span", "soft num version"), state = make("span", "saved right"), status = make("select"), label = make("label", "status");
const approve = button("Approve", "", () => judge("approved"), "a"), reject = button("Reject", "quiet", () => judge("rejected"), "r"), copy = button("Duplicate", "quiet", duplicate), bin = button("Delete", "quiet", remove);
state.setAttribute("role", "status");
for (const each of STATUSES) status.append(new Option(each, each));
status.onchange = () => heldBack() || changed(0);
status.setAttribute("aria-label", "Status");
label.append(status);
head.append(title, version, label, sum, state, undoButton, redoButton, pastButton);
for (const [node, cap] of [[approve, "a"], [reject, "r"]]) node.append(make("kbd", "", cap));
const onward = button("Save and next", "primary", () => next(), "ctrl+enter");
onward.append(make("kbd", "", "Ctrl Enter"));
const now = button("Save", "now", () => save(), "ctrl+s", "Save now (Ctrl S)");
foot.append(button("Add turn", "", addTurn, "ctrl+shift+enter"), copy, bin, other, make("span", "right"), reject, approve, now, onward);
element.querySelector(".editor").replaceChildren(head, past, notes, above, turns, labels, kept, foot);

function say(text, kind) {
  state.textContent = text;
  state.className = "saved right " + (kind || "");
}

function note(kind, text, ...buttons) {
  const node = make("div", "note " + kind);
  node.setAttribute("role", kind ? "alert" : "status");
  node.append(make("p", "", text));
  if (buttons.length) { const row = make("div", "row"); row.append(...buttons); node.append(row); }
  notes.append(node);
  return node;
}

// Reading the page into a change, and saving it

function read() {
  const said = [...turns.children].map(row => ({ ...row.message, content: row.querySelector("textarea").value }));
  return { messages: doc.system === null ? said : [{ role: "system", content: doc.system }, ...said], status: status.value, tags: doc.tags, note: doc.note, reason: doc.reason || "" };
}

const blank = change => !change.messages.some(each => each.content.trim());

function keep() {
  const kept = drafts.keep(project, named(doc), { conversation: doc.id, version: doc.version, ...read(), pending: pending && pending.change });
  if (!kept) say("Not saved yet, and this browser has no room to keep it. Press Save.", "bad");
}

function changed(wait = PAUSE) {
  if (!doc || doc.deleted) return;
  heldBack();
  placeDraft();
  edits += 1;
  unapprove();
  measure();
  say("Not saved yet", "soft");
  keep();
  later(wait);
}

function later(wait) {
  clearTimeout(timer);
  timer = setTimeout(save, wait);
}

function timed(promise) {
  return Promise.race([promise, new Promise((_, fail) => setTimeout(() => fail(new Error("The studio did not answer in time.")), 15000))]);
}

function save() {
  clearTimeout(timer);
  if (!running) running = saving().finally(() => { running = null; });
  return running;
}

function send(change) {
  pending = { edits, change: { request: drafts.random(), project, conversation: doc.id, version: doc.version, ...change } };
  keep();
}

// Sends one change after the other until nothing is left. A change whose answer was lost is sent again as it was: its
// request id lets the studio do it once. Answers whether all is saved.
async function saving() {
  while (dirty()) {
    const mine = doc;
    if (!pending) {
      const change = read();
      if (!mine.id && blank(change)) { saved = edits; drafts.drop(project, named(mine)); say(""); return true; }
      send(change);
    }
    say("Saving", "soft");
    let answer;
    try { answer = await timed(server.on_save(pending.change)); } catch (error) { answer = null; }
    if (!answer) { later(Math.min(10000, 1000 * 2 ** failures++)); say("Not saved, retrying. Your text is kept in this browser.", "bad"); return false; }
    failures = 0;
    if (answer.conflict) { pending = null; saved = edits; drafts.drop(project, named(doc)); notes.replaceChildren(); clash(answer.conflict, read()); return false; }
    if (answer.error) { pending = null; say("Not saved", "bad"); notes.replaceChildren(); note("bad", answer.error.message); return false; }
    acknowledged(mine, answer.conversation);
  }
  return true;
}

function acknowledged(mine, conversation) {
  saved = pending.edits;
  pending = null;
  drafts.drop(project, named(mine));
  Object.assign(mine, { id: conversation.id, number: conversation.number, version: conversation.version });
  notes.querySelectorAll(".bad").forEach(node => node.remove());
  if (dirty()) keep(); else say("Saved " + clock(conversation.updated_at));
  entitle();
  if (!past.hidden) closePast();
  remember();
  if (mine.version === 1) trigger("submit", {});
  tell("studio:saved", { id: mine.id });
  tell("studio:opened", { id: mine.id });
}

// Opening, making, deleting

function entitle() {
  for (const node of [undoButton, redoButton, pastButton]) node.hidden = !doc.id;
  title.textContent = doc.id ? "Conversation " + padded(doc.number) : "New conversation";
  version.textContent = doc.version ? "version " + doc.version : "";
}

function show(conversation) {
  const own = conversation.messages.length && conversation.messages[0].role === "system", back = holder();
  doc = { ...conversation, system: own ? conversation.messages[0].content : null };
  edits = saved = 0;
  pending = null;
  failures = 0;
  clearTimeout(timer);
  notes.replaceChildren();
  closePast();
  closeKept();
  entitle();
  status.value = doc.status;
  turns.replaceChildren(...conversation.messages.slice(own ? 1 : 0).map(turn));
  turns.querySelectorAll("textarea").forEach(grow);
  drawSystem();
  drawLabels();
  drawLengths({});
  measure(0);
  element.classList.toggle("deleted", Boolean(doc.deleted));
  for (const node of element.querySelectorAll(".turns textarea, .turns button, .labels input, .labels textarea, .labels button, .system button, .system textarea, .foot button, select")) node.disabled = Boolean(doc.deleted);
  say(doc.version ? "Saved " + clock(doc.updated_at) : "");
  if (doc.deleted) note("warn", "Conversation " + padded(doc.number) + " is in the bin.", button("Undo", "", putBack));
  back();
  remember();
  tell("studio:opened", { id: doc.id });
}

function remember() { sessionStorage.setItem("studio.open." + project, doc.id); }

function fresh(messages = [{ role: "user", content: "" }, { role: "assistant", content: "" }]) {
  show({ id: "", local: drafts.random(), number: 0, version: 0, status: "draft", tags: [], note: "", messages });
  point(turns.querySelector("textarea"));
}

// A new conversation with the same text, a draft until somebody has looked at it.
async function duplicate() {
  if (!(await leave())) return;
  const { messages, tags } = read();
  show({ id: "", local: drafts.random(), number: 0, version: 0, status: "draft", tags, note: "", messages });
  changed(0);
  note("", "This is a copy. The other conversation stays as it is.");
  point(turns.querySelector("textarea"));
}

// Puts the cursor there as soon as it can be seen.
function point(area, tries = 20) {
  if (!area || !area.isConnected) return;
  area.focus();
  if (document.activeElement !== area && tries) setTimeout(() => point(area, tries - 1), 50);
}

// Leaving saves first. What cannot be saved just now stays in this browser and is sent as soon as the studio answers.
async function leave() {
  stopDraft();
  if (doc && !doc.deleted && dirty()) await save();
  return !doc || !dirty();
}

async function open(id, focus) {
  if (!(await leave())) return;
  try {
    const answer = await timed(server.on_read({ project, conversation: id }));
    if (answer.error) { notes.replaceChildren(); note("bad", answer.error.message); return; }
    if (!(await leave())) return; // somebody typed on meanwhile
    show(answer.conversation);
    if (focus) point(turns.querySelector("textarea"));
  } catch (error) { notes.replaceChildren(); note("bad", "The studio does not answer, so this conversation could not be opened. Try again in a moment."); }
}

async function next(typed) {
  if (!doc || !doc.local) { if (await leave()) tell("studio:next", {}); return; }
  const typing = ahead(typed), free = await leave();
  if (free) await another();
  await typing(free);
}

async function remove() {
  if (!doc.id) return fresh();
  if (!(await leave())) return;
  await bring(server.on_delete);
}

async function putBack() { await bring(server.on_restore); }

async function bring(deed) {
  try {
    const answer = await timed(deed({ project, conversation: doc.id }));
    if (answer.error) { note("bad", answer.error.message); return; }
    show(answer.conversation);
    tell("studio:saved", {});
  } catch (error) { note("bad", "The studio does not answer. Nothing was changed; try again in a moment."); }
}

// What an earlier page of this browser could not save is saved now. Answers with the newest of it, and whether somebody
// else had saved first: then the text is in the history, and is shown beside theirs.
async function recover() {
  let found = null;
  for (const { name, draft } of await drafts.left(project)) {
    try {
      const answer = await resend(draft);
      if (answer.error) continue;
      drafts.forget(name);
      if (answer.conflict) found = { id: answer.conflict.theirs.id, clash: answer.conflict, mine: { messages: draft.messages, status: draft.status, tags: draft.tags, note: draft.note, reason: draft.reason } }; else if (answer.conversation) found = { id: answer.conversation.id };
    } catch (error) { break; }
  }
  return found;
}

const same = (one, other) => ["messages", "status", "tags", "note", "reason"].every(name => JSON.stringify(one[name]) === JSON.stringify(other[name]));

async function resend(draft) {
  const { pending: sent, at, ...change } = draft;
  const earlier = sent ? await timed(server.on_save(sent)) : {};
  if (sent && same(sent, change)) return earlier;
  if (earlier.conversation) Object.assign(change, { conversation: earlier.conversation.id, version: earlier.conversation.version });
  return blank(change) ? {} : timed(server.on_save({ request: drafts.random(), project, ...change }));
}

async function load() {
  const value = props.value || {};
  if (!value.project || value.turn === turnSeen) return;
  turnSeen = value.turn;
  if (value.project === project && !value.start && !value.opened) { reread(value.system); return; }
  await leave();
  const other = value.project !== project;
  project = value.project;
  system = value.system;
  const back = other ? await recover() : null;
  const last = back ? back.id : value.opened ? value.opened : value.start === "first" ? "" : sessionStorage.getItem("studio.open." + project);
  if (value.start === "new" && !back) fresh(); else if (last) await open(last); else await first();
  if (value.start || value.opened) tell("studio:saved", {});
  if (value.said && !back) note("", value.said);
  land();
  if (!back) return;
  trigger("submit", {});
  tell("studio:saved", {});
  if (back.clash) clash(back.clash, back.mine); else note("", "Text that was not saved when the page closed was put back, and is saved now.");
}

// The tab was opened again: what another window or a terminal changed meanwhile is shown, unless something is being written.
async function reread(text) {
  if (!doc || !doc.id || dirty()) return;
  const answer = await timed(server.on_read({ project, conversation: doc.id })).catch(() => null);
  const found = answer && answer.conversation, changed = system !== text;
  system = text;
  if (!found || found.id !== doc.id || dirty()) return;
  if (found.version !== doc.version) show(found); else if (changed) drawSystem();
}

async function first() {
  const page = await server.on_page({ project, search: "", status: "", binned: false, first: 1, size: 1 });
  if (page && page.rows && page.rows.length) await open(page.rows[0].id); else fresh();
}

beginTogether();
beginReview();
hear("studio:open", async event => { await open(event.detail.id); nearer(); });
hear("studio:new", async () => { if (await leave()) fresh(); });
hear("studio:begin", event => begin(event.detail.template));
hear("studio:keep-template", () => openKept());
hear("studio:marked", () => reread(system));
hear("studio:back", () => { if (dirty()) save(); });
new ResizeObserver(() => element.querySelectorAll(".turns textarea, .labels textarea").forEach(grow)).observe(element);
watch("value", load);
load();
