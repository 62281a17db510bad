// <personal-notices channel="mechanic:…" session-id>: what a mechanic must not miss, on whatever page is open. What was
// shown is acknowledged; what is not acknowledged in time comes by text message and mail.

import { socket } from "./socket.js";

class PersonalNotices extends HTMLElement {
  #leave = () => {};

  connectedCallback() {
    const channel = this.getAttribute("channel");
    this.#leave = socket.subscribe(channel, { after: () => 0, frame: (frame) => this.#frame(channel, frame) });
    this.addEventListener("click", this.#click);
  }

  disconnectedCallback() {
    this.#leave();
    this.removeEventListener("click", this.#click);
  }

  #frame(channel, frame) {
    if (frame.channel !== channel || frame.type !== "session_upgraded") return;
    // A hidden tab shows nothing to anybody.
    if (document.visibilityState !== "visible") {
      document.addEventListener("visibilitychange", () => this.#frame(channel, frame), { once: true });
      return;
    }
    // The session's own room switches by itself.
    if (frame.session_id !== this.getAttribute("session-id")) this.#show(frame);
    socket.send({ type: "ack", channel, event_id: frame.event_id });
  }

  #show(frame) {
    const notice = this.querySelector("template").content.cloneNode(true).querySelector("[data-notice]");
    notice.querySelector("[data-name]").textContent = frame.customer_name;
    notice.querySelector("a").href = `/chat/${frame.session_id}`;
    this.querySelector("[data-list]").append(notice);
  }

  #click = (event) => {
    if (event.target.closest("[data-dismiss]")) event.target.closest("[data-notice]").remove();
  };
}

customElements.define("personal-notices", PersonalNotices);
