"use strict";
// Sorts and filters the table. The URL fragment (#q=…&status=…,…&show=failures&dir=…&sort=…&order=…) holds the state, so that a view can be linked to.
(() => {
  const byId = (id) => document.getElementById(id);
  const table = byId("artifacts");
  const body = table.tBodies[0];
  const heads = [...table.tHead.rows[0].cells];
  const boxes = [...document.querySelectorAll("#statuses input")];

  // What is read of a row is kept, and read when it is asked for: reading a hundred thousand rows takes longer than showing them.
  class Row {
    constructor(row, place) {
      this.row = row;
      this.place = place;
      this.head = this;
      this.keys = [];
    }
    get text() {
      return this.kept ??= this.row.textContent.toLowerCase();
    }
    get directory() {
      if (this.head !== this) return this.head.directory;
      const path = this.row.cells[1].firstChild?.data ?? "";
      return this.path ??= path.slice(0, Math.max(path.lastIndexOf("/"), 0)) || (path.startsWith("/") ? "/" : ".");
    }
    key(column) {
      const cell = this.row.cells[column];
      const number = cell.dataset.value;
      return this.keys[column] ??= [number === undefined ? cell.textContent || null : number === "" ? null : Number(number)];
    }
  }
  const rows = Array.from(body.rows, (row, place) => new Row(row, place));

  // Images follow the artifact that holds them: sorted with it, and folded under it unless one fails.
  const groups = [];
  for (const row of rows) {
    if (row.row.classList.contains("inside")) {
      groups.at(-1).inside.push(row);
      row.head = groups.at(-1).head;
    } else groups.push({ head: row, inside: [], folded: true, button: null });
  }
  const fold = (group) => {
    const count = group.inside.length;
    group.button.textContent = `${group.folded ? "▸" : "▾"} ${count} inside`;
    group.button.setAttribute("aria-expanded", String(!group.folded));
    for (const { row } of group.inside) row.classList.toggle("folded", group.folded);
  };
  for (const group of groups.filter(({ inside }) => inside.length > 0)) {
    group.folded = !group.inside.some(({ row }) => row.classList.contains("fail"));
    group.button = document.createElement("button");
    group.button.type = "button";
    group.button.className = "fold";
    group.button.addEventListener("click", () => {
      group.folded = !group.folded;
      fold(group);
    });
    group.head.row.cells[1].append(group.button);
    fold(group);
  }

  const state = () => {
    const given = new URLSearchParams(location.hash.slice(1));
    return {
      q: given.get("q") || "",
      status: (given.get("status") || "").split(",").filter(Boolean),
      show: given.get("show") === "failures" ? "failures" : "",
      dir: given.get("dir") || "",
      sort: given.get("sort") || "",
      order: given.get("order") === "desc" ? "desc" : "asc",
    };
  };

  const compare = (a, b) => (a < b ? -1 : a > b ? 1 : 0);
  // Rows without a value come last in either direction.
  const order = ([a], [b], sign) =>
    a === b ? 0 : a === null ? 1 : b === null ? -1 : sign * compare(a, b);
  const kinds = table.dataset.kinds;
  let ordered = "-1 1";
  let wasFiltered = false;

  const filter = ({ q, status, show, dir }) => {
    const wanted = q.toLowerCase();
    let shown = 0;
    for (const row of rows) {
      const hidden = (status.length > 0 && !status.includes(row.row.dataset.status))
        || (show === "failures" && !row.row.classList.contains("fail"))
        || (dir !== "" && row.directory !== dir)
        || (wanted !== "" && !row.text.includes(wanted));
      if (row.row.hidden !== hidden) row.row.hidden = hidden;
      shown += hidden ? 0 : 1;
    }
    return shown;
  };

  const sort = (column, sign) => {
    const sorted = column < 0 ? groups : [...groups].sort(({ head: a }, { head: b }) =>
      order(a.key(column), b.key(column), sign) || a.place - b.place);
    const all = document.createDocumentFragment();
    for (const { head, inside } of sorted) all.append(head.row, ...inside.map(({ row }) => row));
    body.append(all);
  };

  const show = () => {
    const now = state();
    const column = heads.findIndex((head) => head.dataset.sort === now.sort);
    const sign = now.order === "desc" ? -1 : 1;
    const filtered = now.q !== "" || now.status.length > 0 || now.show !== "" || now.dir !== "";
    // Nothing is hidden at first, so nothing is to be looked at.
    const shown = filtered || wasFiltered ? filter(now) : rows.length;
    wasFiltered = filtered;
    if (ordered !== `${column} ${sign}` && !(column < 0 && ordered.startsWith("-1"))) sort(column, sign);
    ordered = `${column} ${sign}`;
    // What a search finds is shown, folded or not.
    body.classList.toggle("filtered", filtered);
    // A printed page must show that rows are missing.
    const of = now.dir === "" ? "" : ` (directory ${now.dir})`;
    byId("count").textContent = filtered ? `Filtered: ${shown} of ${rows.length} ${kinds} are shown${of}` : `${rows.length} ${kinds}`;
    byId("count").classList.toggle("filtered", filtered);
    heads.forEach((head, at) => head.setAttribute("aria-sort",
      at !== column ? "none" : sign < 0 ? "descending" : "ascending"));
    if (byId("search").value !== now.q) byId("search").value = now.q;
    for (const box of boxes) box.checked = now.status.includes(box.value);
    byId("only").setAttribute("aria-pressed", String(now.show !== ""));
    byId("all").hidden = !filtered;
  };

  const change = (changes) => {
    const next = { ...state(), ...changes };
    const text = new URLSearchParams();
    for (const name of ["q", "show", "dir", "sort"]) if (next[name]) text.set(name, next[name]);
    if (next.status.length) text.set("status", next.status.join(","));
    if (next.sort && next.order === "desc") text.set("order", "desc");
    history.replaceState(null, "", "#" + text);
    show();
  };

  for (const head of heads) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = head.textContent;
    button.addEventListener("click", () => {
      const { sort, order } = state();
      const again = sort === head.dataset.sort && order === "asc";
      change({ sort: head.dataset.sort, order: again ? "desc" : "asc" });
    });
    head.dataset.label = head.textContent;
    head.replaceChildren(button);
  }
  for (const cell of document.querySelectorAll("#directories td.directory")) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = cell.textContent;
    button.addEventListener("click", () => {
      change({ dir: cell.textContent });
      byId("controls").scrollIntoView();
    });
    cell.replaceChildren(button);
  }
  byId("only").addEventListener("click", () => change({ show: state().show ? "" : "failures" }));
  byId("all").addEventListener("click", () => change({ q: "", status: [], show: "", dir: "" }));
  byId("search").addEventListener("input", (event) => change({ q: event.target.value }));
  for (const box of boxes) {
    box.addEventListener("change", () =>
      change({ status: boxes.filter((other) => other.checked).map((other) => other.value) }));
  }
  byId("controls").addEventListener("submit", (event) => event.preventDefault());
  addEventListener("hashchange", show);
  // Paper shows what is folded on the screen.
  const folded = [...document.querySelectorAll("details:not([open])")];
  addEventListener("beforeprint", () => folded.forEach((details) => (details.open = true)));
  byId("controls").hidden = false;
  show();
})();
