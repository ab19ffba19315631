// What the list shall show beside its search and status, and where in it one is: kept in this tab, for each project.
const NAMES = { tag: "Tag", person: "Changed by", length: "Length", finding: "Findings", sort: "Order" };
const filters = make("div", "filters"), chips = make("div", "chips"), fold = element.querySelector(".fold"), choose = {};
let imported = "", at = "", way = "from", keptTop = null, ends = {};
filters.id = "filters";
filters.hidden = true;
chips.setAttribute("role", "group");
chips.setAttribute("aria-label", "Shown only");

for (const [name, title] of Object.entries(NAMES)) {
  const label = make("label"), select = choose[name] = make("select", "by-" + name);
  label.append(make("span", "soft", title), select);
  select.setAttribute("aria-label", title);
  select.append(new Option("", ""));
  select.onchange = () => { drawChips(); anew(0); };
  filters.append(label);
}

fold.onclick = () => { unfoldFilters(filters.hidden); keep(); };

function unfoldFilters(open) {
  filters.hidden = !open;
  fold.setAttribute("aria-expanded", String(open));
}

// Which choices there are; what is chosen stays, though nothing has it any more.
async function offer() {
  const answer = await server.on_choices({ project }).catch(() => null);
  if (!answer || answer.error) return;
  for (const [name, select] of Object.entries(choose)) {
    const kept = select.value, known = answer[name], none = name === "sort" ? [] : [new Option("Any", "")];
    const options = kept && !known.some(each => each[0] === kept) ? [...known, [kept, kept]] : known;
    select.replaceChildren(...none, ...options.map(([value, text]) => new Option(text, value)));
    select.value = kept || (name === "sort" ? "newest" : "");
    select.parentNode.hidden = !options.length && !kept;
  }
  drawChips();
}

const chosenOf = name => name === "sort" && choose.sort.value === "newest" ? "" : choose[name].value;
const narrowed = () => Boolean(imported || ["tag", "person", "length", "finding"].some(chosenOf));

function wishes() {
  const wish = { imported, at, way };
  for (const name of Object.keys(choose)) wish[name] = chosenOf(name);
  return wish;
}

// Each thing that narrows or orders the list can be taken away where it is seen.
function drawChips() {
  const names = Object.keys(choose).filter(chosenOf), focused = chips.contains(document.activeElement);
  chips.replaceChildren(...names.map(name => {
    const words = choose[name].selectedOptions[0].textContent.split(":")[0];
    return chip(name === "sort" ? words : NAMES[name] + ": " + words, () => { choose[name].value = name === "sort" ? "newest" : ""; });
  }));
  if (imported) chips.append(chip("What the import brought", () => { imported = ""; }));
  chips.hidden = !chips.childElementCount;
  if (focused) (chips.querySelector("button") || fold).focus();
}

function chip(words, away) {
  const node = make("button", "chip", words);
  node.type = "button";
  node.setAttribute("aria-label", words + ": take away");
  node.append(make("span", "", "×"));
  node.onclick = () => { away(); drawChips(); anew(0); offer(); };
  return node;
}

// A line of a row with what was searched for marked in it; nothing where nothing was searched for.
function lit(classes, each, name) {
  const pieces = each.marked && each.marked[name];
  if (!pieces || !pieces.join("")) return null;
  const line = make("span", classes);
  line.append(...pieces.map((text, place) => place % 2 ? make("mark", "", text) : text));
  return line;
}

function fromTop() { at = ""; way = "from"; }

function turnFrom(to) {
  at = (to > 0 ? ends.end : ends.start) || "";
  way = to > 0 ? "after" : "before";
}

const follows = page => page.following === undefined ? first + SIZE <= total : page.following;

// From here on the list is asked for from the row it begins with, so it stays though others save above it.
function stay(page) {
  ends = page;
  at = page.first > 1 && page.start || "";
  way = "from";
  if (keptTop !== null) rows.scrollTop = keptTop;
  keep();
}

const keptName = () => "studio.list." + project;

function keep() {
  if (!project) return;
  const values = Object.fromEntries(Object.keys(choose).map(name => [name, chosenOf(name)]));
  sessionStorage.setItem(keptName(), JSON.stringify({ search: search.value, status: status.value, values, imported, at, first, binned, open: !filters.hidden, top: keptTop === null ? rows.scrollTop : keptTop }));
}

// Begins when the list is there.
function beginFinding() {
  let keeping = null;
  rows.addEventListener("scroll", () => { clearTimeout(keeping); keeping = setTimeout(keep, 100); });
  for (const moved of ["wheel", "pointerdown", "keydown"]) rows.addEventListener(moved, () => { keptTop = null; }, { passive: true });
  hear("studio:list", event => show(event.detail));
}

// The place in the list as this tab left it, also after a reload. Until the editor has opened its conversation the list does not follow it.
function comeBack() {
  const kept = JSON.parse(sessionStorage.getItem(keptName()) || "{}");
  search.value = kept.search || "";
  status.value = kept.status || "";
  for (const [name, select] of Object.entries(choose)) {
    const value = (kept.values || {})[name] || "";
    if (value && ![...select.options].some(each => each.value === value)) select.append(new Option(value, value));
    select.value = value;
  }
  imported = kept.imported || "";
  first = kept.first || 1;
  at = kept.at || "";
  way = "from";
  unfoldFilters(Boolean(kept.open));
  drawChips();
  showBin(Boolean(kept.binned));
  if (!kept.top) return;
  keptTop = kept.top;
  setTimeout(() => { keptTop = null; }, 2000);
}

// Another part of the page asks for what one import brought: "studio:list" with { project, imported }.
function show(wish) {
  if (wish.project !== project) return;
  for (const name of Object.keys(choose)) choose[name].value = "";
  search.value = status.value = "";
  imported = wish.imported || "";
  drawChips();
  anew(0);
}
