// <print-button>: prints the page, or saves it as PDF where the browser does that. Without script there is no button.

class PrintButton extends HTMLElement {
  connectedCallback() {
    this.hidden = false;
    this.addEventListener("click", () => print());
  }
}

// What was said belongs onto the paper, whoever prints and however; afterwards the page is as it was.
const closed = () => document.querySelectorAll("details.transcript:not([open])");
addEventListener("beforeprint", () => {
  for (const one of closed()) {
    one.open = true;
    addEventListener("afterprint", () => (one.open = false), { once: true });
  }
});

customElements.define("print-button", PrintButton);
