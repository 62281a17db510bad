// <copy-button>: copies the text of the nearest [data-secret] and says so for a moment.

class CopyButton extends HTMLElement {
  connectedCallback() {
    const label = this.querySelector("[data-label]");
    const idle = label.textContent;
    this.querySelector("button").addEventListener("click", async () => {
      const secret = this.parentElement.querySelector("[data-secret]");
      try {
        await navigator.clipboard.writeText(secret.textContent);
        label.textContent = label.dataset.done;
        setTimeout(() => {
          label.textContent = idle;
        }, 2000);
      } catch {
        // No clipboard without https; select it instead, so that it can be copied by hand.
        getSelection().selectAllChildren(secret);
      }
    });
  }
}

customElements.define("copy-button", CopyButton);
