// Templates: what new conversations may begin with. The open conversation is kept as one; they are named anew and deleted here.
const GAP = /\[[^\[\]\n]{2,60}\]/;
const kept = make("section", "kept"), other = menuOf("⋯", "More for this conversation", button("Save as a template", "quiet", () => openKept()));
kept.hidden = true;
kept.setAttribute("aria-label", "Templates");
kept.onkeydown = event => { if (event.key === "Escape") { event.stopPropagation(); closeKept(); other.querySelector("summary").focus(); } };

function closeKept() {
  kept.hidden = true;
  kept.replaceChildren();
}

// `said` stands where else the explanation does; what of it is a list goes in piece by piece.
async function openKept(said = "A new conversation may begin with this text. Write [NAME] where something is to be filled in; Check finds what was forgotten.") {
  const name = make("input"), add = button("Save as a template", "", () => keepAs(name.value)), row = make("div", "row"), told = make("p", "soft small"), list = make("ul");
  name.placeholder = "Name, such as First call";
  name.setAttribute("aria-label", "Name of the template");
  name.maxLength = 80;
  name.oninput = () => { add.textContent = [...list.children].some(each => each.named === name.value.trim()) ? "Put in the place of the old one" : "Save as a template"; };
  name.onkeydown = event => { if (event.key === "Enter" && !event.ctrlKey && !event.metaKey) { event.preventDefault(); keepAs(name.value); } };
  row.append(name, add, button("Close", "quiet", closeKept));
  told.setAttribute("role", "status");
  told.append(...[said].flat());
  kept.replaceChildren(make("h3", "", "Templates"), row, told, list);
  kept.hidden = false;
  name.focus();
  const answer = await askFor(server.on_templates, {});
  if (answer) list.replaceChildren(...answer.templates.map(keptRow));
}

function keptRow(each) {
  const item = make("li"), name = make("span", "text", each.name);
  const rename = button("Rename", "quiet", () => renameKept(each, item), "", "Rename the template " + each.name);
  name.dir = "auto";
  item.named = each.name;
  item.append(name, rename, button("Delete", "quiet", () => dropKept(each), "", "Delete the template " + each.name));
  return item;
}

function renameKept(each, item) {
  const field = make("input"), done = async () => { if (await askFor(server.on_template_rename, { template: each.id, name: field.value })) keptChanged("Renamed."); };
  field.value = each.name;
  field.maxLength = 80;
  field.setAttribute("aria-label", "New name of the template " + each.name);
  field.onkeydown = event => { if (event.key === "Enter") { event.preventDefault(); done(); } };
  item.replaceChildren(field, button("Rename", "", done), button("Cancel", "quiet", () => openKept()));
  field.select();
}

async function keepAs(name) {
  const answer = await askFor(server.on_template_save, { name, messages: read().messages });
  if (answer) keptChanged("Saved. “" + answer.name + "” stands beside New.");
}

async function dropKept(each) {
  const gone = await askFor(server.on_template_delete, { template: each.id });
  if (!gone) return;
  keptChanged(["“" + gone.name + "” was deleted. ", button("Undo", "quiet", async () => { if (await askFor(server.on_template_save, { name: gone.name, messages: gone.messages })) keptChanged("It is back."); })]);
}

function keptChanged(said) {
  openKept(said);
  tell("studio:templates", {});
}

// Asks the studio; a refusal is told in the panel, and answers null.
async function askFor(deed, given) {
  const answer = await timed(deed({ project, ...given })).catch(() => ({ error: { message: "The studio does not answer. Try again in a moment." } }));
  if (!answer.error) return answer;
  const place = kept.querySelector("p");
  if (place) place.textContent = answer.error.message; else { notes.replaceChildren(); note("bad", answer.error.message); }
  return null;
}

// A new conversation with the template's text. It is saved once something is written in it.
async function begin(template) {
  if (!(await leave())) return;
  const answer = await askFor(server.on_template, { template });
  if (!answer) return;
  fresh(answer.messages);
  doc.template = template;
  fillGap(turns.querySelector("textarea"));
}

// After one that was begun here comes another new one, from the same template if any; the list leads on from those opened in it.
async function another() { if (doc.template) await begin(doc.template); else fresh(); }

// Selects the first gap from there on, so that typing fills it; without one the cursor goes to the end of the text.
function fillGap(area) {
  const found = [...turns.querySelectorAll("textarea")].find(each => GAP.test(each.value)) || area;
  const gap = GAP.exec(found.value);
  point(found);
  found.setSelectionRange(gap ? gap.index : found.value.length, gap ? gap.index + gap[0].length : found.value.length);
}
