// <print-button>: prints the page, or saves it as PDF where the browser does that. Without script there is no button.

class PrintButton extends HTMLElement {
  connectedCallback() {
    this.hidden = false;
    this.addEventListener("click", () => print());
  }
}

customElements.define("print-button", PrintButton);
