// Tells the server when the two sides see and hear each other, and when no more: money goes back when video never came.
// The last state is told until it has arrived.

import { call } from "./api.js";

const AGAIN_MS = 3_000;

/** Follows a <video-room>. */
export class Report {
  #path;
  #id = null;
  #told = "disconnected";
  #wanted = "disconnected";
  #busy = false;

  constructor(room) {
    this.#path = `/api/sessions/${room.getAttribute("session-id")}/media`;
    room.addEventListener("call", ({ detail }) => {
      this.#wanted = detail.state === "live" ? "connected" : "disconnected";
      // The end of a connection is told under the name that it had.
      if (detail.state === "live") this.#id = detail.id;
      this.#tell();
    });
    addEventListener("pagehide", () => {
      if (this.#told === "disconnected" && !this.#busy) return;
      const body = JSON.stringify({ state: "disconnected", connection_id: this.#id });
      fetch(this.#path, { method: "POST", keepalive: true, headers: { "Content-Type": "application/json" }, body }).catch(() => {});
      this.#told = "disconnected";
    });
  }

  async #tell() {
    if (this.#busy || this.#told === this.#wanted) return;
    this.#busy = true;
    const state = this.#wanted;
    try {
      await call("POST", this.#path, { state, connection_id: this.#id });
      this.#told = state;
    } catch (error) {
      // Refused is an answer as well: the session has ended, or the person is out of it.
      if (error.status >= 400 && error.status < 500 && error.status !== 429) this.#told = state;
      else setTimeout(() => this.#tell(), AGAIN_MS);
    } finally {
      this.#busy = false;
    }
    if (this.#told === state) this.#tell();
  }
}
