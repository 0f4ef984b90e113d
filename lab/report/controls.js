"use strict";
// What a reader can press: stretches of time, lines on and off, keys in a chart; and drawing again when the page changes its width or colours.
(() => {
  const { charts, whole } = lab;

  // Keys in a chart. It is a slider over time to those who do not see it.
  for (const chart of charts) {
    const { holder, panel } = chart;
    let at = whole[0];
    holder.setAttribute("aria-valuemin", Math.floor(whole[0]));
    holder.setAttribute("aria-valuemax", Math.ceil(whole[1]));
    holder.setAttribute("aria-valuenow", whole[0].toFixed(1));
    const move = (to) => {
      const [from, until] = lab.view();
      at = Math.min(until, Math.max(from, to));
      lab.pointAt(at);
      holder.setAttribute("aria-valuenow", at.toFixed(1));
      const said = panel.lines.map((line, index) => {
        const value = line.hidden ? undefined : lab.nearest(lab.shows(line), at);
        return value === undefined ? "" : line.label + " " + (value === null ? "no sample" : lab.words(value, panel.unit));
      });
      holder.setAttribute("aria-valuetext", "at " + at.toFixed(1) + " s: " + said.filter(Boolean).join(", "));
    };
    const zoom = (times) => {
      const [from, until] = lab.view();
      const middle = Math.min(until, Math.max(from, at));
      lab.setView(middle - (middle - from) * times, middle + (until - middle) * times);
      move(at);
    };
    const keys = {
      ArrowLeft: (event) => move(at - (event.shiftKey ? 10 : 1)),
      ArrowRight: (event) => move(at + (event.shiftKey ? 10 : 1)),
      Home: () => move(lab.view()[0]),
      End: () => move(lab.view()[1]),
      "+": () => zoom(0.5),
      "=": () => zoom(0.5),
      "-": () => zoom(2),
      Escape: () => { lab.setView(...whole); lab.showAt(null); },
    };
    holder.addEventListener("keydown", (event) => {
      const act = event.ctrlKey || event.metaKey || event.altKey ? null : keys[event.key];
      if (!act) return;
      event.preventDefault();
      act(event);
    });
    holder.addEventListener("blur", () => lab.showAt(null));
  }

  // Lines on and off.
  for (const chart of charts) {
    chart.panel.lines.forEach((line, index) => {
      const button = chart.figure.querySelector('[data-line="' + index + '"] .toggle');
      button.addEventListener("click", () => {
        line.hidden = !line.hidden;
        button.setAttribute("aria-pressed", String(!line.hidden));
        lab.draw(chart);
      });
    });
  }

  // Stretches of time.
  const buttons = [...document.querySelectorAll(".tools button")];
  const span = (button) => (button.dataset.from === "" ? whole : [Number(button.dataset.from), Number(button.dataset.to)]);
  for (const button of buttons) button.addEventListener("click", () => lab.setView(...span(button)));
  const steps = [0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1800, 3600];
  const ruled = () => {
    const [from, to] = lab.view();
    const step = steps.find((each) => (to - from) / each <= 12) || 7200;
    const marks = [];
    for (let at = Math.ceil(from / step) * step; at <= to + 1e-9; at += step) marks.push(at);
    for (const plot of document.querySelectorAll(".zooms .plot")) {
      const back = plot.querySelector(".back");
      for (const old of plot.querySelectorAll(".tick, .at")) old.remove();
      marks.forEach((at, place) => {
        const line = document.createElement("i");
        line.className = "tick";
        line.style.setProperty("--x", lab.percent(at));
        back.append(line);
        if (!plot.parentElement.classList.contains("ruler")) return;
        const label = document.createElement("span");
        label.className = place % 2 ? "at odd" : "at";
        label.textContent = Number(at.toFixed(1)) + " s";
        label.style.setProperty("--x", lab.percent(at));
        plot.append(label);
      });
    }
  };
  lab.on("view", ([from, to]) => {
    const near = (one, other) => Math.abs(one - other) < 0.1;
    for (const button of buttons) {
      const [begin, end] = span(button);
      const fits = near(from, Math.max(begin, whole[0])) && near(to, Math.min(end, whole[1]));
      button.setAttribute("aria-pressed", String(fits));
    }
    document.getElementById("shown").textContent = "shown: " + from.toFixed(0) + " s to " + to.toFixed(0) + " s";
    ruled();
  });

  // Drawing again.
  const root = document.documentElement;
  let waiting = 0;
  let width = innerWidth;
  addEventListener("resize", () => {
    if (innerWidth === width) return;
    width = innerWidth;
    clearTimeout(waiting);
    waiting = setTimeout(lab.drawAll, 120);
  });
  for (const media of ["(prefers-color-scheme: dark)", "print"]) matchMedia(media).addEventListener("change", lab.drawAll);
  const closed = [...document.querySelectorAll("details:not([open])")];
  addEventListener("beforeprint", () => {
    root.dataset.print = "yes";
    lab.setView(...whole);
    for (const part of closed) part.open = true;
    lab.drawAll();
  });
  addEventListener("afterprint", () => {
    delete root.dataset.print;
    for (const part of closed) part.open = false;
    lab.drawAll();
  });
})();
