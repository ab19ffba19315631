// Rows that say what they said before stay the very nodes they are: nothing flickers, and focus and scroll hold.
function lay() {
  const old = new Map([...rows.children].map(item => [item.said, item])), held = rows.contains(document.activeElement) ? document.activeElement.dataset.id : null;
  const items = shown.map(each => {
    const said = JSON.stringify([each, binned]), item = old.get(said) || Object.assign(row(each), { said });
    for (const words of item.querySelectorAll(".q, .a")) words.dir = "auto";
    const box = item.querySelector(".pick");
    if (box) box.checked = picked.has(each.id);
    return item;
  });
  for (const item of [...rows.children]) if (!items.includes(item)) item.remove();
  items.forEach((item, at) => { if (rows.children[at] !== item) rows.insertBefore(item, rows.children[at] || null); });
  if (held && !rows.contains(document.activeElement)) rows.querySelector(`button[data-id="${held}"]`)?.focus({ preventScroll: true });
}
