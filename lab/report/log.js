"use strict";
// The log of Kubernetes' events: its times move the cursor, the cursor moves it, and words narrow it down.
(() => {
  const log = document.querySelector(".row.log");
  if (!log) return;
  const box = log.querySelector(".entries");
  const rows = [...log.querySelectorAll("tbody tr")];
  const buttons = rows.map((row) => row.querySelector("button"));
  const times = buttons.map((button) => Number(button.dataset.at));
  let near = null;

  const mark = (row) => {
    if (near) near.classList.remove("near");
    near = row;
    if (row) row.classList.add("near");
  };
  lab.on("at", (at) => {
    if (at === null) { mark(null); return; }
    let found = null;
    times.forEach((when, place) => { if (when <= at + 0.05 && !rows[place].hidden) found = rows[place]; });
    if (found === near) return;
    mark(found);
    if (found && !box.contains(document.activeElement)) box.scrollTop = found.offsetTop - box.clientHeight / 2;
  });
  buttons.forEach((button, place) => {
    button.addEventListener("click", () => { lab.pointAt(times[place]); mark(rows[place]); });
    button.addEventListener("blur", () => lab.showAt(null));
  });

  const words = rows.map((row) => row.textContent.toLowerCase());
  const found = log.querySelector(".found");
  const asked = log.querySelector("input");
  const narrow = () => {
    const [from, to] = lab.view();
    const wanted = asked.value.toLowerCase().split(/\s+/).filter(Boolean);
    let count = 0;
    rows.forEach((row, place) => {
      row.hidden = times[place] < from || times[place] > to || !wanted.every((word) => words[place].includes(word));
      if (!row.hidden) count += 1;
    });
    found.textContent = count === rows.length ? "" : count + " shown";
  };
  asked.addEventListener("input", narrow);
  lab.on("view", narrow);
})();
