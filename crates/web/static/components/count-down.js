// <count-down until now [before]>: the time that is left until an instant, by the server's clock: `now` is what that said
// when this was written, and the steady clock carries it on, whatever the device's own says. Hidden without script, where
// the end itself stands beside it.

import { timeLeft } from "./time-left.js";

const TEXT = { left: (figures) => `${figures} left`, over: "time is up" };
const LOW_SECONDS = 120;

const running = new Set();
let timer = 0;

function tick() {
  for (const one of running) one.show();
}

class CountDown extends HTMLElement {
  static observedAttributes = ["until", "now"];
  #end = 0;

  connectedCallback() {
    this.setAttribute("role", "timer");
    this.#start();
    running.add(this);
    timer ||= setInterval(tick, 500);
  }

  disconnectedCallback() {
    running.delete(this);
    if (running.size > 0) return;
    clearInterval(timer);
    timer = 0;
  }

  attributeChangedCallback() {
    if (this.isConnected) this.#start();
  }

  #start() {
    this.#end = performance.now() + Date.parse(this.getAttribute("until")) - Date.parse(this.getAttribute("now"));
    this.show();
  }

  /** Writes what is left now. */
  show() {
    this.hidden = Number.isNaN(this.#end);
    const seconds = Math.max(0, Math.ceil((this.#end - performance.now()) / 1000));
    const text = `${this.getAttribute("before") ?? ""}${seconds === 0 ? TEXT.over : TEXT.left(timeLeft(seconds))}`;
    if (this.textContent !== text) this.textContent = text;
    this.classList.toggle("is-low", seconds <= LOW_SECONDS);
  }
}

customElements.define("count-down", CountDown);
