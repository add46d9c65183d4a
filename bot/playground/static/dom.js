// Builds the page's nodes. Text goes in as text nodes only: nothing anybody wrote is ever read as HTML.

export function h(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === "function") node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

const PATHS = {
  bolt: "M13 2 4 14h7l-1 8 9-12h-7z",
  braces: "M8 3H7a2 2 0 0 0-2 2v4a2 2 0 0 1-2 2 2 2 0 0 1 2 2v4a2 2 0 0 0 2 2h1M16 3h1a2 2 0 0 1 2 2v4a2 2 0 0 0 2 2 2 2 0 0 0-2 2v4a2 2 0 0 1-2 2h-1",
  close: "M6 6l12 12M18 6 6 18",
  copy: "M9 9h10v12H9zM5 15V3h10v2",
  dots: "M5 12h.01M12 12h.01M19 12h.01",
  eye: "M2 12s4-7 10-7 10 7 10 7-4 7-10 7S2 12 2 12zm10 3a3 3 0 1 0 0-6 3 3 0 0 0 0 6z",
  lines: "M4 6h16M4 12h16M4 18h16",
  lock: "M6 11h12v9H6zM8.5 11V8a3.5 3.5 0 0 1 7 0v3",
  down: "M8 13.5V4H4.5v9.5zM8 13.5l3.5 7.5c1.5 0 2.5-1 2.5-2.6V15h4.7a1.8 1.8 0 0 0 1.8-2.1l-1.2-7.3A2 2 0 0 0 17.3 4H8",
  send: "M4 4l17 8-17 8 3-8zM7 12h14",
  up: "M8 10.5V20H4.5v-9.5zM8 10.5l3.5-7.5c1.5 0 2.5 1 2.5 2.6V9h4.7a1.8 1.8 0 0 1 1.8 2.1l-1.2 7.3A2 2 0 0 1 17.3 20H8",
  thread: "M4 5h16v11h-9l-4 4v-4H4z",
};

export function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("class", `icon icon-${name}`);
  svg.setAttribute("aria-hidden", "true");
  path.setAttribute("d", PATHS[name]);
  svg.append(path);
  return svg;
}

let counted = 0;
export const fresh = (name) => `${name}-${(counted += 1)}`;

// An open dialog hides everything around it from screen readers, so it has a place of its own to speak from.
export function announce(text) {
  const dialog = document.querySelector("dialog[open] .spoken");
  (dialog ?? document.getElementById("spoken")).textContent = text;
}

export async function copied(text, button) {
  const before = button.lastChild.textContent;
  try {
    await navigator.clipboard.writeText(text);
    button.lastChild.textContent = "Copied";
    announce("Copied");
  } catch {
    button.lastChild.textContent = "Your browser said no";
    announce("Your browser does not allow copying");
  }
  setTimeout(() => { button.lastChild.textContent = before; }, 2000);
}
