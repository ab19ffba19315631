// Draws the strip above the tabs and the counts on them, asks for the state again while the page is seen, and says when the studio does not answer.
const strip = element.querySelector(".strip");
let project = "", timer = null, wanted = true, failed = 0, restored = false, loading = false;

function meter(share, label) {
  const bar = make("span", "meter"), fill = make("i");
  bar.setAttribute("role", "img");
  bar.setAttribute("aria-label", label);
  fill.style.width = Math.round(100 * Math.min(1, share)) + "%";
  bar.append(fill);
  return bar;
}

function model(state) {
  const node = make("span", "soft", state.model.name);
  if (state.model.share !== undefined) node.append(meter(state.model.share, "Loaded: " + Math.round(100 * state.model.share) + " %"));
  if (state.model.note) node.append(make("span", "tag", state.model.note));
  return node;
}

function device(state) {
  if (!state.device) return make("span", "soft", "Getting ready …");
  const node = make("span", "device", state.device.name);
  node.title = state.device.why;
  node.append(meter(state.device.share, "Memory in use: " + state.device.memory), make("span", "soft num", state.device.memory));
  return node;
}

function job(state) {
  if (!state.job) return [make("span", "right soft", "Idle")];
  const node = make("span", "right job", state.job.name), stop = make("button", "quiet job", "Stop");
  node.append(meter(state.job.share, "Training: " + state.job.text), make("span", "num", state.job.text));
  stop.type = "button";
  stop.title = "Stop the training and keep the best so far";
  stop.onclick = () => { stop.disabled = true; stop.textContent = "Stopping"; ask("on_stop", { run: state.job.run }); };
  return [node, stop];
}

function help() {
  const node = make("button", "quiet", "?");
  node.type = "button";
  node.title = "Shortcuts";
  node.setAttribute("aria-label", "Shortcuts");
  node.onclick = () => document.dispatchEvent(new CustomEvent("studio:help"));
  return node;
}

function draw(state) {
  const focused = strip.contains(document.activeElement) ? document.activeElement.textContent : null;
  if (!strip.contains(youField) || youField.hidden) strip.replaceChildren(model(state), device(state), ...job(state), drawYou(state.person), help());
  for (const node of strip.querySelectorAll("button")) if (node.textContent === focused) node.focus();
  if (state.counts) count(state.counts);
}

const tabOf = name => [...document.querySelectorAll("#tabs > .tab-wrapper [role=tab]")].find(tab => tab.dataset.tabId === name);

function count(counts) {
  for (const [name, number] of Object.entries(counts)) {
    const tab = tabOf(name);
    if (tab) { tab.dataset.count = number.toLocaleString("en"); tab.classList.toggle("warn", name === "check" && number > 0); }
  }
}

// `told`: what the studio answered instead of its state; "" where it did not answer.
function lost(told) {
  const said = make("span", "lost", told || "The studio does not answer. It may have been closed; what you write is kept in this browser until it is back.");
  said.setAttribute("role", "alert");
  if (!strip.querySelector(".lost")) strip.replaceChildren(said);
}

async function ask(what, more) {
  clearTimeout(timer);
  const counts = wanted;
  let told = "";
  wanted = false;
  try {
    const state = await server[what]({ project, counts, ...more });
    if (state && state.error) told = state.error.message;
    if (!state || told) throw new Error(told);
    if (failed) document.dispatchEvent(new CustomEvent("studio:back"));
    failed = 0;
    loading = state.model.share !== undefined;
    draw(state);
  } catch (error) {
    wanted = wanted || counts;
    if (++failed > 1) lost(told);
  }
  timer = setTimeout(() => ask("on_state"), document.hidden ? 10000 : loading ? 500 : 2000);
}

// After a refresh the tab that was open is opened again; its own `select` reads the store.
function restore() {
  if (restored) return;
  restored = true;
  const tab = tabOf(location.hash.slice(1));
  if (tab && tab.getAttribute("aria-selected") !== "true") tab.click();
}

function load() {
  const value = props.value || {};
  if (!value.project) return;
  project = value.project;
  const address = new URL(location.href);
  address.searchParams.set("project", project);
  history.replaceState(null, "", address);
  wanted = true;
  ask("on_state");
  restore();
}

document.addEventListener("click", event => {
  const tab = event.target.closest ? event.target.closest("[role=tab]") : null;
  if (!tab || !tab.dataset.tabId) return;
  const address = new URL(location.href);
  address.hash = tab.dataset.tabId;
  history.replaceState(null, "", address);
  wanted = true;
});
document.addEventListener("studio:saved", () => { wanted = true; });
document.addEventListener("visibilitychange", () => { if (!document.hidden && project) ask("on_state"); });
watch("value", load);
load();
