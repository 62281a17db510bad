// <request-queue channel="mechanic:…" duty>: open requests, as they come and go.
//
// The personal channel has no log, so every frame and every reconnect reads /api/requests again: what is shown is
// what the server would say now.

import { call } from "./api.js";
import { timeElement } from "./local-time.js";
import { SHOWN_BY_NOTICES, socket } from "./socket.js";

const TEXT = {
  arrived: (count) => (count === 1 ? "A new request" : `${count} new requests`),
  accept: (name) => ` the request of ${name}`,
  decline: (name) => `: ${name}`,
};
const SOUND_KEY = "pitlane:ring";

class RequestQueue extends HTMLElement {
  #leave = () => {};
  #list = this.querySelector("[data-list]");
  #title = document.title;
  #acks = [];
  // What the server's clock said last, and the steady clock then.
  #clock = { said: Date.parse(this.getAttribute("now")), at: performance.now() };
  #reading = null;
  #again = false;

  connectedCallback() {
    const channel = this.getAttribute("channel");
    this.#leave = socket.subscribe(channel, { after: () => 0, frame: (frame) => this.#frame(channel, frame) });
    socket.addEventListener("down", this.#down);
    socket.addEventListener("up", this.#up);
    document.addEventListener("dutychange", this.#duty);
    this.#list.addEventListener("click", (event) => this.#click(event));
    this.#sound();
    this.#count();
  }

  disconnectedCallback() {
    this.#leave();
    socket.removeEventListener("down", this.#down);
    socket.removeEventListener("up", this.#up);
    document.removeEventListener("dutychange", this.#duty);
  }

  #down = () => {
    this.querySelector("[data-connection]").hidden = false;
  };

  #up = () => {
    this.querySelector("[data-connection]").hidden = true;
  };

  #duty = (event) => {
    this.setAttribute("duty", String(event.detail));
    this.#read();
  };

  #frame(channel, frame) {
    if (frame.channel !== channel) return;
    if (frame.now) this.#clock = { said: Date.parse(frame.now), at: performance.now() };
    const shownHere = frame.event_id && !SHOWN_BY_NOTICES.has(frame.type);
    if (shownHere) this.#acks.push({ type: "ack", channel, event_id: frame.event_id });
    if (["joined", "request_offered", "request_withdrawn", "resync"].includes(frame.type)) this.#read();
  }

  /** Reads the offers; a call that comes while one is under way is made once more after it. */
  #read() {
    if (this.#reading) {
      this.#again = true;
      return;
    }
    this.#reading = call("GET", "/api/requests?limit=100")
      .then(({ data }) => this.#show(data.items))
      .catch(() => {})
      .finally(() => {
        this.#reading = null;
        if (this.#again) {
          this.#again = false;
          this.#read();
        }
      });
  }

  #show(items) {
    const wanted = new Set(items.map((item) => item.id));
    for (const card of [...this.#list.children]) {
      // A card that is being answered stays until the answer is there.
      if (!wanted.has(card.dataset.request) && !card.hasAttribute("aria-busy")) card.remove();
    }
    const known = new Set([...this.#list.children].map((card) => card.dataset.request));
    // A device that slept has lost the time meanwhile.
    for (const count of this.#list.querySelectorAll("count-down")) count.setAttribute("now", this.#now());
    const fresh = items.filter((item) => !known.has(item.id));
    for (const item of fresh) this.#list.append(this.#card(item));
    if (fresh.length > 0) {
      this.querySelector("[data-announcer]").textContent = TEXT.arrived(fresh.length);
      this.querySelector("[data-taken]").hidden = true;
      this.#ring();
    }
    for (const ack of this.#acks.splice(0)) socket.send(ack);
    this.#count();
  }

  #card(item) {
    const card = this.querySelector("template[data-request]").content.cloneNode(true).querySelector("li");
    const slot = (name) => card.querySelector(`[data-slot="${name}"]`);
    const { year, make, model } = item.vehicle ?? {};
    card.dataset.request = item.id;
    card.classList.toggle("priority", Boolean(item.priority));
    slot("priority").hidden = !item.priority;
    slot("vehicle").textContent = [year, make, model].filter(Boolean).join(" ");
    slot("concern").textContent = item.concern ?? "";
    slot("customer").textContent = item.customer_name;
    slot("plan").textContent = this.#plan(item.plan);
    slot("expires").hidden = !item.expires_at;
    if (item.expires_at) {
      slot("expires-at").replaceChildren(timeElement(item.expires_at));
      slot("expires-in").setAttribute("now", this.#now());
      slot("expires-in").setAttribute("until", item.expires_at);
    }
    slot("accept-name").textContent = TEXT.accept(item.customer_name);
    slot("decline-name").textContent = TEXT.decline(item.customer_name);
    return card;
  }

  /** The server's clock. */
  #now() {
    return new Date(this.#clock.said + performance.now() - this.#clock.at).toISOString();
  }

  #plan(code) {
    const names = this.querySelector("template[data-plans]").content;
    return names.querySelector(`[data-code="${CSS.escape(code)}"]`)?.textContent ?? code;
  }

  async #click(event) {
    const button = event.target.closest("[data-accept], [data-decline]");
    const card = button?.closest("[data-request]");
    if (!card || card.hasAttribute("aria-busy")) return;
    const accepts = button.matches("[data-accept]");
    const fault = card.querySelector("[data-fault]");
    card.setAttribute("aria-busy", "true");
    for (const each of card.querySelectorAll("button")) each.disabled = true;
    fault.hidden = true;
    try {
      const { data } = await call("POST", `/api/requests/${card.dataset.request}/${accepts ? "accept" : "decline"}`);
      if (accepts) {
        location.assign(`/chat/${data.session_id}`);
        return;
      }
      this.#drop(card);
    } catch (error) {
      if (error.code === "already_taken" || error.status === 404) {
        this.#drop(card);
        this.querySelector("[data-taken]").hidden = false;
        return;
      }
      card.removeAttribute("aria-busy");
      for (const each of card.querySelectorAll("button")) each.disabled = false;
      fault.textContent = error.message;
      fault.hidden = false;
    }
  }

  #drop(card) {
    const next = card.nextElementSibling ?? card.previousElementSibling;
    card.remove();
    next?.querySelector("button")?.focus();
    this.#count();
  }

  #count() {
    const count = this.#list.children.length;
    const onDuty = this.getAttribute("duty") === "true";
    this.querySelector('[data-empty="on"]').hidden = !onDuty || count > 0;
    this.querySelector('[data-empty="off"]').hidden = onDuty;
    document.title = count > 0 ? `(${count}) ${this.#title}` : this.#title;
  }

  #sound() {
    const box = this.querySelector("[data-sound]");
    try {
      box.checked = localStorage.getItem(SOUND_KEY) === "on";
    } catch {
      // Storage may be forbidden; the choice then lasts as long as the page.
    }
    box.addEventListener("change", () => {
      try {
        localStorage.setItem(SOUND_KEY, box.checked ? "on" : "off");
      } catch {
        // As above.
      }
      this.#ring();
    });
  }

  #ring() {
    if (!this.querySelector("[data-sound]").checked) return;
    const audio = new AudioContext();
    [660, 880].forEach((pitch, index) => {
      const tone = audio.createOscillator();
      const volume = audio.createGain();
      const start = audio.currentTime + index * 0.18;
      tone.frequency.value = pitch;
      volume.gain.setValueAtTime(0.15, start);
      volume.gain.exponentialRampToValueAtTime(0.001, start + 0.3);
      tone.connect(volume).connect(audio.destination);
      tone.start(start);
      tone.stop(start + 0.3);
      if (index === 1) tone.onended = () => audio.close();
    });
  }
}

customElements.define("request-queue", RequestQueue);
