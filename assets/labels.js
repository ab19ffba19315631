// Tags and a note: what colleagues say about a conversation. The model never sees them.
const labels = make("div", "labels"), chosen = make("span", "chosen"), more = make("input", "more"), known = make("datalist"), remark = make("textarea", "remark");
more.setAttribute("aria-label", "Add a tag");
more.placeholder = "Add a tag";
more.maxLength = 100;
known.id = "tags-" + drafts.random();
more.setAttribute("list", known.id);
remark.setAttribute("aria-label", "Note for colleagues");
remark.placeholder = "A note for colleagues; the model never sees it";
remark.rows = 1;
remark.dir = "auto";
remark.oninput = () => { doc.note = remark.value; grow(remark); changed(); };
more.onkeydown = event => { if (event.key === "Enter" && !event.ctrlKey && !event.metaKey) { event.preventDefault(); addTag(); } };
more.onchange = () => addTag();
more.onfocus = offerTags;
labels.append(chosen, more, known, remark);

function drawLabels() {
  chosen.replaceChildren(...doc.tags.map(tag => {
    const node = make("span", "tag", tag);
    node.append(button("×", "quiet", () => dropTag(tag), "", "Remove the tag " + tag));
    return node;
  }));
  remark.value = doc.note;
  more.value = "";
  grow(remark);
}

function addTag() {
  const tag = more.value.trim().replace(/\s+/g, " ");
  more.value = "";
  if (!tag || doc.tags.includes(tag)) return;
  doc.tags = [...doc.tags, tag];
  drawLabels();
  more.focus();
  changed(0);
}

function dropTag(tag) {
  doc.tags = doc.tags.filter(each => each !== tag);
  drawLabels();
  more.focus();
  changed(0);
}

// The tags in use are asked for when somebody is about to write one.
async function offerTags() {
  const answer = await timed(server.on_tags({ project })).catch(() => null);
  if (answer && answer.tags) known.replaceChildren(...answer.tags.filter(tag => !doc.tags.includes(tag)).map(tag => new Option(tag, tag)));
}
