// A small menu: a button that opens a few deeds; arrows go through them, Escape closes it and goes back to where one was.
function menuOf(sign, title, ...inside) {
  const menu = make("details", "menu"), opener = make("summary", "", sign), deeds = make("div", "deeds");
  let from = null;
  opener.title = title;
  opener.setAttribute("aria-label", title);
  menu.append(opener, deeds);
  menu.ontoggle = () => { if (!menu.open && document.activeElement === document.body) (from || opener).focus(); };
  deeds.onclick = () => { menu.open = false; };
  menu.onkeydown = event => {
    const all = [...deeds.querySelectorAll("button")], at = all.indexOf(document.activeElement), way = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (event.key === "Escape" && menu.open) { event.stopPropagation(); menu.open = false; (from || opener).focus(); }
    if (!way) return;
    event.preventDefault();
    if (!menu.open) menu.unfold(null); else all[(at + way + all.length) % all.length]?.focus();
  };
  menu.addEventListener("focusout", event => { if (!menu.contains(event.relatedTarget)) { menu.open = false; from = null; } });
  menu.unfold = origin => { from = origin; menu.open = true; deeds.querySelector("button")?.focus(); deeds.scrollIntoView({ block: "nearest" }); };
  opener.onclick = event => { if (menu.open) return; event.preventDefault(); menu.unfold(null); };
  deeds.append(...inside);
  return menu;
}
