"use strict";
// The numbers behind a chart, as a table and as a file, made when they are asked for.
(() => {
  const heads = (panel) => panel.lines.map((line) => line.label + (panel.unit ? " (" + panel.unit + ")" : ""));

  // Rows of [seconds, value or null or undefined ...]: null was asked and not answered, undefined was not asked at that moment.
  const rowsOf = (panel) => {
    const [moments, ...lines] = uPlot.join(panel.lines.map(lab.shows).map((line) => [line.x, line.y]));
    return moments.map((at, place) => [at, ...lines.map((line) => (typeof line[place] === "number" ? Number(line[place].toPrecision(6)) : line[place]))]);
  };
  const note = (panel, shown, all) => {
    const thinned = panel.lines.some((line) => line.n > line.x.length);
    return (shown < all ? shown + " of " + all + " moments, those of the stretch shown. " : all + " moments. ")
      + (thinned ? "Of a long run the lowest and the highest sample of each short stretch are kept here; every one: lab export RUN --format csv" : "Every sample, to four figures.");
  };
  const cell = (tag, text) => {
    const made = document.createElement(tag);
    made.textContent = text;
    if (tag === "th") made.scope = "col";
    return made;
  };
  const text = (value) => (value === undefined ? "" : value === null ? "none" : String(value));

  const save = (panel) => {
    const quoted = (word) => '"' + String(word).replaceAll('"', '""') + '"';
    const lines = [["at_s", ...heads(panel)].map(quoted), ...rowsOf(panel).map((row) => row.map((value) => (typeof value === "number" ? value : "")))];
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([lines.map((line) => line.join(",")).join("\r\n") + "\r\n"], { type: "text/csv" }));
    link.download = panel.id + ".csv";
    link.click();
    URL.revokeObjectURL(link.href);
  };

  const fill = (place, panel) => {
    const all = rowsOf(panel);
    const [from, to] = lab.view();
    const rows = all.filter((row) => row[0] >= from && row[0] <= to);
    const table = document.createElement("table");
    const head = table.createTHead().insertRow();
    head.append(cell("th", "at (s)"), ...heads(panel).map((name) => cell("th", name)));
    const body = table.createTBody();
    for (const row of rows) body.insertRow().append(...row.map((value) => cell("td", text(value))));
    const box = document.createElement("div");
    box.className = "entries";
    box.tabIndex = 0;
    box.setAttribute("role", "region");
    box.setAttribute("aria-label", "Numbers of " + panel.title);
    box.append(table);
    const button = cell("button", "Save as CSV");
    button.type = "button";
    button.addEventListener("click", () => save(panel));
    const foot = cell("p", note(panel, rows.length, all.length) + " ");
    foot.append(button);
    place.replaceChildren(foot, box);
  };

  for (const { panel, figure } of lab.charts) {
    const button = figure.querySelector(".plain");
    const place = figure.querySelector(".numbers");
    button.addEventListener("click", () => {
      place.hidden = !place.hidden;
      button.setAttribute("aria-expanded", String(!place.hidden));
      if (!place.hidden) fill(place, panel);
    });
    lab.on("view", () => { if (!place.hidden) fill(place, panel); });
  }
})();
