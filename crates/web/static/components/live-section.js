// <live-section id [channel] [every]>: a part of a page that reads itself again when its channel says that something
// happened, after a reconnect, and every `every` seconds; without a channel only when it is told to. The server renders
// it, so its text exists once.

import { SHOWN_BY_NOTICES, socket } from "./socket.js";

const SETTLE_MS = 150;
const QUIET = new Set(["tick", "typing", "read", "pong", "ack", "error", "left"]);

/** Where a link leads, or what a button's form is sent to: by that it is found again. */
function target(element) {
  return element.getAttribute("href") ?? element.closest("form")?.getAttribute("action");
}

export class LiveSection extends HTMLElement {
  #leave = () => {};
  #settle = 0;
  #every = 0;
  #seq = 0;
  #shown = [];

  connectedCallback() {
    const channel = this.getAttribute("channel");
    if (channel) {
      this.#leave = socket.subscribe(channel, {
        after: () => this.#seq,
        frame: (frame) => this.#frame(channel, frame),
      });
    }
    const seconds = Number(this.getAttribute("every"));
    if (seconds > 0) this.#every = setInterval(() => this.renew(), seconds * 1000);
  }

  disconnectedCallback() {
    this.#leave();
    clearInterval(this.#every);
    clearTimeout(this.#settle);
  }

  #frame(channel, frame) {
    if (QUIET.has(frame.type)) return;
    if (frame.last_seq > this.#seq) this.#seq = frame.last_seq;
    if (frame.event?.seq > this.#seq) this.#seq = frame.event.seq;
    const shownHere = frame.event_id && !SHOWN_BY_NOTICES.has(frame.type);
    if (shownHere) this.#shown.push({ type: "ack", channel, event_id: frame.event_id });
    clearTimeout(this.#settle);
    this.#settle = setTimeout(() => this.renew(), SETTLE_MS);
  }

  /** Reads the page again and takes over its own part. Never under the hands of somebody who is typing. */
  async renew() {
    const active = document.activeElement;
    if (document.visibilityState === "hidden" && this.#every) return;
    if (this.contains(active) && active.matches("input, textarea, select")) return;
    const response = await fetch(location.href, { headers: { Accept: "text/html" }, cache: "no-store" }).catch(() => null);
    if (!response?.ok || response.redirected) return;
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    const fresh = page.getElementById(this.id);
    // The page has no such part any more: whoever waited for an approval has got it.
    if (!fresh) {
      location.reload();
      return;
    }
    const focused = this.contains(active) ? target(active) : null;
    this.replaceChildren(...document.importNode(fresh, true).childNodes);
    if (focused) [...this.querySelectorAll("a, form button")].find((one) => target(one) === focused)?.focus();
    for (const ack of this.#shown.splice(0)) socket.send(ack);
  }
}

customElements.define("live-section", LiveSection);
