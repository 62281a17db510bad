// <summary-draft session-id>: keeps what is being written at the server, so that a closed tab or a dead telephone loses
// nothing. It never sends the summary; the form does.

import { call } from "./api.js";
import { localTime } from "./local-time.js";

const PAUSE_MS = 1_000;
const AGAIN_MS = 5_000;
const TEXTS = ["findings", "steps_taken", "parts_needed", "next_steps"];
const TEXT = {
  saving: "Keeping your draft.",
  saved: (time) => `Draft kept ${time}. Only you see it.`,
  lost: "Your draft is not kept yet. Trying again.",
};

class SummaryDraft extends HTMLElement {
  #form = this.querySelector("form");
  #said = this.querySelector("[data-draft]");
  #timer = 0;
  #sent = JSON.stringify(this.#content());
  #leaving = false;

  connectedCallback() {
    this.#form.addEventListener("input", this.#later);
    this.#form.addEventListener("submit", (event) => {
      // The picker may hold the form back until its files have arrived.
      this.#leaving = !event.defaultPrevented;
      if (this.#leaving) clearTimeout(this.#timer);
    });
    this.#watch = new MutationObserver(this.#later);
    this.#watch.observe(this.querySelector("[data-list]"), { childList: true, subtree: true });
    addEventListener("pagehide", this.#flush);
  }

  disconnectedCallback() {
    this.#watch.disconnect();
    clearTimeout(this.#timer);
    removeEventListener("pagehide", this.#flush);
  }

  #watch = null;

  #content() {
    const fields = new FormData(this.#form);
    const content = Object.fromEntries(TEXTS.map((name) => [name, fields.get(name) ?? ""]));
    content.photo_file_ids = fields.getAll("file_ids");
    return content;
  }

  #later = () => {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#keep(), PAUSE_MS);
  };

  async #keep() {
    const content = this.#content();
    const text = JSON.stringify(content);
    if (text === this.#sent || this.#leaving) return;
    this.#said.textContent = TEXT.saving;
    try {
      const { data } = await call("PUT", this.#address(), content);
      this.#sent = text;
      this.#said.textContent = TEXT.saved(localTime(data.updated_at));
    } catch (error) {
      const passing = error.status === 0 || error.status === 429 || error.status >= 500;
      this.#said.textContent = passing ? TEXT.lost : error.message;
      if (passing) this.#timer = setTimeout(() => this.#keep(), AGAIN_MS);
    }
  }

  // The page goes away: what was typed in the last second goes with its last breath.
  #flush = () => {
    const content = this.#content();
    if (this.#leaving || JSON.stringify(content) === this.#sent) return;
    fetch(this.#address(), {
      method: "PUT",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(content),
      credentials: "same-origin",
      keepalive: true,
    }).catch(() => {});
  };

  #address() {
    return `/api/sessions/${this.getAttribute("session-id")}/summary/draft`;
  }
}

customElements.define("summary-draft", SummaryDraft);
