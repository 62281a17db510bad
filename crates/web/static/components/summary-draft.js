// <summary-draft session-id>: keeps what is being written at the server, so that a closed tab or a dead telephone loses
// nothing. It never sends the summary; the form does, once the draft has shown that there is a network: a form that is
// sent without one takes its text along.

import { call } from "./api.js";
import { localTime } from "./local-time.js";

const PAUSE_MS = 1_000;
const AGAIN_MS = 5_000;
const SEND_MS = 15_000;
const KEPT = 200;
const SIGNED_OUT = 401;
// The status of a call that reached nobody.
const OFFLINE = 0;
const TEXTS = ["findings", "steps_taken", "parts_needed", "next_steps"];
const TEXT = {
  saving: "Keeping your draft.",
  saved: (time) => `Draft kept ${time}. Only you see it.`,
  lost: "Your draft is not kept yet. Trying again.",
  offline: "You are offline. Your text stays here; send it when you are back.",
};

class SummaryDraft extends HTMLElement {
  #form = this.querySelector("form");
  #said = this.querySelector("[data-draft]");
  #timer = 0;
  #sent = JSON.stringify(this.#content());
  #leaving = false;
  #asking = false;
  #asked = false;

  connectedCallback() {
    this.#form.addEventListener("input", this.#later);
    this.#form.addEventListener("submit", this.#send);
    this.#watch = new MutationObserver(this.#later);
    this.#watch.observe(this.querySelector("[data-list]"), { childList: true, subtree: true });
    addEventListener("pagehide", this.#flush);
    addEventListener("pageshow", this.#stay);
    addEventListener("online", this.#back);
  }

  disconnectedCallback() {
    this.#watch.disconnect();
    clearTimeout(this.#timer);
    removeEventListener("pagehide", this.#flush);
    removeEventListener("pageshow", this.#stay);
    removeEventListener("online", this.#back);
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

  // The page came back from the browser's memory: the form was not taken along after all.
  #stay = () => {
    this.#leaving = false;
  };

  #back = () => {
    if (this.#said.textContent === TEXT.offline) this.#said.textContent = "";
    this.#later();
  };

  #send = (event) => {
    // The picker may hold the form back until its files have arrived.
    if (event.defaultPrevented) return;
    clearTimeout(this.#timer);
    if (this.#asked || (navigator.onLine && this.#isKept())) {
      this.#leaving = true;
      return;
    }
    event.preventDefault();
    if (!this.#asking) this.#ask(event.submitter);
  };

  async #ask(button) {
    this.#asking = true;
    // A line that swallows everything is none.
    const late = new Promise((resolve) => setTimeout(resolve, SEND_MS, OFFLINE));
    const status = await Promise.race([this.#keep(), late]);
    this.#asking = false;
    if (status === OFFLINE) this.#said.textContent = TEXT.offline;
    // Whatever else was wrong with the draft, the page that answers the form tells beside the text.
    if (status === OFFLINE || status === SIGNED_OUT) return;
    this.#asked = true;
    this.#form.requestSubmit(button);
    this.#asked = false;
  }

  #isKept() {
    return JSON.stringify(this.#content()) === this.#sent;
  }

  /** Keeps the draft if it is a new one, and answers the status of that. Browsers err about being offline: only trying tells. */
  async #keep() {
    if (this.#leaving || (navigator.onLine && this.#isKept())) return KEPT;
    const content = this.#content();
    this.#said.textContent = TEXT.saving;
    try {
      const { status, data } = await call("PUT", this.#address(), content);
      this.#sent = JSON.stringify(content);
      this.#said.textContent = TEXT.saved(localTime(data.updated_at));
      return status;
    } catch (error) {
      const passing = error.status === OFFLINE || error.status === 429 || error.status >= 500;
      const offline = error.status === OFFLINE && !navigator.onLine;
      this.#said.textContent = offline ? TEXT.offline : passing ? TEXT.lost : error.message;
      if (passing) this.#timer = setTimeout(() => this.#keep(), AGAIN_MS);
      return error.status;
    }
  }

  // The page goes away: what was typed in the last second goes with its last breath.
  #flush = () => {
    if (this.#leaving || this.#isKept()) return;
    fetch(this.#address(), {
      method: "PUT",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(this.#content()),
      credentials: "same-origin",
      keepalive: true,
    }).catch(() => {});
  };

  #address() {
    return `/api/sessions/${this.getAttribute("session-id")}/summary/draft`;
  }
}

customElements.define("summary-draft", SummaryDraft);
