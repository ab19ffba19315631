// Keeps text that the server has not acknowledged in this browser, apart for each tab, and finds what a closed or crashed tab left behind.
const drafts = (() => {
  const random = () => Array.from(crypto.getRandomValues(new Uint8Array(16)), byte => byte.toString(16).padStart(2, "0")).join("");
  const key = (project, name) => "studio.draft." + project + "." + tab + "." + name;
  let tab = sessionStorage.getItem("studio.tab") || random();

  // A lock is held as long as a tab lives. A duplicated tab comes with its twin's name, finds it taken and takes another.
  const named = new Promise(ready => {
    if (!navigator.locks) return ready();
    const hold = again => navigator.locks.request("studio.tab." + tab, { ifAvailable: true }, lock => {
      if (!lock && again) { tab = random(); hold(false); return undefined; }
      ready();
      return lock ? new Promise(() => {}) : undefined;
    });
    hold(true);
  }).then(() => sessionStorage.setItem("studio.tab", tab));

  function keep(project, name, draft) {
    try {
      localStorage.setItem(key(project, name), JSON.stringify({ ...draft, at: Date.now() }));
      return true;
    } catch (error) {
      return false;
    }
  }

  async function living() {
    if (!navigator.locks) return new Set();
    const held = (await navigator.locks.query()).held;
    return new Set(held.map(lock => lock.name.replace("studio.tab.", "")));
  }

  // What this tab kept before a reload, and what tabs kept that are gone, oldest first.
  async function left(project) {
    await named;
    const alive = await living(), found = [];
    for (const name of Object.keys(localStorage)) {
      if (!name.startsWith("studio.draft." + project + ".")) continue;
      const owner = name.split(".")[3];
      if (owner !== tab && alive.has(owner)) continue;
      try { found.push({ name, draft: JSON.parse(localStorage.getItem(name)) }); } catch (error) { localStorage.removeItem(name); }
    }
    return found.sort((one, two) => one.draft.at - two.draft.at);
  }

  return { keep, left, random, drop: (project, name) => localStorage.removeItem(key(project, name)), forget: name => localStorage.removeItem(name) };
})();
