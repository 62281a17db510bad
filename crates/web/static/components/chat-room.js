// <chat-room>: the live part of a room. The page brings the history; this goes on from its last `seq`.
//
// Everything is shown by `seq` and nothing by time: an event that is next is shown, one that is known is dropped, and
// a hole means that the channel is joined again from the last one known.

import { call } from "./api.js";
import { Attachments } from "./attachments.js";
import { ChatLog } from "./chat-log.js";
import { Composer } from "./composer.js";
import { Outbox } from "./outbox.js";
import { localTime } from "./local-time.js";
import { filesOf, listFiles, openPictures } from "./room-files.js";
import { socket } from "./socket.js";
import { TimeNotice, timeLeft } from "./time-left.js";
import "./live-section.js";
import "./presence-chip.js";
import "./status-badge.js";

const ACK_WITHIN_MS = 10_000;
const TYPING_SHOWN_MS = 6_000;
const BACK_SHOWN_MS = 4_000;
const FIRST_CONNECT_MS = 3_000;
const CLOCK_MOVED_MS = 2_000;
const OVERDUE_ASK_MS = 3_000;
const PAGE = 500;
const CHANGES_SESSION = new Set(["joined", "left", "started", "ended", "extended", "session_upgraded", "payment"]);
const CHANGES_PAID = new Set(["extended", "session_upgraded", "payment"]);
const OVER = new Set(["completed", "cancelled", "expired"]);
const TEXT = {
  unanswered: "No answer from the server.",
  someone: "Somebody",
};

const idsOf = (entry) => (entry.files ?? []).map((file) => file.id);

class ChatRoom extends HTMLElement {
  #id = this.getAttribute("session-id");
  #channel = `session:${this.getAttribute("session-id")}`;
  #viewer = this.getAttribute("viewer-id");
  #other = this.getAttribute("other-id");
  #seq = Number(this.getAttribute("last-seq"));
  #readSent = 0;
  #othersSeq = 0;
  #deadline = this.getAttribute("deadline");
  // The server's clock minus ours.
  #skew = Date.parse(this.getAttribute("now")) - Date.now() || 0;
  // The steady clock minus ours: it changes when somebody sets ours, or the device slept.
  #steady = performance.now() - Date.now();
  #askedAt = 0;
  #names = new Map();
  #online = new Set();
  #waits = new Map();
  #wasLost = false;
  #joining = false;
  #catching = false;
  #typingTimer = 0;
  #backTimer = 0;
  #clock = 0;
  #leave = () => {};

  connectedCallback() {
    this.log = new ChatLog(this, this.#viewer, Number(this.getAttribute("read-seq")), () => this.#read());
    this.outbox = new Outbox(this.#id);
    this.time = new TimeNotice(this);
    for (const entry of this.outbox.entries) this.log.addPending(entry, entry.failed ? "failed" : "kept");
    for (const line of this.querySelectorAll(".line[data-seq]")) {
      if (line.dataset.actor !== this.#viewer) this.#othersSeq = Number(line.dataset.seq);
    }
    const form = this.querySelector("[data-composer]");
    if (form) {
      this.composer = new Composer(form, this.#id, Number(this.getAttribute("message-max-bytes")), {
        say: (text, files) => this.#say(text, files),
        typing: () => socket.send({ type: "typing", channel: this.#channel }),
        fault: (message) => this.#fault(message),
      }, new Attachments(this, Number(this.getAttribute("max-file-bytes"))));
    }
    openPictures(this);
    this.addEventListener("click", this.#click);
    socket.addEventListener("up", this.#up);
    socket.addEventListener("down", this.#down);
    document.addEventListener("visibilitychange", this.#read);
    addEventListener("focus", this.#read);
    this.#leave = socket.subscribe(this.#channel, { after: () => this.#seq, frame: (frame) => this.#frame(frame) });
    this.#clock = setInterval(() => this.#tock(), 500);
    setTimeout(() => !socket.connected && this.#down(), FIRST_CONNECT_MS);
    this.#tock();
  }

  disconnectedCallback() {
    this.#leave();
    clearInterval(this.#clock);
    this.removeEventListener("click", this.#click);
    socket.removeEventListener("up", this.#up);
    socket.removeEventListener("down", this.#down);
    document.removeEventListener("visibilitychange", this.#read);
    removeEventListener("focus", this.#read);
  }

  // ---- what the server says ----

  #frame(frame) {
    switch (frame.type) {
      case "joined":
        this.#joined(frame);
        break;
      case "event":
        this.#apply(frame.event, true);
        break;
      case "ack":
        this.#acknowledged(frame.client_ref);
        break;
      case "tick":
        if (frame.last_seq > this.#seq) this.#rejoin();
        break;
      case "resync":
        this.#joining = false;
        this.#catchUp().then(() => this.#rejoin());
        break;
      case "presence":
        this.#present(frame.participant, frame.online);
        break;
      case "typing":
        if (frame.user_id !== this.#viewer) this.#typing(true);
        break;
      case "read":
        if (frame.user_id === this.#other) this.log.setRead(frame.seq);
        break;
      case "error":
        this.#refused(frame);
        break;
    }
  }

  #joined(frame) {
    this.#joining = false;
    this.#skew = Date.parse(frame.now) - Date.now();
    for (const person of frame.participants) {
      this.#names.set(person.id, person.name);
      if (person.online) this.#online.add(person.id);
      else this.#online.delete(person.id);
      if (this.#isOther(person)) {
        this.#meet(person);
        this.log.setRead(person.last_read_seq);
      }
    }
    for (const event of frame.events) this.#apply(event, false);
    this.#presence();
    this.#flush();
    this.#read();
    if (this.#wasLost) this.#refresh();
    this.#wasLost = false;
  }

  #isOther(person) {
    const role = this.getAttribute("viewer-role") === "mechanic" ? "customer" : "mechanic";
    return person.role === role;
  }

  #apply(event, live) {
    if (event.seq <= this.#seq) return;
    if (event.seq > this.#seq + 1) {
      this.#rejoin();
      return;
    }
    this.#seq = event.seq;
    // A chat does without what video needs until it becomes one.
    if (event.kind === "session_upgraded" && this.querySelector("video-room")) import("./video-room.js");
    if (live) this.#skew = Date.parse(event.created_at) - Date.now();
    const own = event.actor?.id === this.#viewer;
    const ref = own && event.kind === "message" ? event.body?.client_ref : null;
    if (ref) this.#settle(ref);
    listFiles(this, filesOf(event));
    if (!own && (event.kind === "message" || event.kind === "file")) {
      this.#othersSeq = event.seq;
      this.#typing(false);
    }
    if (event.actor?.id && event.actor.name) this.#names.set(event.actor.id, event.actor.name);
    const subject = event.body?.user_id ?? event.actor?.id;
    const name = this.#names.get(subject) ?? event.actor?.name ?? TEXT.someone;
    // Whoever was added may be unknown until the session has been read again.
    const named = event.kind !== "joined" || this.#names.has(subject);
    if (named) this.log.append(event, name);
    else this.#refresh().then(() => this.log.append(event, this.#names.get(subject) ?? TEXT.someone));
    if (event.body?.deadline_at && event.kind !== "message") this.#deadline = event.body.deadline_at;
    if (event.kind === "extended") this.#lengthen(event.body?.minutes ?? 0);
    if (event.kind === "started") this.#status("in_progress");
    if (event.kind === "ended") this.#over(event.body);
    if (live && named && CHANGES_SESSION.has(event.kind)) this.#refresh();
    if (live && CHANGES_PAID.has(event.kind)) this.querySelector("live-section").renew();
    if (live) this.#read();
  }

  #refused(frame) {
    const ref = frame.client_ref ?? (this.outbox.find(frame.ref) ? frame.ref : null);
    if (ref && this.outbox.find(ref)) {
      clearTimeout(this.#waits.get(ref));
      this.outbox.mark(ref, frame.message || TEXT.unanswered);
      this.log.setPending(ref, "failed", frame.message || TEXT.unanswered);
      if (frame.code === "session_closed") this.#refresh();
      return;
    }
    if (frame.channel === this.#channel && this.#joining) {
      this.#joining = false;
      this.#refresh();
    }
  }

  #rejoin() {
    if (this.#joining) return;
    this.#joining = true;
    socket.join(this.#channel);
    // An answer that never comes must not block the next try.
    setTimeout(() => {
      this.#joining = false;
    }, 5_000);
  }

  /** Reads the log by REST: for a client that is too far behind, and while the socket can't be had. */
  async #catchUp() {
    if (this.#catching) return;
    this.#catching = true;
    try {
      for (;;) {
        const { data } = await call("GET", `/api/sessions/${this.#id}/events?after_seq=${this.#seq}&limit=${PAGE}`);
        for (const event of data.items) this.#apply(event, false);
        if (data.items.length === 0 || this.#seq >= data.last_seq) break;
      }
    } catch {
      // The next attempt to connect comes by itself.
    } finally {
      this.#catching = false;
    }
  }

  /** Reads the session: its state, its time, its mechanic. */
  async #refresh() {
    try {
      const { data } = await call("GET", `/api/sessions/${this.#id}`);
      this.#deadline = data.deadline_at;
      this.#status(data.status);
      for (const person of [data.customer, data.mechanic]) if (person) this.#names.set(person.id, person.name);
      const other = this.getAttribute("viewer-role") === "mechanic" ? data.customer : data.mechanic;
      if (other) this.#meet(other);
      this.#presence();
    } catch (error) {
      if (error.status === 401) this.#connection("signed-out");
      if (error.status === 403 || error.status === 404) this.#connection("removed");
    }
  }

  // ---- who is there ----

  #meet(person) {
    if (!person.name || (this.#other === person.id && this.#met)) return;
    this.#met = true;
    this.#other = person.id;
    this.setAttribute("other-id", person.id);
    const words = person.name.trim().split(/\s+/);
    const initials = words.length > 1 ? words[0][0] + words.at(-1)[0] : words[0][0];
    this.querySelector("[data-heading]").textContent = person.name;
    this.querySelector("[data-other-name]").textContent = person.name;
    this.querySelector("[data-initials]").textContent = initials.toUpperCase();
  }

  #met = false;

  #present(id, online) {
    if (online) this.#online.add(id);
    else this.#online.delete(id);
    if (!online && id === this.#other) this.#typing(false);
    // Somebody whom no line of the log has brought in.
    if (online && !this.#other && id !== this.#viewer) this.#refresh();
    this.#presence();
  }

  #presence() {
    const over = OVER.has(this.getAttribute("status"));
    const here = !over && this.#online.has(this.#other);
    const state = over ? "over" : !this.#other ? "waiting" : here ? "connected" : "assigned";
    this.querySelector("presence-chip").setAttribute("state", state);
    this.querySelector("[data-dot]").classList.toggle("dot-off", !here);
  }

  #typing(on) {
    clearTimeout(this.#typingTimer);
    this.log.setTyping(on);
    if (on) this.#typingTimer = setTimeout(() => this.log.setTyping(false), TYPING_SHOWN_MS);
  }

  #read = () => {
    if (document.visibilityState !== "visible" || !this.log.atEnd()) return;
    if (this.#othersSeq <= this.#readSent || this.getAttribute("viewer-role") === "observer") return;
    if (socket.send({ type: "read", channel: this.#channel, seq: this.#othersSeq })) this.#readSent = this.#othersSeq;
  };

  // ---- what the viewer does ----

  #say(text, files) {
    const entry = this.outbox.add(text, files);
    this.log.addPending(entry, socket.connected ? "sending" : "kept");
    this.#send(entry);
  }

  #send(entry) {
    const { client_ref, text } = entry;
    const file_ids = idsOf(entry);
    if (!socket.send({ type: "send", channel: this.#channel, client_ref, text, file_ids })) {
      this.log.setPending(client_ref, "kept");
      return;
    }
    this.log.setPending(client_ref, "sending");
    clearTimeout(this.#waits.get(client_ref));
    this.#waits.set(
      client_ref,
      setTimeout(() => {
        if (!socket.connected || !this.outbox.find(client_ref)) return;
        this.outbox.mark(client_ref, TEXT.unanswered);
        this.log.setPending(client_ref, "failed", TEXT.unanswered);
      }, ACK_WITHIN_MS),
    );
  }

  /** Sends again what was never confirmed; the server knows the references and takes each once. */
  #flush() {
    for (const entry of this.outbox.entries) if (!entry.failed) this.#send(entry);
  }

  async #flushByRest() {
    for (const entry of this.outbox.entries) {
      const { client_ref, text, failed } = entry;
      if (failed || socket.connected) continue;
      try {
        const { data } = await call("POST", `/api/sessions/${this.#id}/messages`, { client_ref, text, file_ids: idsOf(entry) });
        this.#apply(data, false);
        this.#acknowledged(client_ref);
      } catch (error) {
        if (error.status < 400 || error.status >= 500) return;
        this.outbox.mark(client_ref, error.message);
        this.log.setPending(client_ref, "failed", error.message);
      }
    }
  }

  // The server has it. Its line comes with the event, by `seq`; until then the pending one stands for it.
  #acknowledged(ref) {
    clearTimeout(this.#waits.get(ref));
    this.#waits.delete(ref);
    if (this.outbox.remove(ref)) this.log.setPending(ref, "sent");
  }

  #settle(ref) {
    this.#acknowledged(ref);
    this.log.removePending(ref);
  }

  #click = (event) => {
    const target = event.target instanceof Element ? event.target.closest("button") : null;
    if (!target) return;
    if (target.matches("[data-react]")) this.log.togglePicker(target);
    else if (target.matches("[data-emoji]")) this.#react(target);
    else if (target.matches("[data-retry]")) this.#retry(target.closest("[data-ref]").dataset.ref);
    else if (target.matches("[data-open]")) this.querySelector(`[data-dialog="${target.dataset.open}"]`).showModal();
    else if (target.matches("[data-close]")) target.closest("dialog").close();
    else if (target.matches("[data-action]")) this.#act(target);
  };

  #react(button) {
    const line = button.closest(".line");
    const { emoji } = button.dataset;
    const chosen = [...line.querySelectorAll("[data-reactions] > button")].find((each) => each.dataset.emoji === emoji);
    const on = chosen?.getAttribute("aria-pressed") !== "true";
    socket.send({ type: "react", channel: this.#channel, seq: Number(line.dataset.seq), emoji, on });
    const picker = button.closest(".picker");
    if (picker) this.log.closePicker(picker);
  }

  #retry(ref) {
    this.outbox.mark(ref, null);
    const entry = this.outbox.find(ref);
    if (entry) this.#send(entry);
  }

  async #act(button) {
    const { action } = button.dataset;
    this.#fault("");
    button.disabled = true;
    try {
      const { data } = await call("POST", `/api/sessions/${this.#id}/${action}`);
      if (data?.deadline_at) this.#deadline = data.deadline_at;
      if (data?.status) this.#status(data.status);
      // On a phone the details lie over the room; what follows stands there.
      if (location.hash.slice(1) === "details") location.hash = "main";
    } catch (error) {
      this.#fault(error.message);
      this.#refresh();
    } finally {
      button.disabled = false;
      button.closest("dialog")?.close();
    }
  }

  #fault(message) {
    const banner = this.querySelector("[data-action-error]");
    banner.querySelector("[data-message]").textContent = message;
    banner.hidden = message === "";
  }

  // ---- where the session stands ----

  #status(status) {
    if (this.getAttribute("status") === status) return;
    this.setAttribute("status", status);
    for (const part of this.querySelectorAll("[data-for]")) part.hidden = !part.dataset.for.split(" ").includes(status);
    this.querySelector("status-badge").setAttribute("status", status);
    this.#presence();
    if (OVER.has(status)) {
      for (const dialog of this.querySelectorAll("dialog[open]")) dialog.close();
      this.#typing(false);
    }
    this.#tock();
    this.log.toEnd();
  }

  #over(body) {
    const texts = this.querySelector("template[data-ends]").content;
    const text = texts.querySelector(`[data-end="${CSS.escape(body?.end_reason ?? "")}"]`)?.textContent;
    if (text) for (const place of this.querySelectorAll("[data-end-text]")) place.textContent = text;
    this.#status(body?.status ?? "completed");
    if (body?.end_reason === "time_limit") this.time.over();
  }

  #lengthen(minutes) {
    this.setAttribute("duration-seconds", Number(this.getAttribute("duration-seconds")) + minutes * 60);
  }

  #tock() {
    const steady = performance.now() - Date.now();
    if (Math.abs(steady - this.#steady) > CLOCK_MOVED_MS) this.#rejoin();
    this.#steady = steady;
    const timer = this.querySelector("[data-timer]");
    const progress = this.querySelector("[data-progress]");
    const running = this.getAttribute("status") === "in_progress" && this.#deadline;
    timer.hidden = !running;
    progress.hidden = !running;
    if (!running) {
      this.time.hide();
      return;
    }
    const left = Math.max(0, Math.ceil((Date.parse(this.#deadline) - Date.now() - this.#skew) / 1000));
    const text = timeLeft(left);
    const place = timer.querySelector("[data-left]");
    if (place.textContent !== text) place.textContent = text;
    const low = left <= Number(this.getAttribute("warning-seconds"));
    timer.classList.toggle("is-low", low);
    if (low) this.time.show(left, this.#deadline);
    else this.time.hide();
    if (left === 0) this.#overdue();
    const until = timer.querySelector("[data-until]");
    const end = localTime(this.#deadline);
    if (until.textContent !== end) until.textContent = end;
    progress.max = Math.max(Number(this.getAttribute("duration-seconds")), left, 1);
    progress.value = left;
  }

  /** The time is up and nobody has said so: the line may be broken without a sign. */
  #overdue() {
    if (performance.now() - this.#askedAt < OVERDUE_ASK_MS) return;
    this.#askedAt = performance.now();
    this.#refresh();
  }

  // ---- the line ----

  #up = () => {
    clearTimeout(this.#backTimer);
    this.#connection(this.#wasLost ? "back" : null);
    if (this.#wasLost) this.#backTimer = setTimeout(() => this.#connection(null), BACK_SHOWN_MS);
  };

  #down = () => {
    clearTimeout(this.#backTimer);
    this.#wasLost = true;
    this.#joining = false;
    this.#online.clear();
    this.#typing(false);
    this.#connection("lost");
    for (const { client_ref, failed } of this.outbox.entries) if (!failed) this.log.setPending(client_ref, "kept");
    if (socket.attempts < 2) return;
    // HTTP may work where sockets don't, and a refused sign-in shows only here.
    this.#refresh().then(async () => {
      await this.#catchUp();
      await this.#flushByRest();
    });
  };

  #connection(state) {
    // Being signed out or removed explains the lost line; "trying again" would not be true.
    const barred = this.querySelector('[data-when="signed-out"]:not([hidden]), [data-when="removed"]:not([hidden])');
    if (barred && state === "lost") return;
    for (const part of this.querySelectorAll("[data-connection] [data-when]")) part.hidden = part.dataset.when !== state;
    this.toggleAttribute("offline", state === "lost");
  }
}

customElements.define("chat-room", ChatRoom);
