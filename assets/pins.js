// Lets a person pin examples: found by number or words, kept in order, and taken off again.
const [list, hits] = element.querySelectorAll("ol, ul"), find = element.querySelector("input"), status = element.querySelector("[role=status]");
let waiting = null, latest = 0;

function deed(text, label, does) {
  const made = press(text, "quiet", does);
  made.setAttribute("aria-label", label);
  return made;
}

const pinned = () => (props.value || {}).pinned || [];
const named = each => each.number ? "conversation " + String(each.number).padStart(4, "0") : "the conversation that is gone";

function set(rows, said) {
  props.value = { ...props.value, pinned: rows };
  status.textContent = said;
  show();
}

function line(each) {
  const item = make("li"), words = make("span", "text", each.question || "Gone");
  words.dir = "auto";
  item.append(make("span", "num soft", each.number ? String(each.number).padStart(4, "0") : ""), words);
  if (each.why) item.append(make("span", "why", "Left out: " + each.why));
  return item;
}

function show() {
  const rows = pinned();
  list.replaceChildren(...rows.map((each, at) => {
    const item = line(each);
    if (at) item.append(deed("↑", "Move " + named(each) + " up", () => {
      set([...rows.slice(0, at - 1), each, rows[at - 1], ...rows.slice(at + 1)], "Moved up.");
      list.children[at - 1].querySelector("button").focus();
    }));
    item.append(deed("×", "Do not show " + named(each) + " always", () => { set(rows.filter(other => other !== each), "Taken off."); find.focus(); }));
    return item;
  }));
}

function offer(found) {
  const there = new Set(pinned().map(each => each.id)), rows = found.filter(each => !there.has(each.id));
  hits.replaceChildren(...rows.map(each => {
    const item = line(each);
    if (!each.why) item.append(deed("Pin", "Always show " + named(each), () => {
      if (pinned().length >= props.value.most) { status.textContent = "No more than " + props.value.most + " can be pinned. Take one off first."; return; }
      set([...pinned(), each], "Pinned " + named(each) + ".");
      find.value = "";
      hits.replaceChildren();
      find.focus();
    }));
    return item;
  }));
  status.textContent = found.length ? "" : "Nothing found.";
}

async function look() {
  const mine = ++latest, search = find.value;
  if (!search.trim()) { hits.replaceChildren(); status.textContent = ""; return; }
  const told = await server.on_find_pins({ project: props.value.project, search });
  if (mine !== latest) return; // another question was typed meanwhile
  if (told.error) { hits.replaceChildren(); status.textContent = told.error.message; } else offer(told.found);
}

find.oninput = () => { clearTimeout(waiting); waiting = setTimeout(look, 200); };
find.onkeydown = event => {
  if (event.key === "Enter") { event.preventDefault(); hits.querySelector("button")?.click(); }
  if (event.key === "Escape" && find.value) { find.value = ""; look(); }
};
watch("value", show);
show();
