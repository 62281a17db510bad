// <presence-chip state="waiting|assigned|connected|over" data-waiting data-assigned data-connected data-over>: who is
// there, in the page's own words.

class PresenceChip extends HTMLElement {
  static observedAttributes = ["state"];

  attributeChangedCallback(_name, before, now) {
    const text = this.dataset[now];
    if (before !== null && text && this.textContent !== text) this.textContent = text;
  }
}

customElements.define("presence-chip", PresenceChip);
