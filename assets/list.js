// Draws one page of the conversations, searches and filters on the server, and opens what is chosen in the editor.
const $ = selector => element.querySelector(selector);
const search = $(".search"), status = $(".filter"), rows = $(".rows"), range = $(".range"), bin = $(".bin"), fresh = $(".new");
const byTag = $(".by-tag"), back = $(".back"), on = $(".on-page"), SIZE = 50;
let project = "", first = 1, total = 0, chosen = "", shown = [], asked = 0, timer = null, binned = false;

rows.before(bar);

function make(tag, classes, text) {
  const node = document.createElement(tag);
  if (classes) node.className = classes;
  if (text !== undefined) node.textContent = text;
  return node;
}

const tell = (name, detail) => document.dispatchEvent(new CustomEvent(name, { detail }));
const hear = (name, does) => document.addEventListener(name, function listener(event) {
  if (element.isConnected) does(event); else document.removeEventListener(name, listener);
});
const padded = number => String(number).padStart(4, "0");

function row(each) {
  const item = make("li"), button = make("button", each.id === chosen ? "on" : "");
  button.type = "button";
  button.dataset.id = each.id;
  if (each.id === chosen) button.setAttribute("aria-current", "true");
  const turns = each.turns === 1 ? "1 turn" : each.turns + " turns";
  button.append(make("span", "state num", padded(each.number)), make("span", "q", each.question || "(no question yet)"),
    make("span", "state " + each.status, each.status), make("span", "a", each.answer || "(no answer yet)"), make("span", "state num", turns));
  button.onclick = () => binned ? restore(each) : open(each.id);
  if (binned) button.append(make("span", "undo", "Put back"));
  if (!binned) item.append(pickBox(each));
  item.append(button);
  return item;
}

function draw(page) {
  total = page.total;
  first = page.first;
  shown = page.rows;
  const focused = rows.contains(document.activeElement) ? document.activeElement.dataset.id : null;
  rows.replaceChildren(...shown.map(row));
  if (focused) mark(focused, true);
  if (!shown.length) rows.append(make("li", "none soft", nothing()));
  range.textContent = shown.length ? first.toLocaleString("en") + "–" + (first + shown.length - 1).toLocaleString("en") + " of " + total.toLocaleString("en") : "None";
  back.disabled = first <= 1;
  on.disabled = first + SIZE > total;
}

function nothing() {
  if (search.value || status.value || byTag.value) return "Nothing matches. Clear the search or the filter.";
  return binned ? "The bin is empty." : "No conversations yet.";
}

// Answers that come after a newer question are dropped.
async function refresh() {
  clearTimeout(timer);
  if (!project) return;
  const mine = ++asked;
  try {
    const asking = { project, search: search.value, status: status.value, tag: byTag.value, binned, first, size: SIZE };
    const page = await server.on_page(asking);
    if (mine !== asked || !page) return;
    if (page.error) { range.textContent = page.error.message; return; }
    if (!page.rows.length && page.total && first > 1) { first = Math.max(1, page.total - SIZE + 1); return refresh(); }
    draw(page);
    if (!binned) tell("studio:listed", { project, asking, total: page.total }); // for the export under the list
  } catch (error) {
    if (mine === asked) timer = setTimeout(refresh, 3000);
  }
}

// Which tags there are to choose from; without any there is nothing to choose.
async function offer() {
  const answer = await server.on_tags({ project }).catch(() => null);
  if (!answer || !answer.tags) return;
  const kept = answer.tags.includes(byTag.value) ? byTag.value : "";
  byTag.replaceChildren(new Option("Any tag", ""), ...answer.tags.map(tag => new Option(tag, tag)));
  byTag.hidden = !answer.tags.length;
  if (kept !== byTag.value) byTag.value = kept;
}

function soon(wait) {
  clearTimeout(timer);
  timer = setTimeout(refresh, wait);
}

function open(id) { tell("studio:open", { id }); }

async function restore(each) {
  const answer = await server.on_restore({ project, conversation: each.id });
  if (answer && answer.error) { range.textContent = answer.error.message; return; }
  tell("studio:saved", {});
  refresh();
}

function mark(id, focus) {
  chosen = id;
  for (const button of rows.querySelectorAll("button")) {
    const is = button.dataset.id === id;
    button.classList.toggle("on", is);
    if (is) { button.setAttribute("aria-current", "true"); button.scrollIntoView({ block: "nearest" }); if (focus) button.focus(); } else button.removeAttribute("aria-current");
  }
}

// One row on (1) or back (-1) from the open conversation, over the page's edge too. Past the last one there is a new one.
async function step(way, otherwise) {
  const at = shown.findIndex(each => each.id === chosen), next = shown[at + way];
  if (at >= 0 && next) return open(next.id);
  if (at < 0 && shown.length && !otherwise) return open(shown[0].id);
  const over = way > 0 ? first + SIZE <= total : first > 1;
  if (at >= 0 && over) {
    first = Math.max(1, first + way * SIZE);
    await refresh();
    if (shown.length) return open(shown[way > 0 ? 0 : shown.length - 1].id);
  }
  if (otherwise) otherwise();
}

function turn(way) { first = Math.max(1, first + way * SIZE); refresh(); }

function look(at) {
  binned = at;
  first = 1;
  picked.clear();
  drawMarks();
  bin.setAttribute("aria-pressed", String(binned));
  bin.textContent = binned ? "Close bin" : "Bin";
  element.classList.toggle("in-bin", binned);
  refresh();
}

search.oninput = () => { first = 1; soon(200); };
status.onchange = byTag.onchange = () => { first = 1; refresh(); };
fresh.onclick = () => { if (binned) look(false); tell("studio:new", {}); };
back.onclick = () => turn(-1);
on.onclick = () => turn(1);
bin.onclick = () => look(!binned);
$(".down").onclick = () => step(1);
$(".up").onclick = () => step(-1);
$(".pick-open").onclick = pickOpen;

function load() {
  const value = props.value || {};
  if (value.project !== project) { first = 1; chosen = ""; search.value = ""; status.value = ""; byTag.value = ""; picked.clear(); lastMade = null; drawMarks(); }
  project = value.project || "";
  if (project) offer();
  refresh();
}

hear("studio:saved", () => { soon(300); offer(); });
hear("studio:back", () => soon(0));
hear("studio:opened", event => mark(event.detail.id, false));
hear("studio:next", () => step(1, () => tell("studio:new", {})));
watch("value", load);
load();
