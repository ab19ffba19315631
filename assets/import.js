// Shows a file before anything of it comes in: what it holds, row by row; then how far the import is, and its undo.
const place = element.querySelector(".incoming");
const SHAPES = {
  messages: "conversations as messages", sharegpt: "conversations in ShareGPT's shape", alpaca: "instructions and outputs (Alpaca)",
  prompt: "prompts and completions", labelstudio: "tasks of Label Studio", argilla: "records of Argilla", table: "a table",
};
let file = null, attempt = "", looked = "", found = null, timer = null, took = null, wasShown = false, asking = 0;
const without = new Set();

function load() {
  const value = props.value;
  if (!value || !value.file || (file && file.file === value.file)) return;
  if (file) asked("on_leave", { file: file.file });
  file = value;
  asking++;
  found = took = null;
  wasShown = false;
  without.clear();
  place.classList.remove("over");
  follow(value.attempt, value.name + " is being read", read);
  place.scrollIntoView({ block: "nearest" });
}

// Asks how far an attempt is until it is over, and then goes on with `then`.
function follow(name, title, then) {
  attempt = name;
  clearTimeout(timer);
  const bar = progress(title);
  const step = async () => {
    const mine = attempt, state = await asked("on_state", { file: file.file, attempt: mine });
    if (!file || mine !== attempt) return;
    if (state.error) return failed(state.error.message);
    if (state.phase === "running") { bar(state); timer = setTimeout(step, 250); return; }
    if (state.phase === "done") return then(state);
    if (state.phase === "stopped" && found) return draw(state.message);
    failed(state.message);
  };
  step();
}

function progress(title) {
  if (found && found.plan.format === "table" && place.querySelector(".columns") && !took) {
    place.setAttribute("aria-busy", "true"); // the columns stay in hand while the rows are read again
    return () => {};
  }
  const bar = make("div", "progress"), fill = make("i"), said = make("p", "soft num", "Beginning"), stop = press("Stop", "", () => { stop.disabled = true; asked("on_stop", { file: file.file, attempt }); if (!found) close(); });
  bar.setAttribute("role", "progressbar");
  bar.setAttribute("aria-label", title);
  bar.append(fill);
  place.replaceChildren(make("h2", "", title), bar, said, stop);
  return state => {
    const share = state.total ? state.read / state.total : null;
    fill.style.width = Math.round(100 * (share || 0)) + "%";
    if (share !== null) bar.setAttribute("aria-valuenow", String(Math.round(100 * share)));
    said.textContent = counted(state.read, "row") + " read" + (state.total ? " of " + state.total.toLocaleString("en") + ", " + state.written.toLocaleString("en") + " written" : "") + (state.left ? ", " + (state.left < 90 ? Math.ceil(state.left) + " s" : Math.round(state.left / 60) + " min") + " left" : "");
  };
}

function read(state) {
  found = state;
  looked = attempt;
  place.removeAttribute("aria-busy");
  const kept = !wasShown && found.plan.format === "table" ? remembered(found.plan.names) : null;
  wasShown = true;
  if (kept && Object.keys(kept).some(each => kept[each] !== found.plan.columns[each])) return again(kept);
  draw("");
}

// Two choices made quickly may be answered in the other order: only the last one counts.
async function again(columns) {
  const mine = ++asking, answer = await asked("on_columns", { project: file.project, file: file.file, columns });
  if (!file || mine !== asking) return;
  if (answer.error) return draw(answer.error.message);
  follow(answer.attempt, file.name + " is being read", read);
}

function draw(note) {
  const focused = place.contains(document.activeElement) && document.activeElement.dataset.of;
  const title = make("h2", "", file.name);
  title.tabIndex = -1;
  place.replaceChildren(title, make("p", "soft", summary()), ...(note ? [make("p", "note", note)] : []));
  if (found.plan.format === "table") {
    if (found.plan.guessed && found.complete) place.append(make("p", "note", "What the columns are was guessed from what is in them. Look whether it is right."));
    if (!found.complete) place.append(make("p", "note warn", "Say which columns hold the questions and the answers."));
    place.append(columnFields(found.plan, again));
    if (!found.complete) place.append(make("h3", "", "The first rows"), table(found.plan.names, found.plan.sample.map(each => cells(...each)), "First rows"));
  }
  if (found.complete && found.plan.left.length) place.append(make("p", "soft left", "Not kept: " + found.plan.left.slice(0, 12).join(", ") + (found.plan.left.length > 12 ? " and " + (found.plan.left.length - 12) + " more" : "") + "."));
  if (found.complete && found.first.length) place.append(make("h3", "", found.read > found.first.length ? "The first " + counted(found.first.length, "conversation") : "The conversations"), firstRows());
  if (found.repeated.length && found.complete) place.append(folded(counted(found.duplicates, "row") + (found.duplicates === 1 ? " says" : " say") + " the same as another", found.repeated, ["Row", "The same as"], found.duplicates));
  if (found.refused && found.complete) place.append(folded(counted(found.refused, "row") + " cannot be used", found.rejected, ["Row", "Why"], found.refused, true));
  place.append(foot());
  const before = focused && [...place.querySelectorAll("select")].find(each => each.dataset.of === focused);
  (before || title).focus({ preventScroll: Boolean(before) });
}

function summary() {
  const counts = [counted(found.fine, "good row") + " to import"];
  if (found.duplicates) counts.push(found.duplicates.toLocaleString("en") + " that say the same as one that is there already");
  if (found.refused) counts.push(found.refused.toLocaleString("en") + " that cannot be used");
  return "Read as " + (SHAPES[found.format] || found.format) + ": " + counted(found.read, "row") + ". " + (found.complete ? counts.join(", ") + "." : "");
}

function table(headers, rows, label) {
  const scroll = make("div", "scroll"), made = make("table", "data"), head = make("tr"), body = make("tbody");
  scroll.tabIndex = 0;
  scroll.setAttribute("role", "region");
  scroll.setAttribute("aria-label", label);
  head.append(...headers.map(each => make("th", "", each)));
  body.append(...rows);
  made.append(make("thead"), body);
  made.tHead.append(head);
  scroll.append(made);
  return scroll;
}

function cells(...contents) {
  const row = make("tr");
  for (const each of contents) {
    const cell = make("td", typeof each === "number" ? "num" : "");
    cell.append(typeof each === "number" ? each.toLocaleString("en") : each);
    row.append(cell);
  }
  return row;
}

function firstRows() {
  return table(["", "Row", "Conversation"], found.first.map(each => {
    const box = make("input"), said = make("div", "turns-of");
    box.type = "checkbox";
    box.checked = !each.repeats && !without.has(each.row);
    box.disabled = Boolean(each.repeats);
    box.setAttribute("aria-label", "Import row " + each.row);
    box.onchange = () => { if (box.checked) without.delete(each.row); else without.add(each.row); label(); };
    for (const [role, text] of each.turns) { const turn = make("p", role); turn.append(make("b", "", role + " "), text); said.append(turn); }
    if (each.more) said.append(make("p", "soft", "and " + counted(each.more, "turn") + " more"));
    if (each.tags.length) said.append(make("p", "soft", "Tags: " + each.tags.join(", ")));
    if (each.repeats) said.append(make("p", "repeats", "The same as " + each.repeats + "; it does not come in again."));
    return cells(box, each.row, said);
  }), "First rows");
}

function folded(title, rows, headers, total, open) {
  const fold = make("details");
  fold.open = Boolean(open);
  fold.append(make("summary", "", title), table(headers, rows.map(([row, why]) => cells(row, why)), title));
  if (total > rows.length) fold.append(make("p", "soft", "and " + (total - rows.length).toLocaleString("en") + " more."));
  return fold;
}

function field(name, label, node) {
  const outer = make("label", "", label);
  node.className = name;
  node.setAttribute("aria-label", label);
  outer.append(node);
  return outer;
}

function foot() {
  const bottom = make("div", "deeds"), only = make("input"), status = make("select"), tag = make("input");
  only.placeholder = "all, or 1-200, 305";
  only.oninput = label;
  status.append(new Option("ready", "ready"), new Option("draft", "draft"));
  tag.placeholder = "none";
  tag.maxLength = 100;
  if (found.fine) bottom.append(field("only", "Rows", only), field("as", "As", status), field("with-tag", "With the tag", tag));
  const go = press("", "primary", take);
  go.id = "import-take";
  go.hidden = !found.fine;
  const leave = press("Cancel", "", close);
  leave.id = "import-cancel";
  bottom.append(go, leave);
  setTimeout(label);
  return bottom;
}

function label() {
  const go = place.querySelector("#import-take"), only = place.querySelector(".only");
  if (go && only) go.textContent = only.value.trim() ? "Import the chosen rows" : "Import " + counted(Math.max(0, found.fine - without.size), "conversation");
}

async function take() {
  const [only, status, tag] = [".only", ".as", ".with-tag"].map(each => place.querySelector(each).value);
  const answer = await asked("on_take", { project: file.project, file: file.file, look: looked, rows: only, status, tag, without: [...without] });
  if (answer.error) { place.querySelector(".deeds").before(make("p", "note bad", answer.error.message)); return; }
  took = {};
  follow(answer.attempt, file.name + " is being imported", done);
}

function done(state) {
  const said = make("p", "", counted(state.imported, "conversation") + " imported from " + file.name + "."), deeds = make("div", "deeds"), project = file.project;
  said.setAttribute("role", "status");
  const undo = press("Undo import", "", async () => { undo.disabled = true; said.textContent = await undoImport(project, state.import); undo.remove(); trigger("submit", {}); });
  if (state.import) deeds.append(undo);
  deeds.append(press("Close", "", close));
  asked("on_leave", { file: file.file });
  file = found = null;
  place.replaceChildren(said, deeds);
  place.classList.add("over");
  tell("studio:saved", {});
  trigger("submit", {});
}

function failed(message) {
  const said = make("p", "note bad", message);
  said.setAttribute("role", "alert");
  place.removeAttribute("aria-busy");
  place.replaceChildren(make("h2", "", file.name), said, press("Close", "", close));
}

function close() {
  clearTimeout(timer);
  if (file) asked("on_leave", { file: file.file });
  file = found = null;
  place.replaceChildren();
}

// A file belongs to the project for which it was chosen.
document.addEventListener("studio:listed", function left({ detail }) {
  if (!element.isConnected) document.removeEventListener("studio:listed", left);
  else if (file && file.project !== detail.project) close();
});

// A file may be dropped anywhere on the tab: it goes the way of the button.
const tab = document.querySelector("#tab-write") || document.body;
tab.addEventListener("dragover", event => { if (event.dataTransfer.types.includes("Files")) event.preventDefault(); });
tab.addEventListener("drop", event => {
  const input = [...document.querySelectorAll("#first input[type=file], #write input[type=file]")].pop();
  if (!event.dataTransfer.files.length || !input) return;
  event.preventDefault();
  const one = new DataTransfer();
  one.items.add(event.dataTransfer.files[0]);
  input.files = one.files;
  input.dispatchEvent(new Event("change", { bubbles: true }));
});
watch("value", load);
load();
