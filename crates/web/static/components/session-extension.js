// <session-extension session-id>: more time for a session, paid with the kept card. The room follows the event; this
// only pays. Each tap has a key of its own, so that one that is sent twice is paid for once.

import { problem } from "./api.js";
import { reference } from "./outbox.js";

const TEXT = {
  network: "We can't reach Pitlane right now. Try again: you are never charged twice for one tap.",
};

class SessionExtension extends HTMLElement {
  #key = reference();

  connectedCallback() {
    this.addEventListener("click", (event) => {
      if (event.target.closest("[data-pay]")) this.#pay(event.target.closest("[data-pay]"));
    });
  }

  async #pay(button) {
    button.disabled = true;
    button.setAttribute("aria-busy", "true");
    this.#fault("");
    try {
      const response = await fetch(`/api/sessions/${this.getAttribute("session-id")}/extend`, {
        method: "POST",
        headers: { Accept: "application/json", "Idempotency-Key": this.#key },
        credentials: "same-origin",
        cache: "no-store",
      });
      const data = await response.json().catch(() => null);
      if (response.ok) this.#done();
      else this.#refused(problem(response.status, data, response.headers.get("Retry-After")));
    } catch {
      this.#fault(TEXT.network);
    } finally {
      button.disabled = false;
      button.removeAttribute("aria-busy");
    }
  }

  // The next tap is another purchase.
  #done() {
    this.#key = reference();
    this.closest("dialog").close();
  }

  #refused(error) {
    this.#fault(error.message);
    if (!error.checkoutUrl) return;
    const page = this.querySelector("[data-page]");
    page.href = error.checkoutUrl;
    page.hidden = false;
    this.querySelector("[data-pay-row]").hidden = true;
    page.focus();
  }

  #fault(message) {
    const banner = this.querySelector("[data-fault]");
    banner.querySelector("[data-message]").textContent = message;
    banner.hidden = message === "";
  }
}

customElements.define("session-extension", SessionExtension);
