"use strict";
// Sorts and filters the table. The URL fragment (#q=…&status=…,…&sort=…&dir=…) holds the state, so that a view can be linked to.
(() => {
  const byId = (id) => document.getElementById(id);
  const body = document.querySelector("#artifacts tbody");
  const heads = [...document.querySelectorAll("#artifacts th")];
  const boxes = [...document.querySelectorAll("#statuses input")];
  // Cache each row's text and sort keys: reading ten thousand rows takes longer than sorting them.
  const rows = [...body.rows].map((row, place) => ({
    row,
    place,
    status: row.dataset.status,
    text: row.textContent.toLowerCase(),
    keys: [...row.cells].map((cell) => cell.dataset.value !== undefined
      ? (cell.dataset.value === "" ? null : Number(cell.dataset.value)) : cell.textContent || null),
  }));

  // Images follow the artifact that holds them: sorted with it, and folded under it unless one fails.
  const groups = [];
  for (const row of rows) {
    if (row.row.classList.contains("inside")) groups.at(-1).inside.push(row);
    else groups.push({ head: row, inside: [], folded: true, button: null });
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
      sort: given.get("sort") || "",
      dir: given.get("dir") === "desc" ? "desc" : "asc",
    };
  };

  const compare = (a, b) => (a < b ? -1 : a > b ? 1 : 0);
  // Rows without a value come last in either direction.
  const order = (a, b, sign) =>
    a === b ? 0 : a === null ? 1 : b === null ? -1 : sign * compare(a, b);
  let ordered = "";
  const kinds = groups.length < rows.length ? "artifacts and images" : "artifacts";

  const show = () => {
    const { q, status, sort, dir } = state();
    const wanted = q.toLowerCase();
    const column = heads.findIndex((head) => head.dataset.sort === sort);
    const sign = dir === "desc" ? -1 : 1;
    let shown = 0;
    for (const { row, status: own, text } of rows) {
      const hidden = !(text.includes(wanted) && (status.length === 0 || status.includes(own)));
      if (row.hidden !== hidden) row.hidden = hidden;
      shown += hidden ? 0 : 1;
    }
    if (ordered !== `${column} ${sign}`) {
      ordered = `${column} ${sign}`;
      const sorted = column < 0 ? groups : [...groups].sort(({ head: a }, { head: b }) =>
        order(a.keys[column], b.keys[column], sign) || a.place - b.place);
      const all = document.createDocumentFragment();
      for (const { head, inside } of sorted) all.append(head.row, ...inside.map(({ row }) => row));
      body.append(all);
    }
    const filtered = wanted !== "" || status.length > 0;
    // What a search finds is shown, folded or not.
    body.classList.toggle("filtered", filtered);
    // A printed page must show that rows are missing.
    byId("count").textContent = filtered ? `Filtered: ${shown} of ${rows.length} ${kinds} are shown` : `${rows.length} ${kinds}`;
    byId("count").classList.toggle("filtered", filtered);
    heads.forEach((head, at) => head.setAttribute("aria-sort",
      at !== column ? "none" : dir === "desc" ? "descending" : "ascending"));
    if (byId("search").value !== q) byId("search").value = q;
    for (const box of boxes) box.checked = status.includes(box.value);
  };

  const change = (changes) => {
    const next = { ...state(), ...changes };
    const text = new URLSearchParams();
    for (const name of ["q", "sort"]) if (next[name]) text.set(name, next[name]);
    if (next.status.length) text.set("status", next.status.join(","));
    if (next.sort && next.dir === "desc") text.set("dir", "desc");
    history.replaceState(null, "", "#" + text);
    show();
  };

  for (const head of heads) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = head.textContent;
    button.addEventListener("click", () => {
      const { sort, dir } = state();
      const again = sort === head.dataset.sort && dir === "asc";
      change({ sort: head.dataset.sort, dir: again ? "desc" : "asc" });
    });
    head.dataset.label = head.textContent;
    head.replaceChildren(button);
  }
  byId("search").addEventListener("input", (event) => change({ q: event.target.value }));
  for (const box of boxes) {
    box.addEventListener("change", () =>
      change({ status: boxes.filter((other) => other.checked).map((other) => other.value) }));
  }
  byId("controls").addEventListener("submit", (event) => event.preventDefault());
  addEventListener("hashchange", show);
  byId("controls").hidden = false;
  show();
})();
