// Runs before the first paint, so that a chosen theme never flashes in late. Not a module for that reason.
(() => {
  let chosen = null;
  try {
    chosen = localStorage.getItem("pitlane:theme");
  } catch {
    // Storage may be forbidden; the system's theme stands.
  }
  if (chosen === "light" || chosen === "dark") {
    document.documentElement.dataset.theme = chosen;
  }
})();
