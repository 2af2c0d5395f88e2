// A transcript: links to single events, wherever they are; all open or all closed.

const list = document.getElementById("units");

async function fetched(path) {
  const reply = await fetch(path);
  if (!reply.ok) return null;
  const held = document.createElement("template");
  held.innerHTML = await reply.text();
  return held.content;
}

async function loaded(unit) {
  const there = list.querySelector(`[data-unit="${CSS.escape(unit)}"]`);
  const inside = there?.querySelector(".inside");
  if (inside && (inside.hasAttribute("data-loaded") || inside.childElementCount)) return;
  const whole = await fetched(`${list.dataset.run}/unit?unit=${encodeURIComponent(unit)}`);
  const item = whole?.querySelector(".unit");
  if (!item) return;
  if (there) there.replaceWith(item);
  else list.append(item);
  htmx.process(item);
}

async function reveal() {
  const name = decodeURIComponent(location.hash.slice(1));
  const parts = /^(.+)\.\d+\.\d+$/.exec(name);
  if (!parts) return;
  await loaded(parts[1]);
  const event = document.getElementById(name);
  if (!event) return;
  for (let at = event.parentElement; at; at = at.parentElement) if (at.tagName === "DETAILS") at.open = true;
  document.querySelectorAll(".event.here").forEach((one) => one.classList.remove("here"));
  event.classList.add("here");
  event.scrollIntoView({ block: "center" });
}

document.querySelector("[data-open-all]").addEventListener("click", ({ target }) => {
  const all = [...list.querySelectorAll(".unit > details, .step")];
  const open = all.some((one) => !one.open);
  all.forEach((one) => (one.open = open));
  target.textContent = open ? "Close all" : "Open all";
});
window.addEventListener("hashchange", reveal);
reveal();
