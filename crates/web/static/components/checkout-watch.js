// <checkout-watch checkout-session="cs_…">: asks until the payment is known, then goes on to the session.

import { call } from "./api.js";

const SLOW_AFTER_MS = 30_000;
const LONGEST_PAUSE_MS = 5_000;

class CheckoutWatch extends HTMLElement {
  async connectedCallback() {
    const path = `/api/sessions/resolve-by-stripe?session_id=${encodeURIComponent(this.getAttribute("checkout-session"))}`;
    const started = Date.now();
    for (let pause = 400; this.isConnected; pause = Math.min(pause * 1.4, LONGEST_PAUSE_MS)) {
      try {
        const { status, data } = await call("GET", path);
        if (status === 200) {
          location.replace(data.route);
          return;
        }
      } catch (error) {
        // A refusal is final; a fault of the network or the server is not.
        if (error.status >= 400 && error.status < 500 && error.status !== 429) {
          this.#failed(error);
          return;
        }
      }
      if (Date.now() - started > SLOW_AFTER_MS) {
        this.querySelector("[data-slow]").hidden = false;
        this.querySelector("[data-waiting]").hidden = true;
      }
      await new Promise((resume) => setTimeout(resume, pause));
    }
  }

  #failed(error) {
    this.querySelector("[data-waiting]").hidden = true;
    this.querySelector("[data-slow]").hidden = true;
    const card = this.querySelector("[data-failed]");
    if (error.message) card.querySelector("[data-message]").textContent = error.message;
    card.hidden = false;
    card.querySelector("a").focus();
  }
}

customElements.define("checkout-watch", CheckoutWatch);
