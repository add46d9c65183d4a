// Menus: one button opens them, arrow keys walk them, Escape or a click elsewhere closes them.

import { h } from "./dom.js";

// `items` gives [{label, about, pick}] when it is opened. `pick` gets the button, to whom focus goes back.
export function menuButton(button, items) {
  let open = false;
  let wasOpen = false;
  button.setAttribute("aria-haspopup", "menu");
  button.setAttribute("aria-expanded", "false");
  // A press on the button closes an open menu, as one anywhere else does; its click must not open it again.
  button.addEventListener("pointerdown", () => { wasOpen = open; });
  button.addEventListener("click", () => {
    const closes = wasOpen || open;
    wasOpen = false;
    if (closes) return;
    const list = h("div", { role: "menu", class: "menu", popover: "auto", "aria-label": name(button) });
    for (const item of items()) {
      const pick = () => {
        list.hidePopover();
        button.focus();
        item.pick(button);
      };
      list.append(
        h("button", { type: "button", role: "menuitem", tabindex: -1, onclick: pick },
          h("span", {}, item.label), item.about && h("small", {}, item.about)),
      );
    }
    list.addEventListener("keydown", (event) => walk(event, list, button));
    list.addEventListener("beforetoggle", (event) => {
      open = event.newState === "open";
      button.setAttribute("aria-expanded", String(open));
      if (!open) setTimeout(() => list.remove());
    });
    button.after(list);
    list.showPopover();
    beside(list, button);
    list.firstElementChild?.focus();
  });
  return button;
}

const name = (button) => button.getAttribute("aria-label") ?? button.textContent;

function walk(event, list, button) {
  const items = [...list.children];
  const at = items.indexOf(document.activeElement);
  const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: -1 }[event.key];
  if (to !== undefined) {
    event.preventDefault();
    items.at(to % items.length).focus();
  } else if (event.key === "Escape" || event.key === "Tab") {
    if (event.key === "Escape") event.preventDefault();
    event.stopPropagation();
    list.hidePopover();
    button.focus();
  }
}

function beside(list, button) {
  const place = button.getBoundingClientRect();
  const { width, height } = list.getBoundingClientRect();
  const below = place.bottom + 4 + height <= window.innerHeight;
  list.style.left = `${Math.max(8, Math.min(place.right - width, window.innerWidth - width - 8))}px`;
  list.style.top = `${Math.max(8, below ? place.bottom + 4 : place.top - height - 4)}px`;
}
