"use strict";
// Light or dark: by the system, or by the button, which is remembered where the browser allows it.
const theme = {
  root: document.documentElement,
  system: matchMedia("(prefers-color-scheme: dark)"),
  listeners: [],
  stored() {
    try { return localStorage.getItem("slfac_sim-theme"); } catch { return null; }
  },
  isDark() {
    return this.root.dataset.theme ? this.root.dataset.theme === "dark" : this.system.matches;
  },
  set(name) {
    if (name) this.root.dataset.theme = name;
    else delete this.root.dataset.theme;
    this.listeners.forEach((listener) => listener());
  },
  choose(name) {
    try { localStorage.setItem("slfac_sim-theme", name); } catch { /* it holds for this page alone */ }
    this.set(name);
  },
};
if (["light", "dark"].includes(theme.stored())) theme.set(theme.stored());
