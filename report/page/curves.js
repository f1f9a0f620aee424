// Interactive curves, drawn by uPlot from the columns of report/html_data.h.
"use strict";
(() => {
  const place = document.getElementById("curves");
  if (!place) return;
  const element = (tag, properties = {}, ...children) => {
    const node = Object.assign(document.createElement(tag), properties);
    node.append(...children);
    return node;
  };

  // ---- data ----------------------------------------------------------------------------------------------------

  // A column's numbers from its differences; null is a gap.
  const decode = (column, unit, logarithmic) => {
    let sum = 0;
    return column.map((change) => {
      if (change === null) return null;
      sum += change;
      return logarithmic ? Math.exp(sum * unit) : sum * unit;
    });
  };

  // The data of the page itself: zlib in base64.
  const unpack = async (text) => {
    const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
    return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"))).json();
  };

  const kMetrics = { val: "validation loss", train: "training loss", accuracy: "accuracy", grad_norm: "gradient norm" };
  const isLoss = (metric) => metric === "val" || metric === "train";

  const read = (data) => {
    const grids = data.grids.map((grid) => decode(grid, 1));
    const curve = (json, name) => {
      if (!json) return null;
      const { unit, log } = data.metrics[name];
      const column = (list) => list === undefined ? null : decode(list, unit, log);
      return { steps: grids[json.x], y: column(json.y), low: column(json.low), high: column(json.high) };
    };
    const curves = (json) =>
      Object.fromEntries(Object.keys(kMetrics).map((name) => [name, curve(json && json[name], name)]));
    const arms = data.arms.map((arm) => ({
      ...arm,
      mean: curves(arm.mean),
      runs: arm.runs.map((run) => ({
        ...run,
        ...curves(run),
        clock: { steps: grids[run.clock.x], seconds: decode(run.clock.y, 0.01) },
      })),
    }));
    return { ...data, arms };
  };

  // Seconds of training at a step: linear between the rows that are known.
  const seconds_at = (clock, step) => {
    const { steps, seconds } = clock;
    if (steps.length === 0) return null;
    let low = 0, high = steps.length - 1;
    if (step >= steps[high]) return seconds[high];
    if (step <= steps[0]) return seconds[0] * step / steps[0];
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (steps[middle] <= step) low = middle;
      else high = middle;
    }
    return seconds[low] + (seconds[high] - seconds[low]) * (step - steps[low]) / (steps[high] - steps[low]);
  };

  const average = (values) => {
    const known = values.filter((value) => value !== null);
    return known.length === 0 ? null : known.reduce((a, b) => a + b, 0) / known.length;
  };

  // ---- colours -------------------------------------------------------------------------------------------------

  const theme = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
  const rgb = (hex) => [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16));
  const mix = (a, b, t) => {
    const [x, y] = [rgb(a), rgb(b)];
    return "#" + x.map((v, i) => Math.round(v + (y[i] - v) * t).toString(16).padStart(2, "0")).join("");
  };
  const faint = (hex, alpha) => hex + Math.round(alpha * 255).toString(16).padStart(2, "0");

  // A colour for each arm of the file; its points in a sweep go from faint to strong.
  const arm_colours = (arms) => {
    const bases = [...new Set(arms.map((arm) => arm.base))];
    return arms.map((arm) => {
      const family = arms.filter((other) => other.base === arm.base);
      const colour = theme(`c${bases.indexOf(arm.base) % 7}`);
      if (family.length === 1) return colour;
      const t = family.indexOf(arm) / (family.length - 1);
      return t < 0.6 ? mix(colour, theme("page"), 0.65 * (1 - t / 0.6)) : mix(colour, theme("ink"), 0.9 * (t - 0.6));
    });
  };

  // ---- numbers -------------------------------------------------------------------------------------------------

  const significant = (value) => {
    if (value === null || value === undefined) return "";
    const size = Math.abs(value);
    return size >= 1e5 || (size > 0 && size < 1e-3) ? value.toExponential(2) : value.toFixed(size < 100 ? 4 : 1);
  };
  const whole = (value) => Math.round(value).toString().replace(/\B(?=(\d{3})+$)/g, ",");
  const short = (value) => {
    for (const [size, letter] of [[1e15, "P"], [1e12, "T"], [1e9, "G"], [1e6, "M"], [1e3, "k"]])
      if (Math.abs(value) >= size) return `${+(value / size).toPrecision(4)}${letter}`;
    return `${+value.toPrecision(4)}`;
  };
  const duration = (s) => s < 100 ? `${s.toFixed(1)} s` : s < 6000 ? `${(s / 60).toFixed(1)} min` : `${(s / 3600).toFixed(2)} h`;

  // Ticks with the same number of digits.
  const level_texts = (u, splits) => {
    const digits = Math.max(...splits.map((v) => v === null ? 0 : (short(v).split(".")[1] || "").length));
    return splits.map((v) => v === null ? "" : Math.abs(v) < 1000 ? v.toFixed(digits) : short(v));
  };

  const kAxes = {
    step: { label: "optimiser step", text: whole },
    tokens: { label: "tokens", text: whole },
    seconds: { label: "seconds of training", text: duration },
    flops: { label: "training FLOPs", text: (value) => value.toExponential(2) },
  };

  // ---- state and controls --------------------------------------------------------------------------------------

  const state = { metric: "val", x: "step", y: "linear", show: "mean", zoom: null, off: new Set(), seedsOff: new Set() };
  let data = null, plot = null, drawn = [], colours = [], on_paper = false;

  const choice = (name, title, options) => {
    const group = element("fieldset", {}, element("legend", { textContent: title }));
    for (const [value, text] of options) {
      const input = element("input", { type: "radio", name: `curves-${name}`, value, checked: state[name] === value });
      input.addEventListener("change", () => {
        if (name === "x") state.zoom = null;
        state[name] = value;
        if (name === "show") list_arms();
        draw();
      });
      group.append(element("label", {}, input, element("span", { textContent: text })));
    }
    return group;
  };

  const whereText = element("p", { className: "note where" });
  whereText.setAttribute("aria-live", "off");
  const canvas = element("div", { className: "plot", tabIndex: 0 });
  canvas.setAttribute("role", "img");
  const list = element("ul", { className: "arms" });
  const note = element("p", { className: "note" });
  const reset = element("button", { type: "button", className: "plain", id: "curves-reset", textContent: "Reset zoom" });
  reset.addEventListener("click", () => { state.zoom = null; draw(); });
  const all = element("button", { type: "button", className: "plain", textContent: "All arms" });
  const none = element("button", { type: "button", className: "plain", textContent: "No arms" });
  all.addEventListener("click", () => { state.off.clear(); list_arms(); draw(); });
  none.addEventListener("click", () => { state.off = new Set(data.arms.map((arm) => arm.name)); list_arms(); draw(); });

  const build = () => {
    const has = (name) => data.arms.some((arm) => arm.runs.some((run) => run[name]));
    const metrics = Object.entries(kMetrics).filter(([name]) => has(name));
    if (metrics.length > 0 && !has(state.metric)) state.metric = metrics[0][0];
    const flops = data.arms.every((arm) => arm.flops > 0);
    const x = [["step", "step"], ["tokens", "tokens"], ["seconds", "seconds"], ...(flops ? [["flops", "FLOPs"]] : [])];
    place.replaceChildren(
      element("div", { className: "controls" }, choice("metric", "shown", metrics), choice("x", "along", x),
        choice("y", "scale", [["linear", "linear"], ["log", "log"]]),
        choice("show", "curves", [["mean", "mean and range"], ["runs", "single runs"]]), reset),
      canvas, whereText, list,
      ...(data.arms.length > 6 ? [element("div", { className: "controls" }, all, none)] : []), note);
    list_arms();
  };

  // The arms as a legend with a switch for each and, when single runs are shown, one for each seed.
  const list_arms = () => {
    list.replaceChildren(...data.arms.map((arm, i) => {
      const on = element("input", { type: "checkbox", checked: !state.off.has(arm.name) });
      on.addEventListener("change", () => {
        if (on.checked) state.off.delete(arm.name);
        else state.off.add(arm.name);
        draw();
      });
      const swatch = element("span", { className: "swatch" });
      swatch.style.background = colours[i];
      const value = element("output");
      value.dataset.arm = arm.name;
      const item = element("li", {}, element("label", {}, on, swatch, element("span", { textContent: arm.name })), value);
      if (state.show === "runs") item.append(seed_switches(arm));
      return item;
    }));
  };

  const seed_switches = (arm) => element("span", { className: "seeds" }, ...arm.runs.map((run) => {
    const id = `${arm.name}/${run.seed}`;
    const on = element("input", { type: "checkbox", checked: !state.seedsOff.has(id) });
    on.addEventListener("change", () => {
      if (on.checked) state.seedsOff.delete(id);
      else state.seedsOff.add(id);
      draw();
    });
    const text = `seed ${run.seed}${run.state === "done" ? "" : ` (${run.state})`}`;
    return element("label", {}, on, element("span", { textContent: text }));
  }));

  // ---- drawing -------------------------------------------------------------------------------------------------

  const along_of = (arm, runs) => ({
    step: (step) => step,
    tokens: (step) => step * arm.tokens,
    flops: (step) => step * arm.tokens * arm.flops,
    seconds: (step) => average(runs.map((run) => seconds_at(run.clock, step))),
  })[state.x];

  // The curves that are switched on: {arm, colour, label, x, y, low, high}.
  const chosen = () => {
    const curves = [];
    data.arms.forEach((arm, i) => {
      if (state.off.has(arm.name)) return;
      const counted = arm.runs.filter((run) => run.counts && run[state.metric]);
      const mean = state.show === "mean" && arm.mean[state.metric];
      const runs = state.show === "mean" ? counted : arm.runs.filter((run) => run[state.metric] && !state.seedsOff.has(`${arm.name}/${run.seed}`));
      const add = (curve, group, label, width) => curves.push({
        arm: arm.name, colour: colours[i], label, width,
        x: curve.steps.map(along_of(arm, group)), y: curve.y, low: curve.low, high: curve.high,
      });
      if (mean) add(mean, counted, arm.name, 2);
      else for (const run of runs) add(run[state.metric], [run], `${arm.name} seed ${run.seed}`, state.show === "mean" ? 2 : 1.2);
    });
    return curves;
  };

  // One x for all curves, as uPlot wants it. Seconds differ from run to run: they are laid on 8192 places.
  const aligned = (curves) => {
    const last = Math.max(...curves.map((curve) => curve.x[curve.x.length - 1] || 0));
    const spot = state.x === "seconds" && last > 0 ? (x) => Math.round(x / last * 8192) / 8192 * last : (x) => x;
    const xs = [...new Set(curves.flatMap((curve) => curve.x.map(spot)))].sort((a, b) => a - b);
    const index = new Map(xs.map((x, i) => [x, i]));
    const columns = [xs];
    const column = (curve, values) => {
      const out = new Array(xs.length).fill(null);
      curve.x.forEach((x, i) => { out[index.get(spot(x))] = values[i]; });
      columns.push(out);
    };
    for (const curve of curves) {
      column(curve, curve.y);
      if (curve.low) {
        column(curve, curve.low);
        column(curve, curve.high);
      }
    }
    return columns;
  };

  const between = (xs, ys, x) => {
    const i = xs.findIndex((other) => other >= x);
    if (i <= 0 || ys[i] === null || ys[i - 1] === null) return null;
    return ys[i - 1] + (ys[i] - ys[i - 1]) * (x - xs[i - 1]) / (xs[i] - xs[i - 1]);
  };

  // The y range of what lies between two x. A linear scale of the whole run leaves out the fall of the first twentieth, which
  // would press everything else together; a log scale shows all.
  const y_range = (from, to, whole) => {
    let low = Infinity, high = -Infinity, top = -Infinity;
    const skip = whole && state.y === "linear" ? from + (to - from) / 20 : from;
    for (const curve of drawn) {
      const later = curve.x.filter((x) => x >= skip && x <= to).length;
      curve.x.forEach((x, i) => {
        const y = curve.y[i];
        if (y === null || x < from || x > to) return;
        low = Math.min(low, curve.low ? curve.low[i] : y);
        top = Math.max(top, curve.high ? curve.high[i] : y);
        if (x >= skip || later < 4) high = Math.max(high, curve.high ? curve.high[i] : y);
      });
      if (whole) continue;
      for (const edge of [from, to])  // where a line comes in or goes out
        for (const values of curve.low ? [curve.low, curve.high] : [curve.y]) {
          const y = between(curve.x, values, edge);
          if (y === null) continue;
          low = Math.min(low, y);
          high = Math.max(high, y);
          top = Math.max(top, y);
        }
    }
    if (low > high) return { range: [0, 1], cut: false };
    if (state.y === "log") return { range: [low / 1.03, high * 1.03], cut: false };
    const air = Math.max(high - low, 0.02) * 0.05;
    return { range: [low - air, high + air], cut: top > high + air };
  };

  // The n-gram references as dotted lines.
  const draw_references = (u) => {
    if (!isLoss(state.metric)) return;
    const { ctx, bbox } = u;
    const ratio = window.devicePixelRatio || 1;
    ctx.save();
    ctx.strokeStyle = ctx.fillStyle = theme("soft");
    ctx.setLineDash([2 * ratio, 4 * ratio]);
    ctx.lineWidth = ratio;
    ctx.font = `${11 * ratio}px system-ui, sans-serif`;
    ctx.textAlign = "right";
    for (const { name, loss } of data.references) {
      if (loss < u.scales.y.min || loss > u.scales.y.max) continue;
      const y = u.valToPos(loss, "y", true);
      ctx.beginPath();
      ctx.moveTo(bbox.left, y);
      ctx.lineTo(bbox.left + bbox.width, y);
      ctx.stroke();
      const text = `${name} ${loss.toFixed(3)}`, right = bbox.left + bbox.width - 4 * ratio;
      const base = y - bbox.top < 18 * ratio ? y + 13 * ratio : y - 4 * ratio;
      ctx.save();
      ctx.fillStyle = faint(theme("page"), 0.85);
      const size = ctx.measureText(text).width + 6 * ratio;
      ctx.fillRect(right - size + 3 * ratio, base - 10 * ratio, size, 13 * ratio);
      ctx.restore();
      ctx.fillText(text, right, base);
    }
    ctx.restore();
  };

  // The nearest point of a curve that has none at the cursor's x.
  const nearest = (u, series, hovered, x) => {
    const values = u.data[series], xs = u.data[0];
    if (values[hovered] !== null) return hovered;
    let left = hovered, right = hovered;
    while (left >= 0 && values[left] === null) --left;
    while (right < values.length && values[right] === null) ++right;
    if (left < 0) return right < values.length ? right : hovered;
    if (right >= values.length) return left;
    return x - xs[left] <= xs[right] - x ? left : right;
  };

  const show_values = (u) => {
    const at = u.cursor.idx;
    const texts = new Map();
    if (at !== null && at !== undefined) {
      for (const curve of drawn) {
        const i = u.cursor.idxs[curve.series];
        if (i === null || i === undefined) continue;
        let text = significant(u.data[curve.series][i]);
        if (curve.low) text += ` (${significant(u.data[curve.series + 1][i])} to ${significant(u.data[curve.series + 2][i])})`;
        texts.set(curve.arm, texts.has(curve.arm) ? `${texts.get(curve.arm)}, ${text}` : text);
      }
    }
    for (const output of list.querySelectorAll("output")) output.textContent = texts.get(output.dataset.arm) || "";
    whereText.textContent = at === null || at === undefined ? kHint : `${kAxes[state.x].label}: ${kAxes[state.x].text(u.data[0][at])}`;
  };
  const kHint = "Move over the plot for values; drag to zoom, double click to go back. With the keyboard: arrows, + and −, 0.";

  const options = (columns, width) => {
    const extent = [columns[0][0] || 0, columns[0][columns[0].length - 1]];
    if (state.x !== "seconds" || extent[0] < extent[1] / 20) extent[0] = Math.min(extent[0], 0);
    const { range, cut } = y_range(...(state.zoom || extent), state.zoom === null);
    const ink = theme("ink"), grid = { stroke: theme("line"), width: 1 };
    const ticks = { stroke: theme("line"), width: 1, size: 5 };
    const font = "12px system-ui, sans-serif";
    const series = [{}], bands = [];
    for (const curve of drawn) {
      curve.series = series.length;
      series.push({ label: curve.label, stroke: curve.colour, width: curve.width, spanGaps: true, points: { show: columns[0].length < 3 } });
      if (!curve.low) continue;
      const edge = { stroke: "transparent", width: 0, spanGaps: true, points: { show: false } };
      series.push({ ...edge }, { ...edge });
      bands.push({ series: [curve.series + 2, curve.series + 1], fill: faint(curve.colour, 0.2) });
    }
    const pointed = new Set(drawn.map((curve) => curve.series));
    const unit = isLoss(state.metric) ? ` (nats per ${data.unit})` : "";
    const envelope = data.columns ? `, min/max envelope of ${data.columns} columns` : "";
    const seconds = state.x === "seconds" && state.show === "mean" ? " (mean of the seeds)" : "";
    note.textContent = (state.show === "mean" ? "Mean (line) and range (band) of the seeds. " : "") +
      "Nothing is smoothed" + (data.columns ? `: of each of ${data.columns} columns the lowest and the highest point are drawn. ` : ". ") +
      (cut ? "The beginning lies above the frame; the log scale shows it." : "");
    return {
      width, height: Math.round(Math.min(460, Math.max(280, width * 0.5))),
      series, bands,
      legend: { show: false },
      scales: {
        x: { time: false, range: () => state.zoom || extent },
        y: { distr: state.y === "log" ? 3 : 1, log: 10, range: () => range },
      },
      axes: [
        { stroke: ink, grid: { show: false }, ticks, font, labelFont: font, labelSize: 22, label: kAxes[state.x].label + seconds + envelope,
          values: (u, splits) => splits.map((v) => v === null ? "" : short(v)) },
        { stroke: ink, grid, ticks, font, labelFont: font, labelSize: 22, size: 56, label: kMetrics[state.metric] + unit + (state.y === "log" ? ", log scale" : ""),
          ...(state.y === "log" ? log_ticks(range) : {}), values: level_texts },
      ],
      cursor: {
        drag: { x: true, y: false, setScale: false },
        dataIdx: nearest,
        points: { size: 7, show: (u, i) => pointed.has(i) ? element("div") : undefined, fill: (u, i) => u.series[i]._stroke, stroke: () => theme("page"), width: 1 },
        bind: { dblclick: () => () => { state.zoom = null; draw(); return null; } },
      },
      hooks: {
        drawClear: [draw_references],
        setCursor: [show_values],
        setSelect: [(u) => {
          if (u.select.width < 4) return;
          zoom_to(u.posToVal(u.select.left, "x"), u.posToVal(u.select.left + u.select.width, "x"));
        }],
      },
    };
  };

  // Round values on a log scale that spans little, where powers of ten alone would leave it empty.
  const log_ticks = ([low, high]) => {
    const splits = [];
    for (let power = Math.floor(Math.log10(low)); power <= Math.log10(high); ++power)
      for (const digit of high / low > 30 ? [1, 2, 5] : [1, 1.2, 1.5, 2, 2.5, 3, 3.5, 4, 5, 6, 8]) splits.push(digit * 10 ** power);
    const inside = splits.filter((v) => v >= low && v <= high);
    return { splits: () => inside.length > 12 ? inside.filter((v) => Number.isInteger(Math.round(1e6 * Math.log10(v)) / 1e6)) : inside, filter: (u, s) => s };
  };

  const zoom_to = (from, to) => {
    state.zoom = [from, to];
    draw();
  };

  const draw = () => {
    colours = arm_colours(data.arms);
    const swatches = list.querySelectorAll(".swatch");
    colours.forEach((colour, i) => { if (swatches[i]) swatches[i].style.background = colour; });
    if (plot) plot.destroy();
    plot = null;
    drawn = chosen();
    reset.disabled = state.zoom === null;
    canvas.setAttribute("aria-label", `${kMetrics[state.metric]}${state.y === "log" ? " on a log scale" : ""} over ${kAxes[state.x].label}: ${drawn.map((c) => c.label).join(", ")}`);
    if (drawn.length === 0) {
      whereText.textContent = data.arms.some((arm) => arm.runs.some((run) => run[state.metric])) ? "No arm is switched on." : "Nothing has been measured yet.";
      return;
    }
    const columns = aligned(drawn);
    const width = Math.min(canvas.clientWidth || 640, on_paper ? 640 : Infinity);
    plot = new uPlot(options(columns, width), columns, canvas);
    show_values(plot);
  };

  canvas.addEventListener("keydown", (event) => {
    if (!plot) return;
    const xs = plot.data[0], { min, max } = plot.scales.x;
    const at = plot.cursor.idx === null || plot.cursor.idx === undefined ? Math.floor(xs.length / 2) : plot.cursor.idx;
    const go = (i) => plot.setCursor({ left: plot.valToPos(xs[Math.max(0, Math.min(xs.length - 1, i))], "x"), top: plot.over.clientHeight / 2 });
    const middle = xs[at], width = max - min;
    const keys = {
      ArrowLeft: () => go(at - Math.ceil(xs.length / 100)),
      ArrowRight: () => go(at + Math.ceil(xs.length / 100)),
      Home: () => go(0),
      End: () => go(xs.length - 1),
      "+": () => zoom_to(Math.max(min, middle - width / 4), Math.min(max, middle + width / 4)),
      "-": () => { state.zoom = null; draw(); },
      "0": () => { state.zoom = null; draw(); },
      Escape: () => { state.zoom = null; draw(); },
    };
    if (!keys[event.key]) return;
    keys[event.key]();
    event.preventDefault();
  });

  const show = (json) => {
    const first = data === null;
    data = read(json);
    colours = arm_colours(data.arms);
    // A sweep of many arms starts with the mean curves of them all; single runs of so many would hide each other.
    if (first) build();
    else list_arms();
    draw();
  };

  const paper = (on) => {
    on_paper = on;
    document.documentElement.classList.toggle("paper", on);
    draw();
  };
  const start = async () => {
    show(await unpack(document.getElementById("data").textContent));
    let width = canvas.clientWidth;
    new ResizeObserver(() => {
      if (Math.abs(canvas.clientWidth - width) < 2) return;
      width = canvas.clientWidth;
      draw();
    }).observe(canvas);
    window.addEventListener("beforeprint", () => paper(true));
    window.addEventListener("afterprint", () => paper(false));
    window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
    window.bitlabCurves = show;
  };
  if ("DecompressionStream" in window) start();
  else place.textContent = "This browser is too old for the interactive curves; the figures below show the same.";
})();
