// Under the list: exports what is there or what is shown, and takes back files that were imported.
const $ = selector => element.querySelector(selector);
const what = $(".what"), kind = $(".kind"), past = $(".imports"), said = $(".said");
let project = "", filters = {}, shown = 0, all = 0, chosen = ""; // what a person chose to export while the list shows the same

const listen = (name, does) => document.addEventListener(name, function listener(event) {
  if (element.isConnected) does(event); else document.removeEventListener(name, listener);
});

function listed({ detail }) {
  const other = detail.project !== project;
  if (other) said.textContent = "";
  project = detail.project;
  shown = detail.total;
  const now = Object.fromEntries(["search", "status", "tag", "person", "length", "finding", "imported"].map(each => [each, detail.asking[each] || ""]));
  if (JSON.stringify(now) !== JSON.stringify(filters)) chosen = "";
  filters = now;
  // Counting all takes a while where there are very many: only for who looks.
  if (other || element.querySelector("details[open]")) refresh(); else offer();
}

async function refresh() {
  const answer = await asked("on_past", { project });
  if (answer.error) return;
  all = answer.count;
  offer();
  past.hidden = !answer.imports.length;
  past.querySelector("ul").replaceChildren(...answer.imports.map(entry));
}

function offer() {
  const filtered = Object.values(filters).some(Boolean);
  what.replaceChildren(new Option("All " + counted(all, "conversation"), "all"));
  if (filtered) what.append(new Option("What the list shows: " + counted(shown, "conversation"), "shown"));
  what.value = chosen || (filtered ? "shown" : "all");
}

function entry(each) {
  const item = make("li"), at = new Date(each.at), today = at.toDateString() === new Date().toDateString();
  const time = at.toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" });
  item.append(make("span", "", each.file + ", " + counted(each.there, "conversation") + ", " + (today ? time : at.toLocaleDateString("en-GB") + " " + time) + ", by " + each.by + " "));
  const undo = press("Undo import", "", async () => { undo.disabled = true; said.textContent = await undoImport(project, each.id); refresh(); });
  undo.setAttribute("aria-label", "Undo the import of " + each.file);
  item.append(undo);
  return item;
}

what.onchange = () => { chosen = what.value; };
$(".go").onclick = () => trigger("click", { kind: kind.value, ...(what.value === "shown" ? filters : {}) });
for (const fold of element.querySelectorAll("details")) fold.ontoggle = () => { if (fold.open) refresh(); };
listen("studio:listed", listed);
listen("studio:saved", () => { if (past.hidden) refresh(); }); // the first import of a project may have come in
