// The frame's menus and the theme.
export function themeButtons() {
  const buttons = [...document.querySelectorAll("[data-set-theme]")];
  const chosen = () => document.documentElement.dataset.theme ?? "system";
  const mark = () => buttons.forEach((button) => button.setAttribute("aria-pressed", String(button.dataset.setTheme === chosen())));
  for (const button of buttons) {
    button.closest("[hidden]")?.removeAttribute("hidden");
    button.addEventListener("click", () => {
      const theme = button.dataset.setTheme;
      if (theme === "system") delete document.documentElement.dataset.theme;
      else document.documentElement.dataset.theme = theme;
      try {
        if (theme === "system") localStorage.removeItem("warren-theme");
        else localStorage.setItem("warren-theme", theme);
      } catch {
        // Storage can be forbidden; the choice then holds for this page.
      }
      mark();
    });
  }
  mark();
}

// Where there are more ways than a phone has room for, the present one is in sight.
export function presentWay() {
  const way = document.querySelector(".ways [aria-current]")?.closest("li");
  if (way) way.parentElement.scrollLeft = way.offsetLeft - (way.parentElement.clientWidth - way.offsetWidth) / 2;
}

// Menus are <details>; they close at Escape and when something outside them is used.
export function menus() {
  const open = () => [...document.querySelectorAll("details[data-menu][open]")];
  document.addEventListener("click", (event) => {
    for (const menu of open()) if (!menu.contains(event.target)) menu.open = false;
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    for (const menu of open()) {
      menu.open = false;
      menu.querySelector("summary").focus();
    }
  });
}
