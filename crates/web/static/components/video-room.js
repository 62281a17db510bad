// <video-room>: the video pane of a room. It stands inside <chat-room>, whose status and other side it follows, and
// appears when a chat becomes video. The page brings every word; here is only which of them is shown.

import { call as request } from "./api.js";
import { socket } from "./socket.js";
import { Call } from "./video-call.js";
import { Controls } from "./video-controls.js";
import { Blocked, Devices } from "./video-devices.js";
import { Report } from "./video-report.js";
import { Still } from "./video-still.js";
import "./connection-quality.js";
import "./device-check.js";

const EARLY = new Set(["requested", "scheduled"]);
const OVER = new Set(["completed", "cancelled", "expired"]);
const RENEW_BEFORE_MS = 60_000;
// So many bad measurements in a row, and the picture gives way to the sound.
const POOR_IN_A_ROW = 5;

class VideoRoom extends HTMLElement {
  #id = this.getAttribute("session-id");
  #viewer = this.getAttribute("viewer-id");
  #channel = `session:${this.getAttribute("session-id")}`;
  #seq = Number(this.getAttribute("last-seq"));
  #room = this.closest("chat-room");
  #pass = null;
  #renewing = 0;
  #call = null;
  #devices = null;
  // What is said while nobody is in the call from here.
  #outside = "ready";
  // How one enters: as one was before the page was loaded again, or as in a try that failed.
  #choice = this.#kept();
  #entering = false;
  #isChecked = this.#wasChecked();
  #poor = 0;
  // Who opens a room after its end has nothing to see.
  #late = OVER.has(this.#room.getAttribute("status"));
  #lock = null;
  #leave = () => {};
  #watcher = null;

  connectedCallback() {
    this.#leave = socket.subscribe(this.#channel, { after: () => this.#seq, frame: (frame) => this.#frame(frame) });
    this.#watcher = new MutationObserver(() => this.#show());
    this.#watcher.observe(this.#room, { attributeFilter: ["status", "other-id"] });
    this.addEventListener("click", this.#click);
    for (const name of ["online", "pageshow", "pagehide"]) addEventListener(name, this);
    navigator.connection?.addEventListener?.("change", this);
    document.addEventListener("visibilitychange", this);
    this.still = new Still(this.querySelector('[data-dialog="still"]'), this.#id);
    this.controls = new Controls(this, (choice) => this.#keep(choice));
    this.report = new Report(this);
    this.quality.addEventListener("quality", ({ detail }) => this.#judge(detail.level));
    this.#check.addEventListener("checked", () => this.#noteCheck());
    this.#check.closest("dialog").addEventListener("close", () => this.#refocus());
    this.#show();
    if (this.#choice) this.#enter();
  }

  disconnectedCallback() {
    this.#leave();
    this.#watcher.disconnect();
    this.removeEventListener("click", this.#click);
    for (const name of ["online", "pageshow", "pagehide"]) removeEventListener(name, this);
    navigator.connection?.removeEventListener?.("change", this);
    document.removeEventListener("visibilitychange", this);
    this.#part("left");
  }

  get quality() {
    return this.querySelector("connection-quality");
  }

  get #check() {
    return this.querySelector("device-check");
  }

  get #status() {
    return this.#room.getAttribute("status");
  }

  get #other() {
    return this.#room.getAttribute("other-id");
  }

  get #open() {
    return this.hasAttribute("paid") && !EARLY.has(this.#status) && !OVER.has(this.#status);
  }

  // ---- what the server and the browser say ----

  #frame(frame) {
    if (frame.type === "signal") {
      if (frame.from === this.#viewer) this.#call?.hear(frame.data, true);
      else if (frame.from === this.#other) this.#call?.hear(frame.data, false);
    } else if (frame.type === "joined") {
      this.#seq = Math.max(this.#seq, frame.last_seq);
      for (const event of frame.events) this.#event(event);
      this.#call?.resume();
    } else if (frame.type === "event") {
      this.#seq = Math.max(this.#seq, frame.event.seq);
      this.#event(frame.event);
    }
  }

  #event({ kind }) {
    if (kind !== "session_upgraded" || this.hasAttribute("paid")) return;
    this.toggleAttribute("paid", true);
    this.#outside = "upgraded";
    this.#show();
  }

  handleEvent({ type, persisted }) {
    if (type === "pagehide") {
      this.#call?.leave();
    } else if (type === "pageshow") {
      // Back from the browser's own store: what was open there is closed.
      if (persisted && this.#call) {
        this.#choice = this.#kept();
        this.#part("ready");
        this.#enter();
      }
    } else if (type === "visibilitychange") {
      if (document.visibilityState === "visible") this.#stayAwake();
    } else {
      this.#call?.restart();
    }
  }

  #click = (event) => {
    const button = event.target instanceof Element ? event.target.closest("[data-do], [data-open=check]") : null;
    // The room opens the dialog; who opens it wants to see, and is asked for permission now if at all.
    if (button?.dataset.open === "check") this.#check.begin();
    switch (button?.dataset.do) {
      case "enter":
        this.#enter().then(() => this.#refocus());
        break;
      case "enter-sound":
        this.#enter({ camera: false }).then(() => this.#refocus());
        break;
      case "enter-watch":
        this.#enter({ camera: false, watching: true }).then(() => this.#refocus());
        break;
      case "leave":
        this.#part("left");
        this.#refocus();
        break;
      case "still":
        this.still.freeze(this.controls.remote);
        break;
      case "loud":
        this.controls.loud();
        break;
    }
  };

  // ---- in and out ----

  async #enter(how) {
    if (!this.#open || this.#call || this.#entering) return;
    this.#entering = true;
    const choice = { camera: true, muted: false, soundOnly: null, watching: false, ...this.#choice, ...how };
    const picture = choice.camera && !choice.soundOnly;
    // What the check has open is what was chosen there, and needs no second asking.
    const checked = this.#check.take();
    for (const dialog of this.querySelectorAll("dialog[open]")) dialog.close();
    this.#show();
    const facing = this.getAttribute("viewer-role") === "customer" ? "environment" : "user";
    const devices = checked ?? new Devices(facing);
    devices.mute(choice.muted);
    try {
      if (checked && !picture) devices.closeCamera();
      if (!checked && !choice.watching) await devices.open({ picture });
      await this.#renew();
      if (!this.#open) throw new Blocked("ready");
      this.#begin(devices, choice);
    } catch (error) {
      devices.close();
      this.#choice = choice;
      this.#outside = error instanceof Blocked ? error.why : "error";
      this.querySelector("[data-error]").textContent = error instanceof Blocked ? "" : error.message;
      if (this.#outside !== "error") this.#keep(null);
    } finally {
      this.#entering = false;
      this.#show();
    }
  }

  #begin(devices, choice) {
    const send = (to) => (data) => socket.send({ type: "signal", channel: this.#channel, to: to(), data, ref: "call" });
    const call = new Call({
      polite: this.getAttribute("viewer-role") === "customer",
      send: send(() => this.#other),
      sendSelf: send(() => this.#viewer),
      servers: () => this.#pass.ice_servers,
    });
    this.#call = call;
    this.#devices = devices;
    call.addEventListener("state", () => this.#show());
    call.addEventListener("replaced", () => this.#part("elsewhere"));
    this.controls.follow(call, devices, choice);
    call.enter();
    this.#choice = null;
    this.#stayAwake();
  }

  /** Lets go of the camera and of the other side; `why` is what is said then. */
  #part(why) {
    this.#outside = why;
    this.#keep(null);
    clearTimeout(this.#renewing);
    const call = this.#call;
    this.#call = null;
    this.controls.follow(null, null);
    this.quality.watch(null);
    call?.leave(why !== "elsewhere");
    this.#devices?.close();
    this.#devices = null;
    this.#lock?.release().catch(() => {});
    this.#lock = null;
    this.#show();
  }

  /** Gets a pass, and a new one before it ends: a call may last longer than its passwords. */
  async #renew() {
    const { data } = await request("POST", `/api/sessions/${this.#id}/video-token`);
    this.#pass = data;
    clearTimeout(this.#renewing);
    const left = Date.parse(data.expires_at) - Date.now() - RENEW_BEFORE_MS;
    const later = () => this.#renew().catch(() => (this.#renewing = setTimeout(later, RENEW_BEFORE_MS / 4)));
    this.#renewing = setTimeout(later, Math.max(left, RENEW_BEFORE_MS));
  }

  // A page that is loaded again goes on where it was and as it was, muted or dark; a tab that was closed doesn't.
  #keep(choice) {
    try {
      if (choice) sessionStorage.setItem(this.#key("call"), JSON.stringify(choice));
      else sessionStorage.removeItem(this.#key("call"));
    } catch {
      // Storage may be forbidden; then one joins again by hand.
    }
  }

  // Whoever signs in next in this tab has chosen nothing yet.
  #key(what) {
    return `pitlane:${what}:${this.#id}:${this.#viewer}`;
  }

  #kept() {
    try {
      return JSON.parse(sessionStorage.getItem(this.#key("call")));
    } catch {
      return null;
    }
  }

  // Who has seen their own picture for this session need not look again.
  #noteCheck() {
    this.#isChecked = true;
    try {
      sessionStorage.setItem(this.#key("checked"), "1");
    } catch {
      // Storage may be forbidden; then the page remembers it.
    }
    this.#show();
  }

  #wasChecked() {
    try {
      return sessionStorage.getItem(this.#key("checked")) !== null;
    } catch {
      return false;
    }
  }

  async #stayAwake() {
    if (!this.#call || document.visibilityState !== "visible") return;
    this.#lock = await navigator.wakeLock?.request("screen").catch(() => null);
  }

  // ---- what is shown ----

  #judge(level) {
    this.#poor = level === "poor" ? this.#poor + 1 : 0;
    if (this.#poor < POOR_IN_A_ROW) return;
    this.#poor = 0;
    this.controls.soundOnly(true, "poor");
  }

  #state() {
    if (OVER.has(this.#status)) return "over";
    if (EARLY.has(this.#status)) return "early";
    if (this.#entering) return "asking";
    if (this.#call) return this.#call.state;
    // Who booked video looks at their own picture first. Who became video amid a chat is waited for.
    return this.#outside === "ready" && this.hasAttribute("booked") && !this.#isChecked ? "unchecked" : this.#outside;
  }

  // What was pressed is gone once it has done its work; who goes by keyboard goes on with what stands in its place.
  #refocus() {
    const at = document.activeElement;
    if (at && at !== document.body && at.offsetParent !== null) return;
    const next = [...this.querySelectorAll(".stage-word button, .stage-controls button")];
    next.find((one) => one.offsetParent !== null)?.focus();
  }

  #show() {
    this.hidden = this.#late || !this.hasAttribute("paid");
    if (this.hidden) return;
    if (this.#call && OVER.has(this.#status)) {
      this.#part("over");
      return;
    }
    const state = this.#state();
    const inside = this.#call !== null;
    this.setAttribute("state", state);
    this.toggleAttribute("in-call", inside);
    if (this.#other) {
      const name = this.#room.querySelector("[data-heading]").textContent;
      for (const place of this.querySelectorAll("[data-name]")) place.textContent = name;
    }
    for (const part of this.querySelectorAll("[data-word]")) part.hidden = !part.dataset.word.split(" ").includes(state);
    for (const part of this.querySelectorAll("[data-inside]")) part.hidden = !inside;
    this.quality.watch(state === "live" ? this.#call.pc : null);
    this.dispatchEvent(new CustomEvent("call", { detail: { state: inside ? state : "out", id: this.#call?.id } }));
  }
}

customElements.define("video-room", VideoRoom);
