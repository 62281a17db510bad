// <status-badge status="…">: a session's state. On live pages a <template data-badges> holds a badge for every
// state, and a change of the attribute shows the one that fits.

class StatusBadge extends HTMLElement {
  static observedAttributes = ["status"];

  attributeChangedCallback(_name, before, now) {
    if (before === null || before === now) return;
    const known = document.querySelector("template[data-badges]")?.content.querySelector(`status-badge[status="${CSS.escape(now)}"]`);
    if (known) this.replaceChildren(...document.importNode(known, true).childNodes);
  }
}

customElements.define("status-badge", StatusBadge);
