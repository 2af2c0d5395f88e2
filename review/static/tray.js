// What was chosen to be compared: two at most, kept while one goes through the list.

const tray = document.getElementById("tray");
const told = tray.querySelector("[data-chosen]");
const button = tray.querySelector("button");
const empty = [...told.childNodes];
const boxes = () => [...document.querySelectorAll("[data-choose]")];

let chosen = JSON.parse(sessionStorage.getItem("compare") ?? "[]");

function chip({ id, name }) {
  const made = document.createElement("button");
  made.type = "button";
  made.textContent = `${name} ×`;
  made.setAttribute("aria-label", `Leave out ${name}`);
  made.addEventListener("click", () => keep(chosen.filter((one) => one.id !== id)));
  return made;
}

function draw() {
  boxes().forEach((box) => (box.checked = chosen.some((one) => one.id === box.value)));
  told.replaceChildren(...(chosen.length ? chosen.map(chip) : empty));
  button.disabled = chosen.length !== 2;
}

function keep(next) {
  // A third one takes the place of the first.
  chosen = next.slice(-2);
  sessionStorage.setItem("compare", JSON.stringify(chosen));
  draw();
}

document.addEventListener("change", ({ target }) => {
  if (!target.matches("[data-choose]")) return;
  const others = chosen.filter((one) => one.id !== target.value);
  keep(target.checked ? [...others, { id: target.value, name: target.dataset.choose }] : others);
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "c" || event.ctrlKey || event.metaKey || event.altKey) return;
  const row = document.activeElement.closest("tr:has([data-choose])");
  if (!row) return;
  event.preventDefault();
  row.querySelector("[data-choose]").click();
});

tray.addEventListener("submit", (event) => {
  event.preventDefault();
  const [left, right] = chosen;
  if (right) location.assign(`/compare?left=${encodeURIComponent(left.id)}&right=${encodeURIComponent(right.id)}`);
});

document.addEventListener("htmx:afterSwap", draw);
window.addEventListener("pageshow", draw);
draw();
