// The console's own script. Everything works without it; with it, views follow changes, keys work,
// and text can be copied. No state is changed here.
(() => {
  "use strict";
  const root = document.documentElement;
  root.classList.add("scripted");
  const find = (selector, from = document) => from.querySelector(selector);

  // Sessions: the address has half of its secret, so it is remembered for this origin only, which
  // has a port. A login page continues the session that this browser has.
  const remembered = "ovhai-console";
  const read = () => { try { return localStorage.getItem(remembered); } catch { return null; } };
  const keep = (segment) => {
    try {
      if (segment) localStorage.setItem(remembered, segment); else localStorage.removeItem(remembered);
    } catch { /* Storage may be off. */ }
  };
  const at = location.pathname.match(/^\/c\/([0-9a-f]{32})\//);
  if (at) keep(at[1]);
  const query = new URLSearchParams(location.search);
  if (query.has("ended") || query.has("out")) keep(null);
  const resume = () => {
    const form = find("[data-resume]");
    const segment = read();
    if (form && segment && !find("[role=alert]") && location.pathname !== "/console/login") {
      location.replace(`/c/${segment}/${form.dataset.resume}`);
    }
  };

  // Views that follow changes.
  const stale = find("#stale");
  let fresh = new Date();
  const time = (date) => date.toLocaleTimeString([], { hour12: false });
  const lost = () => {
    if (!stale) return;
    stale.textContent = `Connection lost. Data of ${time(fresh)}. Trying again …`;
    stale.hidden = false;
  };
  const found = () => { fresh = new Date(); if (stale) stale.hidden = true; };
  const poll = (element) => {
    const source = element.dataset.poll;
    if (!source || element.dataset.polls) return;
    element.dataset.polls = "1";
    const again = () => {
      if (!element.isConnected) return;
      if (!document.hidden && !isBusy()) {
        const target = element.getAttribute("hx-target");
        htmx.ajax("GET", source, { target, swap: "innerMorph" }).then(found, lost);
      }
      setTimeout(again, 3000);
    };
    setTimeout(again, 3000);
  };
  // An update must not close an open menu.
  const isBusy = () => find("details.menu[open]") !== null;
  document.addEventListener("htmx:sse:after:connection", found);
  document.addEventListener("htmx:sse:error", lost);
  document.addEventListener("htmx:sse:before:connection", (event) => {
    if (event.detail.connection.attempt > 0 && !document.hidden) lost();
  });
  const held = new Map();
  document.addEventListener("htmx:sse:before:message", (event) => {
    found();
    const { message } = event.detail;
    if (message.event === "poll") { event.detail.cancelled = true; const element = event.target; element.removeAttribute("hx-sse:connect"); poll(element); return; }
    if (message.event === "ended") { event.detail.cancelled = true; location.reload(); return; }
    if (isBusy() && event.target.dataset.poll) { held.set(event.target, message.data); event.detail.cancelled = true; }
  });
  document.addEventListener("toggle", () => {
    if (isBusy()) return;
    for (const element of held.keys()) {
      if (element.isConnected) htmx.ajax("GET", element.dataset.poll, { target: element.getAttribute("hx-target"), swap: "innerMorph" });
    }
    held.clear();
  }, true);
  document.addEventListener("htmx:response:error", lost);

  // The address follows the filter, so that reloading keeps it. Back leads to the page before, not
  // through every letter.
  const follow = (event) => {
    const form = event.target.closest("form.filters");
    if (!form) return;
    const set = [...new FormData(form)].filter(([, value]) => value !== "");
    const search = new URLSearchParams(set).toString();
    history.replaceState(null, "", search ? `?${search}` : location.pathname);
  };
  document.addEventListener("input", follow);
  document.addEventListener("change", follow);

  // Logs follow at the end only.
  const isAtEnd = (log) => log.scrollHeight - log.scrollTop - log.clientHeight < 40;
  const ends = new WeakMap();
  document.addEventListener("htmx:before:swap", () => {
    for (const log of document.querySelectorAll("[data-follow]")) ends.set(log, isAtEnd(log));
  });
  document.addEventListener("htmx:after:swap", () => {
    for (const log of document.querySelectorAll("[data-follow]")) {
      if (ends.get(log) !== false) log.scrollTop = log.scrollHeight;
    }
    restore();
  });

  // Copying.
  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy]");
    if (button) {
      try { await navigator.clipboard.writeText(button.dataset.copy); }
      catch {
        const area = document.createElement("textarea");
        area.value = button.dataset.copy;
        document.body.append(area);
        area.select();
        document.execCommand("copy");
        area.remove();
      }
      button.classList.add("copied");
      const note = find(".unseen", button);
      const text = note.textContent;
      note.textContent = "Copied";
      setTimeout(() => { button.classList.remove("copied"); note.textContent = text; }, 1500);
    }
    // Menus close at a click elsewhere.
    for (const menu of document.querySelectorAll("details.menu[open]")) {
      if (!menu.contains(event.target)) menu.open = false;
    }
  });

  // What is shown once does not come back with the page that Back restores.
  addEventListener("pagehide", () => { for (const element of document.querySelectorAll("[data-once]")) element.remove(); });

  // Keys.
  let current = null;
  const rows = () => [...document.querySelectorAll(".rows tbody tr")];
  const restore = () => {
    if (current) find(`#${CSS.escape(current)}`)?.classList.add("current");
  };
  const move = (by) => {
    const all = rows();
    if (!all.length) return;
    const now = all.findIndex((row) => row.id === current);
    const next = all[Math.max(0, Math.min(all.length - 1, now < 0 ? (by > 0 ? 0 : all.length - 1) : now + by))];
    for (const row of all) row.classList.remove("current");
    current = next.id;
    next.classList.add("current");
    find("a", next)?.focus();
    next.scrollIntoView({ block: "nearest" });
  };
  let began = 0;
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (event.key === "Escape") {
      for (const menu of document.querySelectorAll("details.menu[open]")) { menu.open = false; find("summary", menu).focus(); }
      return;
    }
    if (event.target.closest("input, select, textarea, [contenteditable]") || find("dialog[open]")) return;
    const after = Date.now() - began < 1200;
    began = 0;
    if (after) {
      const link = find(`[data-go="${CSS.escape(event.key)}"]`);
      if (link) { event.preventDefault(); link.click(); return; }
    }
    switch (event.key) {
      case "/": { const filter = find("[data-filter]"); if (filter) { event.preventDefault(); filter.focus(); filter.select(); } break; }
      case "g": began = Date.now(); break;
      case "j": move(1); break;
      case "k": move(-1); break;
      case "n": find("[data-new]")?.click(); break;
      case "?": find("#keys")?.showModal(); break;
    }
  });

  const begin = () => {
    resume();
    for (const log of document.querySelectorAll("[data-follow]")) log.scrollTop = log.scrollHeight;
  };
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", begin); else begin();
})();
