// Tables that sort and, under `bitlab serve`, parts that renew themselves. Without this script the page is complete.
"use strict";
(() => {
  const kPoll = 3000;  // milliseconds
  const sorted = new Map();  // table id -> {head, down}, to sort again what was renewed

  const key = (row, column) => {
    const cell = row.cells[column];
    const number = cell.dataset.v;
    return number === undefined ? cell.textContent : Number(number);
  };

  // Numbers before texts, empty cells last in both directions; equal rows keep their order.
  const compare = (a, b, down) => {
    if (a === "" || b === "") return (a === "") - (b === "");
    const numbers = (typeof b === "number") - (typeof a === "number");
    if (numbers !== 0) return numbers;
    const order = typeof a === "number" ? a - b : a.localeCompare(b, "en", { numeric: true });
    return down ? -order : order;
  };

  const sort = (table, column, down) => {
    const body = table.tBodies[0];
    const rows = [...body.rows].map((row) => ({ row, key: key(row, column) }));
    rows.sort((a, b) => compare(a.key, b.key, down));
    body.append(...rows.map((entry) => entry.row));
    [...table.tHead.rows[0].cells].forEach((head, i) => {
      if (i === column) head.setAttribute("aria-sort", down ? "descending" : "ascending");
      else head.removeAttribute("aria-sort");
    });
    sorted.set(table.id, { head: table.tHead.rows[0].cells[column].textContent, down });
  };

  document.addEventListener("click", (event) => {
    const head = event.target.closest("thead th");
    if (!head || !event.target.closest("button")) return;
    sort(head.closest("table"), head.cellIndex, head.getAttribute("aria-sort") === "ascending");
  });

  const renew = (parts) => {
    for (const [name, html] of Object.entries(parts)) {
      const part = document.querySelector(`[data-part="${name}"]`);
      if (!part || part.dataset.shown === html) continue;
      const first = part.dataset.shown === undefined;
      part.dataset.shown = html;
      const fresh = document.createElement("div");
      fresh.innerHTML = html;
      if (first && fresh.innerHTML === part.innerHTML) continue;  // as the page came
      const open = [...part.querySelectorAll("details")].map((d) => d.open);
      part.replaceChildren(...fresh.childNodes);
      [...part.querySelectorAll("details")].forEach((d, i) => { d.open = open[i] === true; });
      for (const table of part.querySelectorAll("table[id]")) {
        const order = sorted.get(table.id);
        const column = order ? [...table.tHead.rows[0].cells].findIndex((head) => head.textContent === order.head) : -1;
        if (column >= 0) sort(table, column, order.down);
      }
    }
  };

  const live = document.documentElement.dataset.live;
  if (!live) return;
  const notice = document.createElement("p");
  notice.className = "note";
  notice.setAttribute("role", "status");
  document.querySelector("header").append(notice);
  let version = "";
  const poll = async () => {
    try {
      const answer = await fetch(live, { cache: "no-store", headers: version ? { "If-None-Match": version } : {} });
      if (answer.status === 200) {
        const now = await answer.json();
        version = answer.headers.get("ETag") || "";
        renew(now.parts);
        if (now.data && window.bitlabCurves) window.bitlabCurves(now.data);
      } else if (answer.status !== 304) {
        throw new Error(`${answer.status}`);
      }
      notice.textContent = "Renewed while runs go on.";
    } catch (error) {
      notice.textContent = `not reached (${error.message}); trying again`;
    }
    window.setTimeout(poll, document.hidden ? 10 * kPoll : kPoll);
  };
  poll();
})();
