// <personal-notices channel="mechanic:…" session-id>: what a mechanic must not miss, on whatever page is open. What was
// shown is acknowledged; what is not acknowledged in time comes by text message and mail.

import { SHOWN_BY_NOTICES, socket } from "./socket.js";

class PersonalNotices extends HTMLElement {
  #leave = () => {};
  #begun = new Set();

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
    if (frame.channel !== channel) return;
    if (frame.type === "session_changed") this.#settle(frame);
    if (!SHOWN_BY_NOTICES.has(frame.type)) return;
    // A hidden tab shows nothing to anybody.
    if (document.visibilityState !== "visible") {
      document.addEventListener("visibilitychange", () => this.#frame(channel, frame), { once: true });
      return;
    }
    // It may have begun while the tab was hidden.
    if (frame.type === "start_nudge" && this.#begun.has(frame.session_id)) return;
    const here = frame.session_id === this.getAttribute("session-id");
    // The session's own room switches to video by itself.
    if (!here || frame.type !== "session_upgraded") this.#show(frame, here);
    socket.send({ type: "ack", channel, event_id: frame.event_id });
  }

  #show(frame, here) {
    const template = this.querySelector(`template[data-for="${frame.type}"]`);
    const notice = template.content.cloneNode(true).querySelector("[data-notice]");
    notice.dataset.notice = `${frame.type}:${frame.session_id}`;
    notice.querySelector("[data-name]").textContent = frame.customer_name;
    const link = notice.querySelector("a");
    link.href = `/chat/${frame.session_id}`;
    if (here) link.remove();
    this.querySelector("[data-list]").append(notice);
  }

  /** Nobody has to be asked any more to begin what has begun or is over. */
  #settle({ session_id: session, status }) {
    if (status === "accepted") return;
    this.#begun.add(session);
    for (const notice of this.querySelectorAll(`[data-notice="start_nudge:${CSS.escape(session)}"]`)) notice.remove();
  }

  #click = (event) => {
    if (event.target.closest("[data-dismiss]")) event.target.closest("[data-notice]").remove();
  };
}

customElements.define("personal-notices", PersonalNotices);
