// Judging by keyboard: 1 to 5, a letter for each tag, and on.

const form = document.querySelector("[data-verdict]");
const writing = (target) => /^(TEXTAREA|SELECT)$/.test(target.tagName) || target.matches("input[type=text]");
let going = false;

function does(key) {
  if (!form) return key === "a" ? document.querySelector("[data-again]") : null;
  if (/^[1-5]$/.test(key)) return form.querySelector(`[name=score][value="${key}"]`);
  if (key === "s") return document.querySelector("[data-skip]");
  return form.querySelector(`[data-key="${CSS.escape(key)}"]`);
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
  if (writing(event.target)) return;
  // After g comes the letter of a page.
  if (going || event.key === "g") {
    going = !going;
    return;
  }
  if (form && event.key === "Enter" && !event.target.matches("a, button, summary")) {
    event.preventDefault();
    form.requestSubmit();
  } else if (form && event.key === "t") {
    event.preventDefault();
    form.querySelector("textarea").focus();
  } else if (does(event.key)) {
    event.preventDefault();
    does(event.key).click();
  }
});
