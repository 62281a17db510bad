// <session-refund session-id left-cents currency>: sends money of a session back, all that is left or a part, after it
// was asked once more with the amount.
//
// What is asked for has one key: a second tap, and a try after a lost answer, send nothing twice. Another amount or
// reason is another refund.

import { problem } from "./api.js";
import { clearFaults, fieldFault } from "./field-faults.js";
import { money } from "./money.js";
import { reference } from "./outbox.js";

const TEXT = {
  amount: "Write an amount such as 5.00.",
  most: (most) => `At most ${most} can go back.`,
  reason: "Write down why.",
  network: "We can't reach Pitlane right now. Try again: nothing is sent back twice.",
  done: (amount) => `${amount} goes back to the customer's card.`,
};

class SessionRefund extends HTMLElement {
  #key = "";
  #keyOf = "";
  #cents = 0;
  #form;
  #dialog;

  connectedCallback() {
    this.#form = this.querySelector("form");
    this.#dialog = this.querySelector("dialog");
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#ask();
    });
    this.#form.addEventListener("input", () => this.#follow());
    this.#dialog.querySelector("[data-keep]").addEventListener("click", () => this.#dialog.close());
    this.#dialog.querySelector("[data-send]").addEventListener("click", (event) => this.#send(event.currentTarget));
    this.#follow();
  }

  get #left() {
    return Number(this.getAttribute("left-cents"));
  }

  /** One line, as the audit log keeps it. */
  get #reason() {
    return this.#form.elements.reason.value.trim().replace(/\s+/g, " ");
  }

  /** What is asked for, in cents; `null` for what is no amount. */
  #asked() {
    if (this.#form.elements.how.value === "whole") return this.#left;
    const typed = this.#form.elements.amount.value.replace(/[\s$]/g, "").replace(",", ".");
    if (!/^\d{1,9}(\.\d{1,2})?$/.test(typed)) return null;
    return Math.round(Number(typed) * 100);
  }

  #money(cents) {
    return money(cents, this.getAttribute("currency"));
  }

  // The buttons say what they do.
  #follow() {
    const part = this.#form.elements.how.value === "part";
    this.querySelector("[data-part]").hidden = !part;
    const cents = this.#asked();
    const fits = cents !== null && cents > 0 && cents <= this.#left;
    for (const place of this.querySelectorAll("[data-sum]")) place.textContent = fits ? this.#money(cents) : "money";
  }

  #ask() {
    clearFaults(this.#form);
    const cents = this.#asked();
    const { amount, reason } = this.#form.elements;
    if (cents === null || cents <= 0) return this.#fault(amount, TEXT.amount);
    if (cents > this.#left) return this.#fault(amount, TEXT.most(this.#money(this.#left)));
    if (this.#reason === "") return this.#fault(reason, TEXT.reason);
    this.#cents = cents;
    const wanted = JSON.stringify([cents, this.#reason]);
    if (wanted !== this.#keyOf) {
      this.#key = reference();
      this.#keyOf = wanted;
    }
    this.#refused("");
    this.#dialog.showModal();
  }

  async #send(button) {
    button.disabled = true;
    button.setAttribute("aria-busy", "true");
    this.#refused("");
    try {
      const response = await fetch(`/api/admin/sessions/${this.getAttribute("session-id")}/refund`, {
        method: "POST",
        headers: { Accept: "application/json", "Content-Type": "application/json", "Idempotency-Key": this.#key },
        body: JSON.stringify({ amount_cents: this.#cents, reason: this.#reason }),
        credentials: "same-origin",
        cache: "no-store",
      });
      const data = await response.json().catch(() => null);
      if (response.ok) this.#done();
      else this.#refused(this.#told(problem(response.status, data, response.headers.get("Retry-After"))));
    } catch {
      this.#refused(TEXT.network);
    } finally {
      button.disabled = false;
      button.removeAttribute("aria-busy");
    }
  }

  #told(error) {
    return error.errors[0]?.message ?? error.message;
  }

  #done() {
    this.#dialog.close();
    const banner = document.querySelector("[data-refunded]");
    banner.querySelector("[data-message]").textContent = TEXT.done(this.#money(this.#cents));
    banner.hidden = false;
    banner.focus();
    // The figures, and then this form itself, which goes with it.
    for (const id of ["money", "refund"]) document.getElementById(id).renew();
  }

  #fault(input, message) {
    fieldFault(input, message);
    input.focus();
  }

  #refused(message) {
    const place = this.#dialog.querySelector("[data-refused]");
    place.textContent = message;
    place.hidden = message === "";
  }
}

customElements.define("session-refund", SessionRefund);
