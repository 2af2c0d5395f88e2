// The keyboard, the light switch and the list of keys: the same on every page.

const items = () => [...document.querySelectorAll("[data-item]")].filter((one) => one.checkVisibility());
const writing = (target) =>
  target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName);
const help = document.getElementById("keys");
let going = false;

function step(by) {
  const all = items();
  if (!all.length) {
    // A page of one thing, among others of its kind.
    document.querySelector(by > 0 ? "a[rel=next]" : "a[rel=prev]")?.click();
    return;
  }
  const at = all.indexOf(document.activeElement.closest("[data-item]"));
  const next = at < 0 ? (by > 0 ? 0 : all.length - 1) : Math.max(0, Math.min(all.length - 1, at + by));
  all[next].focus();
  all[next].scrollIntoView({ block: "nearest" });
}

function pressed(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || writing(event.target) || help.open) return;
  const key = event.key;
  if (going) {
    going = false;
    const place = document.querySelector(`[data-go="${CSS.escape(key)}"]`);
    if (place) place.click();
    return;
  }
  const does = {
    j: () => step(1),
    k: () => step(-1),
    g: () => (going = true),
    "/": () => document.querySelector("[type=search]")?.focus(),
    "?": () => help.showModal(),
  }[key];
  if (!does) return;
  event.preventDefault();
  does();
}

function otherTheme() {
  const root = document.documentElement;
  const dark = getComputedStyle(root).getPropertyValue("--is-dark").trim();
  const now = root.dataset.theme ?? (dark === "1" ? "dark" : "light");
  root.dataset.theme = now === "dark" ? "light" : "dark";
  localStorage.setItem("theme", root.dataset.theme);
}

document.addEventListener("keydown", pressed);
document.addEventListener("click", (event) => {
  if (event.target.closest("[data-help]")) help.showModal();
  if (event.target.closest("[data-theme-switch]")) otherTheme();
});
// What was typed has been searched for already; once more would take the focus from what was found.
const leftSearch = (event) => event.target.type === "search" && event.stopPropagation();
document.addEventListener("change", leftSearch, true);
document.addEventListener("keyup", (event) => {
  if (event.key === "Escape" && writing(event.target)) event.target.blur();
});
