// Keys within the text of a turn: on to the next text, another turn, moving it, and the menu of what else can be done.
function turnKey(event, row, area) {
  const { key, shiftKey: shift, altKey: alt } = event, held = event.ctrlKey || event.metaKey, way = { ArrowUp: -1, ArrowDown: 1 }[key];
  if (event.isComposing) return;
  if (key === "Tab" && !held && !alt) {
    // From text to text; the buttons between are reached by Escape, then Tab.
    const other = shift ? row.previousElementSibling : row.nextElementSibling;
    if (!other) return;
    other.querySelector("textarea").focus();
  } else if (key === "Enter" && held && shift) {
    apart();
    insert(row, "");
  } else if (key === "Enter" && alt) {
    row.querySelector(".menu").unfold(area);
  } else if (way && alt && !shift && !held) {
    apart();
    move(row, way);
  } else return;
  event.preventDefault();
}

// What was typed until now becomes a version of its own: then one undo takes back only what is done next.
function apart() { if (dirty()) save(); }

// Called before the turns are drawn anew; what it answers puts the cursor back once they are: where it was in the same
// conversation, into the first empty turn of another one, on Undo where the conversation is in the bin.
function holder() {
  const active = document.activeElement, at = [...turns.children].findIndex(row => row.contains(active)), caret = active.selectionStart, before = doc && doc.id;
  if (!element.contains(active) || !before) return () => {}; // a new one that nobody wrote in held nobody's cursor
  return () => {
    if (element.contains(active) && !active.disabled) return;
    if (doc.deleted) { notes.querySelector("button")?.focus(); return; }
    const areas = [...turns.querySelectorAll("textarea")], same = doc.id === before && areas[at];
    const area = same || areas.find(each => !each.value.trim()) || areas[0];
    if (!area) return;
    const place = same && typeof caret === "number" ? caret : area.value.length;
    area.focus({ preventScroll: Boolean(same) });
    area.setSelectionRange(place, place);
  };
}

// Who presses "Save and next" types on at once. Until the next conversation stands there the keys go into a field that is
// seen only where that takes long, and from it into the turns; could this conversation not be left, they go back into it. Tab and the same key again count.
const AGAIN = "\u0001";

function ahead(text = "") {
  const before = document.activeElement, area = make("textarea", "unseen");
  const mark = sign => area.setRangeText(sign, area.selectionStart, area.selectionEnd, "end");
  area.setAttribute("aria-label", "The next conversation");
  area.placeholder = "Still saving. What you type now goes into the next conversation.";
  setTimeout(() => area.classList.remove("unseen"), 800);
  area.value = text;
  area.onkeydown = event => {
    const again = event.key === "Enter" && (event.ctrlKey || event.metaKey);
    if (!again && event.key !== "Tab") return;
    mark(again ? AGAIN : "\t");
    event.preventDefault();
    event.stopPropagation();
  };
  notes.append(area);
  area.focus({ preventScroll: true });
  area.setSelectionRange(text.length, text.length);
  return async went => {
    const [own, ...rest] = area.value.split(AGAIN), held = document.activeElement === area;
    area.remove();
    if (held || !turns.contains(document.activeElement)) before.focus();
    fillIn(own.split("\t"));
    if (rest.length && went) await next(rest.join(AGAIN));
  };
}

// Types into the text where the cursor is, and into those of the turns after it.
function fillIn(texts) {
  texts.forEach((text, at) => {
    if (at) document.activeElement.closest(".turn")?.nextElementSibling?.querySelector("textarea").focus();
    const into = document.activeElement;
    if (!text || !turns.contains(into) || into.selectionStart === undefined) return;
    into.setRangeText(text, into.selectionStart, into.selectionEnd, "end");
    into.dispatchEvent(new Event("input"));
  });
}

// Where the editor stands below the list, on a narrow page, what was chosen in the list comes into sight.
function nearer() { if (element.getBoundingClientRect().top > innerHeight / 2) element.scrollIntoView({ block: "start" }); }

// To find out the direction of a very long text by itself (dir=auto) takes a browser seconds at every key: its first letter tells it.
const LONG = 20000, LEFTWARD = /^\P{L}*[\p{Script=Hebrew}\p{Script=Arabic}\p{Script=Syriac}\p{Script=Thaana}\p{Script=Nko}]/u;

function aim(area, text) {
  area.dir = text.length <= LONG ? "auto" : LEFTWARD.test(text.slice(0, 200)) ? "rtl" : "ltr";
  area.classList.toggle("long", text.length > LONG);
}
