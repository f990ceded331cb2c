// Runs before the first paint, so that a remembered theme never flashes the other
// one. It is a file, not an inline script, so that the CSP needs no exception.
(() => {
  try {
    const theme = localStorage.getItem("theme");
    if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
  } catch {
    // Storage is blocked: the system's theme it is.
  }
})();
