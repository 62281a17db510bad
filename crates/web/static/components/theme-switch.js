// <theme-switch>: a button between light and dark. The choice is kept on this device.

class ThemeSwitch extends HTMLElement {
  connectedCallback() {
    const button = this.querySelector("button");
    button.hidden = false;
    button.addEventListener("click", () => {
      const root = document.documentElement;
      const system = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
      const next = (root.dataset.theme ?? system) === "dark" ? "light" : "dark";
      root.dataset.theme = next;
      try {
        localStorage.setItem("pitlane:theme", next);
      } catch {
        // Storage may be forbidden; the choice then lasts as long as the page.
      }
    });
  }
}

customElements.define("theme-switch", ThemeSwitch);
