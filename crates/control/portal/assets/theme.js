// Sets the chosen theme before anything is painted; the reader's system decides when nothing was chosen.
try {
  const theme = localStorage.getItem("warren-theme");
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
} catch {
  // Storage can be forbidden; the system's theme stays.
}
