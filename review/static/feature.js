// Pictures with the cells in which a feature fires, drawn over them; tabs; larger pictures.

const FINEST = 65535;
const MASKS = ["heat", "outline", "spotlight", "none"];
const CELL = 24; // pixels of the canvas; the sheet makes it as large as the picture

function cellsOf(figure) {
  const bytes = Uint8Array.from(atob(figure.dataset.cells), (letter) => letter.charCodeAt(0));
  return new Uint16Array(bytes.buffer);
}

function each(cells, columns, does) {
  cells.forEach((value, place) => does(value, place % columns, Math.floor(place / columns)));
}

function heat(pen, cells, columns, least) {
  each(cells, columns, (value, x, y) => {
    pen.fillStyle = value >= least ? `rgb(255 140 0 / ${0.2 + (0.6 * value) / FINEST})` : "rgb(0 0 0 / 0.4)";
    pen.fillRect(x * CELL, y * CELL, CELL, CELL);
  });
}

function spotlight(pen, cells, columns, least) {
  pen.fillStyle = "rgb(0 0 0 / 0.82)";
  each(cells, columns, (value, x, y) => value < least && pen.fillRect(x * CELL, y * CELL, CELL, CELL));
}

function outline(pen, cells, columns, least) {
  const lit = (x, y) => x >= 0 && x < columns && y >= 0 && cells[y * columns + x] >= least;
  const path = new Path2D();
  const line = (x1, y1, x2, y2) => {
    path.moveTo(x1 * CELL, y1 * CELL);
    path.lineTo(x2 * CELL, y2 * CELL);
  };
  each(cells, columns, (value, x, y) => {
    if (value < least) return;
    if (!lit(x - 1, y)) line(x, y, x, y + 1);
    if (!lit(x + 1, y)) line(x + 1, y, x + 1, y + 1);
    if (!lit(x, y - 1)) line(x, y, x + 1, y);
    if (!lit(x, y + 1)) line(x, y + 1, x + 1, y + 1);
  });
  pen.lineCap = "round";
  for (const [colour, width] of [["rgb(0 0 0 / 0.75)", 9], ["#ffb020", 4]]) {
    pen.strokeStyle = colour;
    pen.lineWidth = width;
    pen.stroke(path);
  }
}

const painters = { heat, outline, spotlight };

// Where the label was found is white in its picture: it becomes blue, the rest disappears.
async function found(figure, canvas, pen) {
  const image = new Image();
  image.src = figure.dataset.found;
  await image.decode();
  const beside = Object.assign(document.createElement("canvas"), { width: canvas.width, height: canvas.height });
  const its = beside.getContext("2d");
  its.drawImage(image, 0, 0, beside.width, beside.height);
  const pixels = its.getImageData(0, 0, beside.width, beside.height);
  for (let at = 0; at < pixels.data.length; at += 4) {
    pixels.data.set([40, 150, 255, pixels.data[at] > 127 ? 120 : 0], at);
  }
  its.putImageData(pixels, 0, 0);
  pen.drawImage(beside, 0, 0);
}

function canvasOf(figure, rows, columns) {
  const frame = figure.querySelector(".frame");
  const there = frame.querySelector("canvas");
  if (there) return there;
  const canvas = Object.assign(document.createElement("canvas"), { width: columns * CELL, height: rows * CELL });
  canvas.setAttribute("aria-hidden", "true");
  frame.querySelector(".lit")?.remove();
  frame.append(canvas);
  return canvas;
}

function masks(gallery) {
  const [rows, columns] = [Number(gallery.dataset.rows), Number(gallery.dataset.columns)];
  const peak = Number(gallery.dataset.peak);
  const tools = gallery.querySelector("[data-mask-tools]");
  const slider = tools?.querySelector("[data-threshold]");
  const shown = tools?.querySelector("[data-found-shown]");
  const level = (within) => Number((within.closest("[data-level]") ?? gallery).dataset.level ?? 1);
  const state = { mask: localStorage.getItem("mask") ?? "heat", chosen: null };

  function draw(figure) {
    const canvas = canvasOf(figure, rows, columns);
    const pen = canvas.getContext("2d");
    pen.clearRect(0, 0, canvas.width, canvas.height);
    const least = Math.max(1, state.chosen ?? level(figure));
    painters[state.mask]?.(pen, cellsOf(figure), columns, least);
    if (shown?.checked && figure.dataset.found) found(figure, canvas, pen);
  }

  function drawAll() {
    gallery.querySelectorAll(".sighting[data-cells]").forEach((figure) => figure.checkVisibility() && draw(figure));
    if (!tools) return;
    tools.hidden = ![...gallery.querySelectorAll(".sighting[data-cells]")].some((one) => one.checkVisibility());
    const first = [...gallery.querySelectorAll(".sighting")].find((one) => one.checkVisibility());
    const least = state.chosen ?? level(first ?? gallery);
    slider.value = Math.round((1000 * least) / FINEST);
    const share = `${(Number(slider.value) / 10).toFixed(1)} %`;
    tools.querySelector("[data-told]").textContent = `${((peak * least) / FINEST).toPrecision(3)}, ${share} of the peak`;
    tools.querySelector("[data-own-level]").disabled = state.chosen === null;
    tools.querySelector("[data-found-switch]").hidden = !first?.closest(".tab")?.querySelector("[data-found]");
    tools.querySelectorAll("[name=mask]").forEach((one) => (one.checked = one.value === state.mask));
  }

  function choose(mask) {
    state.mask = mask;
    localStorage.setItem("mask", mask);
    drawAll();
  }

  if (!(state.mask in painters) && state.mask !== "none") state.mask = "heat";
  if (tools) {
    tools.addEventListener("input", ({ target }) => {
      if (target.name === "mask") return choose(target.value);
      if (target === slider) state.chosen = Math.round((FINEST * Number(slider.value)) / 1000);
      drawAll();
    });
    tools.querySelector("[data-own-level]").addEventListener("click", () => {
      state.chosen = null;
      drawAll();
    });
  }
  document.addEventListener("keydown", (event) => {
    const writing = /^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName) && event.target.type !== "radio" && event.target.type !== "range";
    if (event.key !== "m" || event.ctrlKey || event.metaKey || event.altKey || writing) return;
    choose(MASKS[(MASKS.indexOf(state.mask) + 1) % MASKS.length]);
  });
  gallery.addEventListener("shown", drawAll);
  // Why it did not come is said above; its cells are still to be seen.
  const lost = ({ target }) => {
    target.closest(".frame").classList.add("empty");
    target.remove();
  };
  gallery.querySelectorAll(".frame img").forEach((image) => {
    image.addEventListener("error", lost);
  });
  gallery.addEventListener("click", (event) => {
    const frame = event.target.closest("a.frame");
    if (!frame || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    frame.closest(".sighting").classList.toggle("large");
  });
  drawAll();
}

function tabs(gallery) {
  const list = gallery.querySelector(".tabs");
  const links = [...list.querySelectorAll("a")];
  const panel = (link) => document.getElementById(link.hash.slice(1));
  function select(link, focus = false) {
    for (const one of links) {
      const chosen = one === link;
      one.setAttribute("aria-selected", String(chosen));
      one.tabIndex = chosen ? 0 : -1;
      panel(one).hidden = !chosen;
    }
    if (focus) link.focus();
    gallery.dispatchEvent(new Event("shown"));
  }
  list.setAttribute("role", "tablist");
  for (const link of links) {
    link.setAttribute("role", "tab");
    link.setAttribute("aria-controls", panel(link).id);
    panel(link).setAttribute("role", "tabpanel");
  }
  list.addEventListener("click", (event) => {
    const link = event.target.closest("a");
    if (!link) return;
    event.preventDefault();
    select(link);
  });
  list.addEventListener("keydown", (event) => {
    const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    const at = links.indexOf(document.activeElement);
    if (!by || at < 0) return;
    event.preventDefault();
    select(links[(at + by + links.length) % links.length], true);
  });
  select(links.find((link) => link.hash === location.hash) ?? links[0]);
}

document.querySelectorAll("[data-masks]").forEach(masks);
document.querySelectorAll("[data-tabs]").forEach(tabs);
