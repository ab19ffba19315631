// Answers that are prepared for judging in the background: how far they are, as long as the page is looked at.
const ahead = element.querySelector(".ahead");
let aheadTimer = null;

async function prepare(wish) {
  mine = wish;
  tellAhead(await asked(server.on_prepare, { project: props.value.project, ...wish }));
}

async function askAhead() {
  clearTimeout(aheadTimer);
  const project = (props.value || {}).project;
  if (!project) { ahead.replaceChildren(); return; }
  if (!element.offsetParent) { aheadTimer = setTimeout(askAhead, 2000); return; }
  const told = await server.on_prepared({ project }).catch(() => null);
  if (told && !told.error && project === props.value.project) tellAhead(told); else aheadTimer = setTimeout(askAhead, 2000);
}

// What is ready need not be said any longer to who judges it.
function hushAhead() { if (!ahead.querySelector("button:not([hidden])")) ahead.replaceChildren(); }

function tellAhead(told) {
  if (!told) return;
  clearTimeout(aheadTimer);
  if (told.going) aheadTimer = setTimeout(askAhead, 1000);
  if (!told.said) { ahead.replaceChildren(); return; }
  let bar = ahead.querySelector(".progress"), said = ahead.querySelector("p"), [halt, on] = ahead.querySelectorAll("button");
  if (!said) {
    bar = make("div", "progress");
    bar.append(make("i"));
    bar.setAttribute("role", "progressbar");
    bar.setAttribute("aria-label", "Questions that are answered on both sides");
    said = make("p", "soft num");
    halt = deed("Stop preparing", "quiet", async () => tellAhead(await asked(server.on_unprepare, { project: props.value.project })));
    on = deed("Go on preparing", "");
    ahead.replaceChildren(bar, said, halt, on);
  }
  bar.hidden = halt.hidden = !told.going;
  on.hidden = !told.left;
  on.onclick = () => prepare(told.left);
  const share = Math.round(100 * told.done / (told.total || 1));
  bar.firstChild.style.width = share + "%";
  bar.setAttribute("aria-valuenow", share);
  said.textContent = told.said;
  said.className = told.trouble ? "note bad" : "soft num";
}
