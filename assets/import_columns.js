// Lets a person say which column of a table is what, and remembers it for tables with the same columns.
const KINDS = {
  pair: { label: "a question and its answer", fields: [["question", "Question"], ["answer", "Answer"], ["system", "System text"], ["tags", "Tags"], ["note", "Note"]], needed: ["question", "answer"] },
  turn: { label: "one turn of a conversation", fields: [["conversation", "Conversation"], ["role", "Who speaks"], ["content", "Text"], ["tags", "Tags"], ["note", "Note"]], needed: ["conversation", "role", "content"] },
};
const keyOf = names => "studio.columns." + names.join("\u001f");
const kindOf = columns => columns.conversation && columns.role && columns.content ? "turn" : "pair";
const wholeOf = (columns, kind) => KINDS[kind].needed.every(each => columns[each]);

// What was said the last time about columns of these names; null if nothing was.
function remembered(names) {
  try {
    const kept = JSON.parse(localStorage.getItem(keyOf(names)));
    return kept && Object.values(kept).every(each => !each || names.includes(each)) ? kept : null;
  } catch (error) {
    return null;
  }
}

function remember(names, columns) {
  try { localStorage.setItem(keyOf(names), JSON.stringify(columns)); } catch (error) { /* a full or forbidden storage only forgets */ }
}

function choice(label, options, value, chosen) {
  const field = make("label", "", label), select = make("select");
  for (const [each, text] of options) select.append(new Option(text, each));
  select.value = value;
  select.dataset.of = label;
  select.setAttribute("aria-label", label); // the label around it also holds what can be chosen
  select.onchange = () => chosen(select.value);
  field.append(select);
  return field;
}

// `changed` is called with the columns once the needed ones are chosen.
function columnFields(plan, changed) {
  const place = make("fieldset", "columns"), columns = { ...plan.columns };
  let kind = kindOf(columns);
  const say = () => {
    const own = Object.fromEntries(KINDS[kind].fields.map(([name]) => [name, columns[name] || ""]));
    if (kind === "turn") for (const each of ["weight", "name"]) own[each] = columns[each] || "";
    if (wholeOf(own, kind)) { remember(plan.names, own); changed(own); }
  };
  const draw = () => {
    const options = plan.names.map(each => [each, each]);
    place.replaceChildren(make("legend", "", "Which column is what"),
      choice("Each row holds", Object.entries(KINDS).map(([each, { label }]) => [each, label]), kind, value => { kind = value; draw(); say(); }),
      ...KINDS[kind].fields.map(([name, label]) => choice(label, [["", KINDS[kind].needed.includes(name) ? "choose" : "none"], ...options], columns[name] || "", value => { columns[name] = value; say(); })));
  };
  draw();
  return place;
}
