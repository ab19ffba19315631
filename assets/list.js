// Draws one page of the conversations, searches and filters on the server, and opens what is chosen in the editor.
const $ = selector => element.querySelector(selector);
const search = $(".search"), status = $(".filter"), rows = $(".rows"), range = $(".range"), bin = $(".bin"), fresh = $(".new");
const back = $(".back"), on = $(".on-page"), SIZE = 50;
let project = "", first = 1, total = 0, chosen = "", shown = [], asked = 0, timer = null, binned = false, turning = Promise.resolve();

rows.before(filters, chips, reviewBar, bar);

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
  button.append(make("span", "state num", padded(each.number)), lit("q", each, "question") || make("span", "q", each.question || "(no question yet)"),
    make("span", "state " + each.status, each.status), lit("a", each, "answer") || make("span", "a", each.answer || "(no answer yet)"), atWork(each, turns));
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
  lay();
  if (!shown.length) rows.append(make("li", "none soft", nothing()));
  range.textContent = shown.length ? first.toLocaleString("en") + "–" + (first + shown.length - 1).toLocaleString("en") + " of " + (page.more ? "more than " : "") + total.toLocaleString("en") : "None";
  back.disabled = first <= 1;
  on.disabled = !follows(page);
  stay(page);
}

function nothing() {
  if (reviewing) return "Nothing waits for your review.";
  if (search.value || status.value || narrowed()) return "Nothing matches. Clear the search or the filter.";
  return binned ? "The bin is empty." : "No conversations yet.";
}

// Answers that come after a newer question are dropped.
async function refresh() {
  clearTimeout(timer);
  if (!project) return;
  const mine = ++asked;
  try {
    const asking = { project, search: search.value, status: status.value, binned, first, size: SIZE, ...wishes() };
    const page = await (reviewing ? server.on_review : server.on_page)(asking);
    if (mine !== asked || !page) return;
    if (page.error) { range.textContent = page.error.message; return; }
    draw(page);
    if (!binned && !reviewing) tell("studio:listed", { project, asking, total: page.total }); // for the export under the list
  } catch (error) {
    if (mine === asked) timer = setTimeout(refresh, 3000);
  }
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

function mark(id) {
  const moved = id !== chosen;
  chosen = id;
  for (const button of rows.querySelectorAll("button")) {
    const is = button.dataset.id === id;
    button.classList.toggle("on", is);
    if (is) { button.setAttribute("aria-current", "true"); if (moved && keptTop === null) bring(button); } else button.removeAttribute("aria-current");
  }
}

// Into sight within the list; the page itself stays where it is.
function bring(button) {
  const from = rows.getBoundingClientRect(), at = button.getBoundingClientRect();
  rows.scrollTop += Math.min(0, at.top - from.top) + Math.max(0, at.bottom - from.bottom);
}

// One row on (1) or back (-1) from the open conversation, over the page's edge too.
async function step(way) {
  const at = shown.findIndex(each => each.id === chosen), next = shown[at + way];
  if (at >= 0 && next) return open(next.id);
  if (at < 0 && shown.length) return open(shown[0].id);
  if (at >= 0 && !(way > 0 ? on : back).disabled) {
    await turn(way);
    if (shown.length) return open(shown[way > 0 ? 0 : shown.length - 1].id);
  }
}

// One after the other: where the next page begins is known when the last one is there.
function turn(way) { return turning = turning.then(() => (way > 0 ? on : back).disabled ? null : turned(way)); }

function turned(way) {
  turnFrom(way);
  first = Math.max(1, first + way * shown.length);
  rows.scrollTop = 0;
  return refresh();
}

// Another question is asked: its answer is seen from the beginning.
function anew(wait) {
  first = 1;
  fromTop();
  rows.scrollTop = 0;
  soon(wait);
}

function look(at) {
  if (at && reviewing) review(false);
  first = 1;
  fromTop();
  picked.clear();
  drawMarks();
  showBin(at);
  refresh();
}

function showBin(at) {
  binned = at;
  drawReview();
  bin.setAttribute("aria-pressed", String(binned));
  bin.textContent = binned ? "Close bin" : "Bin";
  element.classList.toggle("in-bin", binned);
}

search.oninput = () => anew(120);
status.onchange = () => anew(0);
fresh.onclick = () => { if (binned) look(false); tell("studio:new", {}); };
back.onclick = () => turn(-1);
on.onclick = () => turn(1);
bin.onclick = () => look(!binned);
$(".down").onclick = () => step(1);
$(".up").onclick = () => step(-1);
$(".pick-open").onclick = pickOpen;

function load() {
  const value = props.value || {};
  const other = value.project !== project;
  if (other) { chosen = ""; picked.clear(); lastMade = null; drawMarks(); }
  project = value.project || "";
  if (other) comeBack();
  if (project) offer();
  refresh();
}

hear("studio:saved", () => { soon(300); offer(); });
hear("studio:back", () => soon(0));
hear("studio:opened", event => mark(event.detail.id));
hear("studio:next", handOut);
beginHere();
beginFinding();
watch("value", load);
load();
