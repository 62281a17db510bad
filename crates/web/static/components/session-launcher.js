// <session-launcher>: the plan chooser. Its button says what the chosen plan costs.

class SessionLauncher extends HTMLElement {
  connectedCallback() {
    this.addEventListener("change", () => this.#label());
    // The browser may bring back an older choice after a reload or on the way back.
    addEventListener("pageshow", this.#label);
    this.#label();
  }

  disconnectedCallback() {
    removeEventListener("pageshow", this.#label);
  }

  #label = () => {
    const price = this.querySelector("input[name=plan]:checked")?.dataset.price;
    this.querySelector("button [data-price]").textContent = price ? `, ${price}` : "";
  };
}

customElements.define("session-launcher", SessionLauncher);
