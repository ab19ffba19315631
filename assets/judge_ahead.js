// Answers that are prepared for judging in the background: how far they are, as long as the page is looked at.
const ahead = element.querySelector(".ahead");
let aheadTimer = null;

async function prepare(wish) { tellAhead(await asked(server.on_prepare, { project: props.value.project, ...wish })); }

async function askAhead() {
  clearTimeout(aheadTimer);
  const project = (props.value || {}).project;
  if (!project) { ahead.replaceChildren(); return; }
  if (!element.offsetParent) { aheadTimer = setTimeout(askAhead, 2000); return; }
  const told = await server.on_prepared({ project }).catch(() => null);
  if (told && !told.error && project === props.value.project) tellAhead(told); else aheadTimer = setTimeout(askAhead, 2000);
}

function tellAhead(told) {
  if (!told) return;
  clearTimeout(aheadTimer);
  if (told.going) aheadTimer = setTimeout(askAhead, 1000);
  if (!told.said) { ahead.replaceChildren(); return; }
  let bar = ahead.querySelector("progress"), said = ahead.querySelector("p"), halt = ahead.querySelector("button");
  if (!said) {
    bar = make("progress");
    bar.setAttribute("aria-label", "Pairs of answers that are ready");
    said = make("p", "soft num");
    halt = deed("Stop preparing", "quiet", async () => tellAhead(await asked(server.on_unprepare, { project: props.value.project })));
    ahead.replaceChildren(bar, said, halt);
  }
  bar.hidden = halt.hidden = !told.going;
  bar.max = told.total;
  bar.value = told.done;
  said.textContent = told.said;
  said.className = told.trouble ? "note bad" : "soft num";
}
