// The list of messages in a room: what stands where, what state it is in, and where the reader is in it.

import { timeElement } from "./local-time.js";
import { money } from "./money.js";
import { filesOf, showFiles } from "./room-files.js";

const NEAR_END_PX = 96;
const ANNOUNCED = 5;
const TEXT = {
  one: "1 new message",
  many: (count) => `${count} new messages`,
  files: (files) => files.map((file) => file.name).join(", "),
  erased: "This message has been erased.",
};

export class ChatLog {
  #room;
  #viewer;
  #scroller;
  #lines;
  #outbox;
  #pill;
  #announcer;
  #unseen = 0;
  #readSeq = 0;

  /** `reached` is called when the reader comes to the end. */
  constructor(room, viewer, readSeq, reached) {
    this.#room = room;
    this.#viewer = viewer;
    this.#readSeq = readSeq;
    this.#scroller = room.querySelector("[data-log]");
    this.#lines = room.querySelector("[data-lines]");
    this.#outbox = room.querySelector("[data-outbox]");
    this.#pill = room.querySelector("[data-new]");
    this.#announcer = room.querySelector("[data-announcer]");
    this.#pill.addEventListener("click", () => {
      this.toEnd();
      this.#scroller.focus();
    });
    this.#scroller.addEventListener(
      "scroll",
      () => {
        if (!this.atEnd()) return;
        this.#seen();
        reached();
      },
      { passive: true },
    );
    // A keyboard that opens on a phone makes the log shorter; the end stays in view.
    let wasAtEnd = true;
    this.#scroller.addEventListener("scroll", () => (wasAtEnd = this.atEnd()), { passive: true });
    new ResizeObserver(() => wasAtEnd && this.toEnd()).observe(this.#scroller);
    this.toEnd();
  }

  /** Whether the last message is in view. */
  atEnd() {
    const { scrollHeight, scrollTop, clientHeight } = this.#scroller;
    return scrollHeight - scrollTop - clientHeight < NEAR_END_PX;
  }

  toEnd() {
    this.#scroller.scrollTop = this.#scroller.scrollHeight;
    this.#seen();
  }

  /** Adds an event that has its place and is new to the reader. `name` is the name to show. */
  append(event, name) {
    if (event.kind === "reaction") {
      this.#react(event);
      return;
    }
    const stay = this.atEnd();
    const own = event.actor?.id === this.#viewer;
    const isSaid = event.kind === "message" || filesOf(event).length > 0;
    const line = isSaid ? this.#message(event, name, own) : this.#note(event, name);
    if (!line) return;
    this.#lines.append(line);
    if (stay || own) {
      this.toEnd();
    } else if (isSaid) {
      this.#unseen += 1;
      this.#pill.hidden = false;
      this.#pill.querySelector("[data-new-text]").textContent = this.#unseen === 1 ? TEXT.one : TEXT.many(this.#unseen);
    }
    if (isSaid && !own) this.#announce(`${name}: ${event.body?.text ?? ""} ${TEXT.files(filesOf(event))}`.trim());
  }

  /** Adds a message that has no place yet. */
  addPending(entry, state) {
    const line = this.#blank(true);
    line.dataset.ref = entry.client_ref;
    line.querySelector("[data-text]").textContent = entry.text;
    line.querySelector("[data-time]").replaceChildren(timeElement(entry.created_at));
    line.querySelector("[data-react]").remove();
    showFiles(this.#room, line.querySelector("[data-files]"), entry.files ?? []);
    this.#outbox.append(line);
    this.setPending(entry.client_ref, state, entry.failed);
    this.toEnd();
  }

  /** Shows where a pending message stands: `sending`, `kept` or `failed`. */
  setPending(ref, state, reason) {
    const line = this.#pendingLine(ref);
    if (!line) return;
    line.classList.toggle("line-failed", state === "failed");
    this.#state(line, state);
    const place = line.querySelector("[data-reason]");
    if (place && reason) place.textContent = reason;
  }

  removePending(ref) {
    this.#pendingLine(ref)?.remove();
  }

  /** The other side has read up to `seq`. */
  setRead(seq) {
    if (seq <= this.#readSeq) return;
    this.#readSeq = seq;
    for (const line of this.#lines.querySelectorAll(".line-own")) {
      if (Number(line.dataset.seq) <= seq && line.dataset.read !== "yes") this.#state(line, "read");
    }
  }

  setTyping(on) {
    const bubble = this.#room.querySelector("[data-typing]");
    if (bubble.hidden === !on) return;
    const stay = this.atEnd();
    bubble.hidden = !on;
    if (stay) this.toEnd();
  }

  /** Opens the reactions below a message, or closes them. */
  togglePicker(button) {
    const line = button.closest(".line");
    const open = line.querySelector(".picker");
    for (const picker of this.#lines.querySelectorAll(".picker")) this.#close(picker);
    if (open) return;
    const picker = this.#template("picker").firstElementChild;
    button.setAttribute("aria-expanded", "true");
    line.querySelector(".line-body").after(picker);
    picker.addEventListener("keydown", (event) => {
      if (event.key === "Escape") {
        this.#close(picker);
        button.focus();
      }
    });
    picker.querySelector("button").focus();
    picker.scrollIntoView({ block: "nearest" });
  }

  closePicker(picker) {
    const button = picker.closest(".line").querySelector("[data-react]");
    this.#close(picker);
    button.focus();
  }

  #close(picker) {
    picker.closest(".line").querySelector("[data-react]")?.setAttribute("aria-expanded", "false");
    picker.remove();
  }

  #message(event, name, own) {
    const line = this.#blank(own);
    const text = event.body?.text ?? "";
    const erased = text === "" && filesOf(event).length === 0;
    const previous = this.#lines.lastElementChild;
    const minute = event.created_at.slice(0, 16);
    const same = previous?.dataset.actor === event.actor?.id && previous?.dataset.at?.slice(0, 16) === minute;
    line.classList.toggle("line-same", Boolean(same));
    line.id = `m${event.seq}`;
    line.dataset.seq = event.seq;
    line.dataset.actor = event.actor?.id ?? "";
    line.dataset.at = event.created_at;
    line.querySelector("[data-name]").textContent = `${name}: `;
    line.querySelector("[data-text]").textContent = erased ? TEXT.erased : text;
    line.querySelector("[data-time]").replaceChildren(timeElement(event.created_at));
    showFiles(this.#room, line.querySelector("[data-files]"), filesOf(event));
    line.classList.toggle("line-erased", erased);
    if (event.kind === "file" || erased) line.querySelector("[data-react]").remove();
    if (own) this.#state(line, event.seq <= this.#readSeq ? "read" : "sent");
    return line;
  }

  #note(event, name) {
    const texts = this.#room.querySelector("template[data-notes]").content;
    const { end_reason, status, revision, amount_cents, currency } = event.body ?? {};
    const kinds = [`${event.kind}_${end_reason}`, `${event.kind}_${status ?? revision ?? ""}`, event.kind];
    const found = kinds.map((kind) => texts.querySelector(`[data-kind="${CSS.escape(kind)}"]`)).find((each) => each);
    const text = found?.textContent;
    if (!text) return null;
    const note = this.#template("note-line").firstElementChild;
    note.dataset.seq = event.seq;
    const amount = currency ? money(amount_cents, currency) : "";
    note.querySelector("[data-text]").textContent = text.replace("{name}", () => name).replace("{amount}", () => amount);
    note.querySelector("[data-time]").replaceChildren(timeElement(event.created_at));
    return note;
  }

  #react({ actor, body }) {
    const place = this.#lines.querySelector(`[data-seq="${Number(body?.target_seq)}"] [data-reactions]`);
    if (!place || !actor?.id) return;
    let button = [...place.children].find((each) => each.dataset.emoji === body.emoji);
    const users = new Set((button?.dataset.users ?? "").split(" ").filter(Boolean));
    if (body.on) users.add(actor.id);
    else users.delete(actor.id);
    if (users.size === 0) {
      button?.remove();
      return;
    }
    if (!button) {
      button = document.createElement("button");
      button.type = "button";
      button.className = "chip reaction";
      button.dataset.emoji = body.emoji;
      place.append(button);
    }
    button.dataset.users = [...users].join(" ");
    button.setAttribute("aria-pressed", String(users.has(this.#viewer)));
    button.textContent = `${body.emoji} ${users.size}`;
    if (this.atEnd()) this.toEnd();
  }

  #blank(own) {
    const line = this.#template("line").querySelector(".line");
    line.removeAttribute("id");
    delete line.dataset.seq;
    line.classList.toggle("line-own", own);
    line.querySelector(".bubble").classList.toggle("bubble-own", own);
    line.classList.add("line-new");
    return line;
  }

  #state(line, state) {
    const known = this.#room.querySelector("template[data-states]").content.querySelector(`[data-state="${state}"]`);
    line.dataset.read = state === "read" ? "yes" : "";
    line.querySelector(".bubble-meta > [data-state]").replaceChildren(document.importNode(known, true));
  }

  #template(name) {
    return document.importNode(this.#room.querySelector(`template[data-${name}]`).content, true);
  }

  #pendingLine(ref) {
    return this.#outbox.querySelector(`[data-ref="${CSS.escape(ref)}"]`);
  }

  #announce(text) {
    const note = document.createElement("p");
    note.textContent = text;
    this.#announcer.append(note);
    while (this.#announcer.children.length > ANNOUNCED) this.#announcer.firstElementChild.remove();
  }

  #seen() {
    this.#unseen = 0;
    this.#pill.hidden = true;
  }
}
