"use strict";
// Draws the charts and keeps them at the same stretch of time and at the same moment. The other scripts use `lab`.
const lab = (() => {
  const told = JSON.parse(document.getElementById("told").textContent);
  const root = document.documentElement;
  const tone = (name) => getComputedStyle(root).getPropertyValue("--" + name).trim();
  const pixels = (name) => parseFloat(tone(name));
  const whole = [told.begin_s, told.end_s];
  const least = Math.min(2, whole[1] - whole[0]); // seconds: nothing is sampled more often than once in half a second
  const listeners = { at: [], view: [] };
  const charts = [];
  let view = whole;

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
  const one = { nodes: "node", pods: "pod", members: "member" };
  const words = (value, unit) => {
    if (unit === "ms") return scaled(value, 1000, ["ms", "s"]);
    if (unit === "B") return scaled(value, 1000, ["B", "kB", "MB", "GB"]);
    if (unit === "share") return Math.round(100 * value) + " %";
    return unit ? short(value) + " " + (value === 1 && one[unit] || unit) : short(value);
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
  // What a line itself shows: of a stacked area its height, not its top.
  const shows = (line) => (line.own ? { x: line.x, y: line.own } : line);
  // The area that lies right under one in the stack: the next that is switched on.
  const under = (panel, index) => {
    const place = panel.lines.findIndex((line, other) => other > index && line.style === "area" && !line.hidden);
    return panel.lines[index].style === "area" && place > 0 ? place : -1;
  };
  // Stacked areas come with their tops, the highest first.
  const unstack = (panel) => panel.lines.forEach((line, index) => {
    const floor = under(panel, index);
    if (line.style === "area") line.own = line.y.map((top, place) => (top === null || floor < 0 ? top : top - (panel.lines[floor].y[place] || 0)));
  });
  const stack = (panel) => [...panel.lines].reverse().reduce((floor, line) => {
    if (line.style !== "area" || line.hidden) return floor;
    line.y = line.own.map((height, place) => (height === null ? null : height + (floor ? floor[place] || 0 : 0)));
    return line.y;
  }, null);

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
  const seriesOf = (panel) => (line, index) => {
    const last = under(panel, index) < 0;
    const colour = tone(line.tone);
    const show = !line.hidden;
    if (line.style === "dots") return { show, stroke: colour, paths: () => null, points: { show: true, size: 3.5, width: 0, fill: colour } };
    if (line.style === "rings") return { show, stroke: colour, paths: () => null, points: { show: true, size: 8, width: 1.5, fill: "transparent" } };
    const area = line.style === "area";
    const dash = line.style === "dash" ? [4, 3] : undefined;
    const fill = area && last ? tone(line.tone) + "8c" : undefined;
    return { show, stroke: colour, width: area ? 1 : 1.4, fill, dash, points: { show: true, size: 4, width: 0, fill: colour, filter: alone } };
  };

  // Each stacked area is filled down to the one under it; the last one to zero.
  const areas = (panel) => panel.lines.flatMap((line, index) => {
    const floor = under(panel, index);
    return floor < 0 || line.hidden ? [] : [{ series: [index + 1, floor + 1], fill: tone(line.tone) + "8c" }];
  });

  // The range of what is shown: lines that are switched on, within the stretch of time.
  const yRange = (panel) => () => {
    let top = panel.bound || 0;
    let bottom = Infinity;
    for (const line of panel.lines) {
      if (line.hidden) continue;
      for (let place = 0; place < line.x.length; place += 1) {
        const value = line.y[place];
        if (value === null || line.x[place] < view[0] || line.x[place] > view[1] || (panel.log && value <= 0)) continue;
        if (value > top) top = value;
        if (value < bottom) bottom = value;
      }
    }
    if (!panel.log) return [Math.min(0, bottom), (top > 0 ? top : 1) * 1.08];
    return bottom < Infinity ? [10 ** Math.floor(Math.log10(bottom)), Math.max(10 ** Math.ceil(Math.log10(top)), 10 * bottom)] : [1, 10];
  };
  const decades = (plot, axis, low, high) => {
    const found = [];
    for (let power = Math.ceil(Math.log10(low)); power <= Math.log10(high) + 1e-9; power += 1) found.push(10 ** power);
    return found;
  };

  const percent = (at) => 100 * (at - whole[0]) / (whole[1] - whole[0]);
  const showAt = (at) => {
    for (const clock of document.querySelectorAll(".clock")) clock.textContent = at === null ? told.rest : "at " + at.toFixed(1) + " s";
    for (const line of document.querySelectorAll(".now")) {
      line.hidden = at === null;
      if (at !== null) line.style.setProperty("--x", percent(at));
    }
    for (const { panel, values } of charts) {
      values.forEach((place, index) => {
        if (!place) return;
        if (!place.dataset.rest) place.dataset.rest = place.textContent || " ";
        const value = at === null ? null : nearest(shows(panel.lines[index]), at);
        place.textContent = at === null ? place.dataset.rest.trim() : value === null ? "no sample" : (panel.lines.length > 4 ? tickWords : words)(value, panel.unit);
        place.classList.toggle("live", at !== null);
      });
    }
    for (const listener of listeners.at) listener(at);
  };
  const pointAt = (at) => {
    for (const { plot } of charts) plot.setCursor({ left: plot.valToPos(at, "x"), top: 0 });
    showAt(at);
  };

  const selected = (plot) => {
    const { left, width } = plot.select;
    plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
    if (width > 4) setView(plot.posToVal(left, "x"), plot.posToVal(left + width, "x"));
  };
  const shared = new Set(["mousemove", "mouseenter", "mouseleave"]);
  const build = (holder, panel) => {
    const tables = panel.lines.map((line) => [line.x, panel.log ? line.y.map((value) => (value !== null && value <= 0 ? null : value)) : line.y]);
    const phone = holder.clientWidth < 560;
    const height = panel.height > 100 && phone ? panel.height - 14 : panel.height;
    const grid = { stroke: tone("grid"), width: 1 };
    const options = {
      width: holder.clientWidth,
      height,
      legend: { show: false },
      padding: [6, pixels("right"), 4, 0],
      cursor: {
        y: false, points: { show: false }, drag: { x: true, y: false, setScale: false, dist: 4 },
        sync: { key: "run", filters: { pub: (type) => shared.has(type) } },
        bind: { dblclick: () => () => setView(...whole) },
      },
      scales: { x: { time: false, range: () => view }, y: { range: yRange(panel), ...(panel.log ? { distr: 3 } : {}) } },
      axes: [
        { show: false },
        {
          size: pixels("gutter"), gap: 4, stroke: tone("soft"), font: "11px system-ui, sans-serif", grid, ticks: { show: false },
          values: (plot, ticks) => ticks.map((value) => tickWords(value, panel.unit)), space: 28, ...(panel.log ? { splits: decades, filter: (plot, ticks) => ticks } : {}),
        },
      ],
      series: [{}, ...panel.lines.map(seriesOf(panel))],
      bands: areas(panel),
      hooks: {
        drawClear: [shade],
        draw: panel.bound ? [(plot) => drawBound(plot, panel.bound)] : [],
        setSelect: [selected],
        setCursor: [(plot) => { if (plot.over.matches(":hover")) showAt(plot.cursor.left >= 0 ? plot.posToVal(plot.cursor.left, "x") : null); }],
      },
    };
    const plot = new uPlot(options, uPlot.join(tables), holder);
    plot.over.addEventListener("mouseleave", () => showAt(null));
    return plot;
  };
  const draw = (chart) => {
    if (chart.plot) chart.plot.destroy();
    stack(chart.panel);
    chart.plot = build(chart.holder, chart.panel);
  };
  const drawAll = () => charts.forEach(draw);

  // The stretch of time shown by everything in a section of class `zooms`.
  const setView = (from, to) => {
    const begin = Math.max(whole[0], Math.min(from, whole[1] - least));
    view = [begin, Math.min(whole[1], Math.max(to, begin + least))];
    for (const part of document.querySelectorAll(".zooms")) {
      part.style.setProperty("--from", percent(view[0]));
      part.style.setProperty("--zoom", (whole[1] - whole[0]) / (view[1] - view[0]));
    }
    for (const { plot } of charts) plot.setScale("x", { min: view[0], max: view[1] });
    for (const listener of listeners.view) listener(view);
  };

  for (const panel of told.panels) {
    unstack(panel);
    const figure = document.getElementById("panel-" + panel.id);
    const values = panel.lines.map((line, index) => figure.querySelector('[data-line="' + index + '"] .value'));
    charts.push({ panel, figure, values, holder: figure.querySelector(".chart"), plot: null });
  }
  drawAll();
  return { charts, words, nearest, shows, showAt, pointAt, setView, draw, drawAll, percent, whole, view: () => view, on: (what, listener) => listeners[what].push(listener) };
})();
