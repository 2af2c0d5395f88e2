// The live end of a run: what comes in is put where it belongs, and what is open stays open.

const list = document.getElementById("units");

function made(html) {
  const held = document.createElement("template");
  held.innerHTML = html.trim();
  return held.content.firstElementChild;
}

function renew(known, fresh) {
  const before = known.querySelector("summary");
  const after = fresh.querySelector("summary");
  const focused = document.activeElement === before;
  before.replaceWith(after);
  if (focused) after.focus();
}

const line = (event) => event.querySelector(".line").textContent;

function mergeStep(inside, html) {
  const fresh = made(html);
  const known = inside.querySelector(`[data-step="${CSS.escape(fresh.dataset.step)}"]`);
  if (!known) {
    inside.append(fresh);
    htmx.process(fresh);
    return;
  }
  renew(known, fresh);
  const events = known.querySelector(".events");
  for (const event of [...fresh.querySelectorAll(".event")]) {
    const there = document.getElementById(event.id);
    if (there && line(there) === line(event)) continue;
    // A step that is done again replaces what it said before.
    if (there) there.replaceWith(event);
    else events.append(event);
    htmx.process(event);
  }
}

function mergeUnit({ unit, html, steps }) {
  if (!html) return;
  const fresh = made(html);
  const known = list.querySelector(`[data-unit="${CSS.escape(unit)}"]`);
  if (!known) {
    list.querySelector(".nothing")?.remove();
    list.append(fresh);
    htmx.process(fresh);
    return;
  }
  renew(known, fresh);
  const inside = known.querySelector(".inside");
  if (inside.hasAttribute("data-loaded") || inside.childElementCount) steps.forEach((one) => mergeStep(inside, one));
}

const source = new EventSource(list.dataset.tail);
source.addEventListener("news", ({ data }) => {
  const { units, facts, asks, latest } = JSON.parse(data);
  units.forEach(mergeUnit);
  document.getElementById("facts").innerHTML = facts;
  const asking = document.getElementById("asks");
  if (asking.innerHTML.trim() !== asks.trim()) asking.innerHTML = asks;
  document.querySelector("[data-latest]").textContent = latest;
});
source.addEventListener("over", () => {
  source.close();
  document.querySelector("[data-live]").remove();
  htmx.ajax("GET", list.dataset.run, { target: "#summary", select: "#summary", swap: "outerHTML" });
});
