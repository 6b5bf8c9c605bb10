// The tree of categories: dragged by a handle, moved by Alt and an arrow. Everything is posted as the buttons post it;
// without this script the buttons are still there.
(() => {
  "use strict";
  const tree = document.querySelector(".weft-tree");
  const drop = document.getElementById("weft-tree-drop");
  if (!tree || !drop) return;
  const form = drop.form;
  const EDGE = 0.3; // of a row's height: above it is before, below it is behind, between is into
  let dragged = null;

  const field = (name) => form.elements.namedItem(name);
  const row = (node) => (node instanceof Element ? node.closest(".weft-branch[data-pk]") : null);
  const isBelow = (other) => other.dataset.path.startsWith(dragged.dataset.path);
  const clear = () => tree.querySelectorAll("[data-drop]").forEach((other) => delete other.dataset.drop);

  const position = (target, y) => {
    const box = target.getBoundingClientRect();
    const part = (y - box.top) / box.height;
    return part < EDGE ? "left" : part > 1 - EDGE ? "right" : "last-child";
  };

  const post = (target, where) => {
    field("node").value = dragged.dataset.pk;
    field("node_path").value = dragged.dataset.path;
    field("target").value = target.dataset.pk;
    field("target_path").value = target.dataset.path;
    field("position").value = where;
    form.requestSubmit(drop);
  };

  tree.querySelectorAll(".weft-branch-handle").forEach((handle) => {
    handle.hidden = false;
    handle.draggable = true;
  });
  document.querySelectorAll(".weft-tree-drag").forEach((hint) => hint.classList.add("weft-tree-ready"));

  tree.addEventListener("dragstart", (event) => {
    if (!event.target.classList.contains("weft-branch-handle")) return;
    dragged = row(event.target);
    event.dataTransfer.effectAllowed = "move";
    event.dataTransfer.setData("text/plain", dragged.dataset.pk);
    event.dataTransfer.setDragImage(dragged, 16, 16);
    for (const other of tree.querySelectorAll("[data-path]")) other.classList.toggle("weft-branch-moving", isBelow(other));
  });
  tree.addEventListener("dragover", (event) => {
    const target = row(event.target);
    clear();
    if (!dragged || !target || isBelow(target)) return;
    event.preventDefault();
    target.dataset.drop = position(target, event.clientY);
  });
  tree.addEventListener("drop", (event) => {
    const target = row(event.target);
    if (!dragged || !target || isBelow(target)) return;
    event.preventDefault();
    post(target, position(target, event.clientY));
  });
  tree.addEventListener("dragend", () => {
    clear();
    dragged = null;
    tree.querySelectorAll(".weft-branch-moving").forEach((other) => other.classList.remove("weft-branch-moving"));
  });

  const KEYS = { ArrowUp: "up", ArrowDown: "down", ArrowLeft: "out", ArrowRight: "in" };
  tree.addEventListener("keydown", (event) => {
    const here = row(event.target);
    if (!event.altKey || !(event.key in KEYS) || !here) return;
    const button = here.querySelector(`button[value^="${KEYS[event.key]}:"]`);
    if (!button || button.disabled) return;
    event.preventDefault();
    form.requestSubmit(button);
  });

  // After a move the page comes anew: whoever moved by keyboard goes on where the category stands now. Only once
  // everything is loaded: before, the theme keeps the page hidden, and nothing hidden can be focused.
  window.addEventListener("load", () => {
    const moved = location.hash.startsWith("#category-") ? document.getElementById(location.hash.slice(1)) : null;
    if (moved) moved.querySelector(".weft-branch-name a").focus();
  });
})();
