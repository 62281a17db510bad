// <session-upgrade session-id base-price upgrade-price total-price>: the difference to video is shown, paid, and the
// session becomes video. The room follows the event; this only pays. For a mechanic it holds the suggestion's button.
//
// A payment that was interrupted anywhere may be repeated: the server has one open attempt and charges once.

import { call } from "./api.js";
import { socket } from "./socket.js";

const TRIES = 4;
const PAUSE_MS = 700;
const TEXT = {
  card: (card) => `${card.brand[0].toUpperCase()}${card.brand.slice(1)} ending in ${card.last4} is charged.`,
  noCard: "You type your card on the payment page next.",
  paying: "Paying…",
  switching: "Paid. Switching to video…",
  later: "Your payment has arrived. The switch takes a moment longer than usual; this page follows by itself.",
};

class SessionUpgrade extends HTMLElement {
  #id = this.getAttribute("session-id");
  #dialog = this.querySelector("[data-upgrade-dialog]");
  #leave = () => {};
  #asked = false;
  #busy = false;

  connectedCallback() {
    this.addEventListener("click", this.#click);
    // The room's own subscription says from where; this one listens along.
    const listener = { after: () => Number.MAX_SAFE_INTEGER, frame: (frame) => this.#frame(frame) };
    this.#leave = socket.subscribe(this.getAttribute("channel"), listener);
    if (sessionStorage.getItem(this.#key)) this.#suggest(false);
  }

  disconnectedCallback() {
    this.#leave();
    this.removeEventListener("click", this.#click);
  }

  get #key() {
    return `pitlane:no-video:${this.#id}`;
  }

  #frame(frame) {
    const events = frame.type === "joined" ? frame.events : frame.type === "event" ? [frame.event] : [];
    for (const event of events) {
      if (event.session_id !== this.#id) continue;
      if (event.kind === "session_upgraded" || event.kind === "ended") this.#done();
      if (event.kind === "upgrade_suggested" && frame.type === "event") this.#suggest(true);
    }
  }

  // The room is what goes on; here is nothing left to do.
  #done() {
    this.#dialog?.close();
    this.remove();
  }

  #suggest(on) {
    const card = this.querySelector("[data-suggestion]");
    if (!card) return;
    card.hidden = !on;
    this.querySelector("[data-bar]").hidden = on;
    if (on) sessionStorage.removeItem(this.#key);
  }

  #click = (event) => {
    const button = event.target instanceof Element ? event.target.closest("button") : null;
    if (!button) return;
    if (button.matches("[data-show]")) this.#show();
    else if (button.matches("[data-hide]")) this.#dialog.close();
    else if (button.matches("[data-pay]")) this.#pay(button);
    else if (button.matches("[data-not-now]")) {
      sessionStorage.setItem(this.#key, "1");
      this.#suggest(false);
    }
  };

  #show() {
    this.#fault("");
    // The payment page of an earlier try may be over by now; paying again answers with the one that is open.
    this.#recover(null);
    this.#dialog.showModal();
    // Soon the picture is wanted at once.
    import("./video-room.js");
    if (this.#asked) return;
    this.#asked = true;
    // Which card it will be; without an answer the general sentence stays.
    call("GET", "/api/me/cards")
      .then(({ data }) => {
        const card = data.items[0];
        this.#dialog.querySelector("[data-card-text]").textContent = card ? TEXT.card(card) : TEXT.noCard;
      })
      .catch(() => {
        this.#asked = false;
      });
  }

  async #pay(button) {
    if (this.#busy) return;
    this.#busy = true;
    button.disabled = true;
    button.setAttribute("aria-busy", "true");
    this.#fault("");
    this.#tell(TEXT.paying);
    try {
      const amount = Number(this.getAttribute("upgrade-price"));
      const body = { session_id: this.#id, upgrade_amount: amount };
      const { data } = await call("POST", "/api/sessions/upgrade/payment", body);
      this.#tell(TEXT.switching);
      await this.#switch(data.payment_intent_id);
    } catch (error) {
      this.#refused(error);
    } finally {
      this.#busy = false;
      button.disabled = false;
      button.removeAttribute("aria-busy");
    }
  }

  // The money is there. Whatever happens to this call, the server makes the switch by itself soon.
  async #switch(intent) {
    for (let left = TRIES; left > 0; left -= 1) {
      try {
        await call("PATCH", `/api/sessions/${this.#id}/upgrade`, { payment_intent_id: intent });
        this.dispatchEvent(new CustomEvent("upgraded", { bubbles: true }));
        this.#dialog.close();
        return;
      } catch (error) {
        if (error.status >= 400 && error.status < 500 && error.status !== 429) throw error;
        await new Promise((resume) => setTimeout(resume, PAUSE_MS));
      }
    }
    this.#tell(TEXT.later);
    this.#fault(TEXT.later);
  }

  #refused(error) {
    this.#tell("");
    if (error.code === "payment_action_required" && error.checkoutUrl) {
      this.#recover(error);
      return;
    }
    this.#fault(error.message);
    if (error.code === "price_mismatch" || error.code === "upgrade_not_allowed") {
      this.dispatchEvent(new CustomEvent("upgraded", { bubbles: true }));
    }
  }

  // The way to the payment page stands where the button to pay was.
  #recover(error) {
    const recovery = this.#dialog.querySelector("[data-recovery]");
    recovery.hidden = error === null;
    this.#dialog.querySelector("[data-pay-row]").hidden = error !== null;
    if (error === null) return;
    const page = recovery.querySelector("[data-page]");
    recovery.querySelector("[data-message]").textContent = error.message;
    page.href = error.checkoutUrl;
    page.focus();
  }

  #fault(message) {
    const banner = this.#dialog.querySelector("[data-fault]");
    banner.querySelector("[data-message]").textContent = message;
    banner.hidden = message === "";
  }

  #tell(message) {
    this.#dialog.querySelector("[data-progress-text]").textContent = message;
  }
}

customElements.define("session-upgrade", SessionUpgrade);
