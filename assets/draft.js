// A model drafts an answer into a turn: who writes it, how it grows and is stopped, and its mark until a person has accepted or edited it.
const VOUCHED = ["ready", "approved"], DRAFT_POLL = 150;
const draftBar = make("div", "under draft-bar"), draftBy = make("label", "by"), draftArm = make("select"), draftState = make("span", "soft");
const draftGo = button("Draft an answer", "", () => draftFor(draftBar.closest(".turn"))), draftStop = button("Stop", "", () => stopDraft());
const draftKey = button("", "unseen", () => draftHere(), "ctrl+d");
let draftNow = null, draftArms = [["base", "the base model"]], armsSeen = null;
draftGo.append(make("kbd", "", "Ctrl D"));
draftStop.append(make("kbd", "", "Esc"));
draftKey.tabIndex = -1;
draftKey.setAttribute("aria-hidden", "true");
draftState.setAttribute("role", "status");
draftArm.setAttribute("aria-label", "Who drafts");
draftArm.onchange = () => localStorage.setItem("studio.arm." + project, draftArm.value);
draftBy.append("by", draftArm);
draftBar.append(draftGo, draftBy, draftStop, draftState);
element.append(draftKey);
document.addEventListener("studio:opened", function opened() {
  if (!element.isConnected) return document.removeEventListener("studio:opened", opened);
  placeDraft();
  if (armsSeen !== turnSeen) readArms();
});
document.addEventListener("keydown", function escaped(event) {
  if (!element.isConnected) return document.removeEventListener("keydown", escaped, true);
  if (event.key !== "Escape" || !draftNow) return;
  event.preventDefault();
  stopDraft();
}, true);

const armLabel = arm => (draftArms.find(([name]) => name === arm) || ["", arm.replace("endpoint:", "").replace("run:", "run ").replace(/^(run \d+)@(\d+)/, "$1 after $2 updates")])[1];

async function readArms() {
  armsSeen = turnSeen;
  const answer = await timed(server.on_arms({ project })).catch(() => null);
  if (!answer || answer.error) return;
  draftArms = answer.arms;
  draftArm.replaceChildren(...draftArms.map(([name, label]) => new Option(label, name)));
  const last = localStorage.getItem("studio.arm." + project);
  draftArm.value = draftArms.some(([name]) => name === last) ? last : "base";
  placeDraft();
  for (const row of turns.children) dressDraft(row);
}

// The bar stands where an answer is missing or a draft: in the last answer, or below a last question; while a model writes, there.
function placeDraft() {
  const last = turns.lastElementChild, text = last && last.querySelector("textarea").value.trim();
  const row = draftNow ? draftNow.row : doc && !doc.deleted && last && (last.message.role === "user" || last.message.drafted || !text) ? last : null;
  if (!row) return draftBar.remove();
  const question = row.message.role === "user" ? row : row.previousElementSibling;
  draftGo.disabled = !question || !question.querySelector("textarea").value.trim();
  draftGo.firstChild.textContent = row.message.drafted ? "Draft another" : "Draft an answer";
  draftStop.hidden = draftState.hidden = !draftNow;
  draftGo.hidden = Boolean(draftNow);
  draftBy.hidden = Boolean(draftNow) || draftArms.length < 2;
  if (draftBar.parentElement !== row) row.append(draftBar);
}

function draftHere() {
  const row = document.activeElement.closest(".turns .turn") || turns.lastElementChild;
  if (row && !doc.deleted && !draftNow) draftFor(row);
}

// `row` is the question, or the answer itself. What a person wrote is replaced only when that was said, and stays in the history.
async function draftFor(row, sure) {
  const next = row.nextElementSibling;
  const answer = row.message.role === "assistant" ? row : next && next.message.role === "assistant" ? next : null;
  const theirs = answer && !answer.message.drafted && answer.querySelector("textarea").value.trim();
  if (theirs && !sure) return askFirst(answer);
  if (!(await leave()) || draftNow || !row.isConnected) return;
  const made = answer || turn({ role: "assistant", content: "" });
  if (!answer) row.after(made);
  const mine = draftNow = { row: made, arm: draftArm.value || "base", doc, name: "" };
  showDraft("Starting");
  draftStop.focus();
  const until = [...turns.children].indexOf(made) + (doc.system === null ? 0 : 1);
  const begun = await draftAsk(server.on_draft, { project, conversation: doc.id, messages: read().messages.slice(0, until), arm: mine.arm });
  mine.name = begun.draft;
  if (draftNow !== mine) { if (mine.name) draftAsk(server.on_undraft, { draft: mine.name }); return; }
  if (begun.error) endDraft(mine, begun.error); else followDraft(mine);
}

function askFirst(row) {
  notes.replaceChildren();
  const back = () => { notes.replaceChildren(); row.querySelector("textarea").focus(); };
  const node = note("warn", "This turn has text already. A draft takes its place; the text stays in the history.",
    button("Draft over it", "", () => { notes.replaceChildren(); draftFor(row, true); }), button("Keep the text", "", back));
  node.querySelector("button").focus();
}

// Without an answer Gradio 6.31 gives undefined, and does not throw.
async function draftAsk(deed, given) {
  const answer = await timed(deed(given)).catch(() => null);
  return answer || { error: { message: "The studio does not answer. What is here is kept; draft again in a moment." } };
}

async function followDraft(mine) {
  while (draftNow === mine) {
    const found = await draftAsk(server.on_drafted, { draft: mine.name });
    if (draftNow !== mine) return;
    if (doc !== mine.doc || !mine.row.isConnected) return stopDraft();
    if (found.error) return endDraft(mine, found.error);
    takeDraft(mine, found);
    if (found.done) return endDraft(mine);
    showDraft(found.text ? "Writing" : found.loading !== null ? "Loading the model, " + found.loading + " %" : found.waiting ? "Waiting for another answer to end" : "Reading the question");
    await new Promise(go => setTimeout(go, DRAFT_POLL));
  }
}

function takeDraft(mine, found) {
  const { row } = mine, area = row.querySelector("textarea");
  row.draftFrom = found;
  if (!found.text || (found.text === area.value && row.message.drafted)) return;
  area.value = row.draftText = found.text;
  row.draftArm = row.message.drafted = mine.arm;
  dress(row);
  grow(area);
  if (VOUCHED.includes(status.value)) status.value = "draft";
  changed(1500);
}

function showDraft(text) {
  const area = draftNow.row.querySelector("textarea");
  area.readOnly = true;
  area.setAttribute("aria-busy", "true");
  if (draftState.textContent !== text) draftState.textContent = text;
  placeDraft();
}

function stopDraft() {
  const mine = draftNow;
  if (!mine) return;
  if (mine.name) draftAsk(server.on_undraft, { draft: mine.name });
  endDraft(mine);
}

function endDraft(mine, error) {
  const { row } = mine, area = row.querySelector("textarea"), focused = draftBar.contains(document.activeElement);
  draftNow = null;
  area.readOnly = false;
  area.removeAttribute("aria-busy");
  dressDraft(row);
  placeDraft();
  if (focused) area.focus();
  if (row.message.drafted && mine.doc === doc) changed(0);
  if (error) { notes.replaceChildren(); note("bad", error.message); }
}

// The mark: it goes when the text is accepted or edited, and comes back with the draft's own text.

function edited(row) {
  if (row.draftText === undefined) return;
  row.message.drafted = row.querySelector("textarea").value === row.draftText ? row.draftArm : undefined;
  dress(row);
}

function acceptDraft(row) {
  row.message.drafted = row.draftText = undefined;
  dress(row);
  row.querySelector("textarea").focus();
  changed(0);
}

// Called whenever a turn is drawn.
function dressDraft(row) {
  const { drafted } = row.message, area = row.querySelector("textarea"), old = row.querySelector(".drafted-by");
  if (old) old.remove();
  row.classList.toggle("drafted", Boolean(drafted));
  area.removeAttribute("aria-describedby");
  if (!drafted) return;
  if (row.draftText === undefined) { row.draftText = area.value; row.draftArm = drafted; }
  const node = make("div", "under drafted-by"), said = make("p", "", "Draft by " + armLabel(drafted) + ". Read it, then accept or edit it.");
  said.id = "draft-" + drafts.random();
  area.setAttribute("aria-describedby", said.id);
  node.append(said);
  if (!draftNow || draftNow.row !== row) node.append(button("Accept", "", () => acceptDraft(row)));
  if (row.draftFrom) node.append(draftSource(row.draftFrom));
  row.insertBefore(node, draftBar.parentElement === row ? draftBar : null);
}

function draftSource({ examples, dropped, ended }) {
  const node = make("p", "soft small"), count = examples.length;
  node.append(count ? "With " + count + " nearest approved " + (count === 1 ? "example: " : "examples: ") : "Without examples: none is approved yet.");
  if (!count && dropped) node.textContent = "Without examples: none had room beside the question.";
  examples.forEach(([id, number], place) => {
    if (place) node.append(", ");
    node.append(button(padded(number), "link num", () => open(id), "", "Open example " + padded(number)));
  });
  if (count && dropped) node.append("; " + dropped + " more had no room");
  if (count) node.append(".");
  if (ended) node.append(" " + ended);
  return node;
}

// A conversation with an unread draft is not approved or ready: the status goes back, with a sentence. Answers whether it did.
function heldBack() {
  const place = [...turns.children].findIndex(row => row.message.drafted);
  if (place < 0 || !VOUCHED.includes(status.value)) return false;
  status.value = "draft";
  notes.replaceChildren();
  note("warn", "Turn " + (place + (doc.system === null ? 1 : 2)) + " is a model's draft. Read it, then accept or edit it. Then the conversation can be approved.");
  return true;
}
