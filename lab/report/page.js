"use strict";
(() => {
  const told = JSON.parse(document.getElementById("told").textContent);
  const root = document.documentElement;
  const tone = (name) => getComputedStyle(root).getPropertyValue("--" + name).trim();
  const pixels = (name) => parseFloat(tone(name));
  const REST = "seconds on the run clock";
  const charts = [];

  const short = (value) => {
    if (value === 0) return "0";
    const size = Math.abs(value);
    if (size >= 1000) return Math.round(value).toLocaleString("en-US");
    return String(Number(value.toPrecision(3)));
  };
  const scaled = (value, step, names) => {
    let place = 0;
    while (Math.abs(value) >= step && place < names.length - 1) { value /= step; place += 1; }
    return short(value) + " " + names[place];
  };
  const words = (value, unit) => {
    if (unit === "ms") return scaled(value, 1000, ["ms", "s"]);
    if (unit === "B") return scaled(value, 1000, ["B", "kB", "MB", "GB"]);
    if (unit === "share") return Math.round(100 * value) + " %";
    return unit ? short(value) + " " + unit : short(value);
  };
  const tickWords = (value, unit) => {
    if (unit === "ms" || unit === "B" || unit === "share") return words(value, unit);
    return value >= 10000 ? short(value / 1000) + " k" : short(value);
  };

  // The sample of one line that is nearest to a moment, if one is near.
  const nearest = (line, at) => {
    let low = 0;
    let high = line.x.length - 1;
    if (high < 0) return null;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (line.x[middle] < at) low = middle + 1; else high = middle;
    }
    const place = low > 0 && at - line.x[low - 1] < line.x[low] - at ? low - 1 : low;
    return Math.abs(line.x[place] - at) <= 6 ? line.y[place] : null;
  };

  const shade = (plot) => {
    const { left, top, width, height } = plot.bbox;
    plot.ctx.save();
    plot.ctx.beginPath();
    plot.ctx.rect(left, top, width, height);
    plot.ctx.clip();
    for (const span of told.shades) {
      const from = plot.valToPos(span.begin_s, "x", true);
      plot.ctx.fillStyle = tone(span.kind + "-shade");
      plot.ctx.fillRect(from, top, plot.valToPos(span.end_s, "x", true) - from, height);
    }
    plot.ctx.restore();
  };
  const drawBound = (plot, bound) => {
    const { left, width } = plot.bbox;
    const y = plot.valToPos(bound, "y", true);
    plot.ctx.save();
    plot.ctx.strokeStyle = tone("soft");
    plot.ctx.setLineDash([4 * devicePixelRatio, 4 * devicePixelRatio]);
    plot.ctx.lineWidth = devicePixelRatio;
    plot.ctx.beginPath();
    plot.ctx.moveTo(left, y);
    plot.ctx.lineTo(left + width, y);
    plot.ctx.stroke();
    plot.ctx.restore();
  };

  // A sample between two gaps would not show as a line: it is drawn as a point.
  const alone = (plot, series) => {
    const known = plot.data[series];
    const found = [];
    let before = null;
    let waiting = -1;
    for (let place = 0; place < known.length; place += 1) {
      if (known[place] === undefined) continue;
      if (known[place] !== null) {
        waiting = before === null ? place : -1;
      } else if (waiting >= 0) {
        found.push(waiting);
        waiting = -1;
      }
      before = known[place];
    }
    if (waiting >= 0) found.push(waiting);
    return found;
  };
  const seriesOf = (line, index, all) => {
    const last = !all[index + 1] || all[index + 1].style !== "area";
    const colour = tone(line.tone);
    if (line.style === "dots") return { stroke: colour, paths: () => null, points: { show: true, size: 3.5, width: 0, fill: colour } };
    if (line.style === "rings") return { stroke: colour, paths: () => null, points: { show: true, size: 8, width: 1.5, fill: "transparent" } };
    const area = line.style === "area";
    const dash = line.style === "dash" ? [4, 3] : undefined;
    const fill = area && last ? tone(line.tone) + "8c" : undefined;
    return { stroke: colour, width: area ? 1 : 1.4, fill, dash, points: { show: true, size: 4, width: 0, fill: colour, filter: alone } };
  };

  // Each stacked area is filled down to the one under it; the last one to zero.
  const areas = (panel) => panel.lines.flatMap((line, index) => {
    if (line.style !== "area") return [];
    const next = panel.lines[index + 1];
    return next && next.style === "area" ? [{ series: [index + 1, index + 2], fill: tone(line.tone) + "8c" }] : [];
  });

  const yRange = (panel) => (plot, least, most) => {
    const known = panel.lines.flatMap((line) => line.y.filter((value) => value !== null && (!panel.log || value > 0)));
    const top = Math.max(...known, panel.bound || 0);
    if (!panel.log) return [0, (known.length && top > 0 ? top : 1) * 1.08];
    const bottom = Math.min(...known);
    return known.length ? [10 ** Math.floor(Math.log10(bottom)), Math.max(10 ** Math.ceil(Math.log10(top)), 10 * bottom)] : [1, 10];
  };
  const decades = (plot, axis, low, high) => {
    const found = [];
    for (let power = Math.ceil(Math.log10(low)); power <= Math.log10(high) + 1e-9; power += 1) found.push(10 ** power);
    return found;
  };

  const showAt = (at) => {
    for (const clock of document.querySelectorAll(".clock")) clock.textContent = at === null ? REST : "at " + at.toFixed(1) + " s";
    for (const line of document.querySelectorAll(".now")) {
      line.hidden = at === null;
      if (at !== null) line.style.left = 100 * (at - told.begin_s) / (told.end_s - told.begin_s) + "%";
    }
    for (const { panel, values } of charts) {
      values.forEach((place, index) => {
        if (!place) return;
        if (!place.dataset.rest) place.dataset.rest = place.textContent || " ";
        const value = at === null ? null : nearest(panel.lines[index], at);
        place.textContent = at === null ? place.dataset.rest.trim() : value === null ? "no sample" : words(value - below(panel, index, at), panel.unit);
        place.classList.toggle("live", at !== null);
      });
    }
  };
  // Areas are stacked: what one shows is its top less the top of the one under it, which comes after it.
  const below = (panel, index, at) => {
    const next = panel.lines[index + 1];
    return panel.lines[index].style === "area" && next && next.style === "area" ? nearest(next, at) || 0 : 0;
  };

  const build = (holder, panel) => {
    const tables = panel.lines.map((line) => [line.x, panel.log ? line.y.map((value) => (value !== null && value <= 0 ? null : value)) : line.y]);
    const phone = holder.clientWidth < 560;
    const height = panel.height > 100 && phone ? panel.height - 14 : panel.height;
    const grid = { stroke: tone("grid"), width: 1 };
    const ranged = yRange(panel);
    const options = {
      width: holder.clientWidth,
      height,
      legend: { show: false },
      padding: [6, pixels("right"), 4, 0],
      cursor: { y: false, drag: { x: false, y: false }, sync: { key: "run" }, points: { show: false } },
      scales: { x: { time: false, range: () => [told.begin_s, told.end_s] }, y: panel.log ? { distr: 3, range: ranged } : { range: ranged } },
      axes: [
        { show: false },
        {
          size: pixels("gutter"), gap: 4, stroke: tone("soft"), font: "11px system-ui, sans-serif", grid, ticks: { show: false },
          values: (plot, ticks) => ticks.map((value) => tickWords(value, panel.unit)), space: 28, ...(panel.log ? { splits: decades, filter: (plot, ticks) => ticks } : {}),
        },
      ],
      series: [{}, ...panel.lines.map(seriesOf)],
      bands: areas(panel),
      hooks: {
        drawClear: [shade],
        draw: panel.bound ? [(plot) => drawBound(plot, panel.bound)] : [],
        setCursor: [(plot) => { if (plot.over.matches(":hover")) showAt(plot.cursor.left >= 0 ? plot.posToVal(plot.cursor.left, "x") : null); }],
      },
    };
    const plot = new uPlot(options, uPlot.join(tables), holder);
    plot.over.addEventListener("mouseleave", () => showAt(null));
    return plot;
  };

  const drawAll = () => {
    for (const chart of charts) {
      if (chart.plot) chart.plot.destroy();
      chart.plot = build(chart.holder, chart.panel);
    }
  };
  for (const panel of told.panels) {
    const holder = document.querySelector('[data-panel="' + panel.id + '"]');
    const values = panel.lines.map((line, index) => document.querySelector("#panel-" + panel.id + ' [data-line="' + index + '"] .value'));
    const chart = { panel, holder, values, plot: null };
    charts.push(chart);
    let at = told.begin_s;
    holder.addEventListener("keydown", (event) => {
      const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      if (!step) { if (event.key === "Escape") showAt(null); return; }
      event.preventDefault();
      at = Math.min(told.end_s, Math.max(told.begin_s, at + step * (event.shiftKey ? 10 : 1)));
      for (const other of charts) other.plot.setCursor({ left: other.plot.valToPos(at, "x"), top: 0 });
      showAt(at);
    });
    holder.addEventListener("blur", () => showAt(null));
  }
  drawAll();

  let waiting = 0;
  let width = innerWidth;
  addEventListener("resize", () => {
    if (innerWidth === width) return;
    width = innerWidth;
    clearTimeout(waiting);
    waiting = setTimeout(drawAll, 120);
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAll);
  const closed = [...document.querySelectorAll("details:not([open])")];
  addEventListener("beforeprint", () => { root.dataset.print = "yes"; closed.forEach((part) => { part.open = true; }); drawAll(); });
  addEventListener("afterprint", () => { delete root.dataset.print; closed.forEach((part) => { part.open = false; }); drawAll(); });
})();
