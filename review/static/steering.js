// The playground and the question why: sliders, and what is said as it is said.

for (const slider of document.querySelectorAll("[data-slides]")) {
  const number = document.getElementById(slider.dataset.slides);
  slider.hidden = false;
  slider.addEventListener("input", () => (number.value = slider.value));
  number.addEventListener("input", () => (slider.value = number.value));
}

document.querySelector("[data-kind]")?.addEventListener("change", ({ target }) => {
  const unit = target.selectedOptions[0].dataset.unit;
  document.querySelectorAll("span[data-unit]").forEach((one) => (one.textContent = unit));
});

const few = document.querySelector("[data-few]");
if (few) {
  const slider = few.querySelector("input");
  const rows = [...document.querySelectorAll(slider.dataset.shows)];
  const show = () => {
    rows.forEach((row, at) => (row.hidden = at >= slider.value));
    few.querySelector("output").textContent = `${slider.value} of ${rows.length}`;
  };
  few.hidden = false;
  slider.addEventListener("input", show);
  show();
}

const going = document.querySelector("[data-job]");
const words = { waiting: "Waiting", loading: "Loading", working: "Writing" };

function tell({ state, note, replies }) {
  const told = words[state] ?? state;
  const line = going.querySelector("[data-text]");
  const text = note ? `${told}: ${note}` : told;
  if (line.textContent !== text) line.textContent = text;
  for (const [name, said] of Object.entries(replies)) {
    const place = going.querySelector(`[data-said="${CSS.escape(name)}"]`);
    if (place && place.textContent !== said) place.textContent = said;
  }
}

if (going) {
  const source = new EventSource(`/jobs/${going.dataset.job}/news`);
  source.addEventListener("news", ({ data }) => tell(JSON.parse(data)));
  source.addEventListener("over", async ({ data }) => {
    source.close();
    const { kept } = JSON.parse(data);
    if (going.dataset.next) {
      location.replace(going.dataset.next + (kept ?? going.dataset.job));
      return;
    }
    const address = `/steer/${kept ?? going.dataset.job}`;
    await htmx.ajax("GET", address, { target: "#replies", select: "#replies", swap: "outerHTML" });
    history.replaceState(null, "", address);
  });
  window.addEventListener("pagehide", () => source.close());
}
