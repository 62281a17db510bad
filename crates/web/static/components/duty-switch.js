// <duty-switch>: on or off duty. Tells the page with a `dutychange` event once the server has agreed.

import { call } from "./api.js";

class DutySwitch extends HTMLElement {
  connectedCallback() {
    const input = this.querySelector("input");
    const fault = this.querySelector("[data-fault]");
    input.addEventListener("change", async () => {
      const on = input.checked;
      input.disabled = true;
      fault.hidden = true;
      try {
        await call("PUT", "/api/mechanics/me/duty", { on_duty: on });
        this.#show(on);
        document.dispatchEvent(new CustomEvent("dutychange", { detail: on }));
      } catch (error) {
        input.checked = !on;
        fault.textContent = error.message;
        fault.hidden = false;
      } finally {
        input.disabled = false;
        input.focus();
      }
    });
  }

  #show(on) {
    for (const part of this.querySelectorAll("[data-when]")) part.hidden = (part.dataset.when === "on") !== on;
  }
}

customElements.define("duty-switch", DutySwitch);
