// What is about to be sent with a message: chosen, pasted or dropped, uploaded at once, and kept while the connection
// is gone. A file goes up under a key of its own, so that trying again never uploads it twice.

import { problem } from "./api.js";
import { reference } from "./outbox.js";
import { sizeText } from "./room-files.js";
import { socket } from "./socket.js";

const MOST = 10;
const AT_ONCE = 2;
const AGAIN_MS = 5_000;
// Refusals that may end by themselves.
const PASSES = new Set([0, 408, 409, 429, 502, 503, 504]);
const TEXT = {
  tooMany: `A message carries up to ${MOST} files. Send these first, then the others.`,
  tooLarge: (name, most) => `${name} is larger than ${most} MB. A shorter recording or a smaller photo works.`,
  empty: (name) => `${name} is empty.`,
  waiting: "Waiting",
  sending: (percent) => `Sending, ${percent} %`,
  sent: (size) => `${size}, ready`,
  lost: "No connection. It goes on by itself.",
  failed: "One file did not arrive. Try it again or remove it.",
  held: "The message goes out when its files have arrived.",
  added: (name) => `${name} added`,
  ready: (name) => `${name} is ready`,
  removed: (name) => `${name} removed`,
  remove: (name) => `Remove ${name}`,
  again: (name) => `Send ${name} again`,
};

export class Attachments {
  #room;
  #list;
  #largest;
  #entries = [];
  #settled = null;

  /** The tray of a room; `largest` is the most bytes of a file. */
  constructor(room, largest) {
    this.#room = room;
    this.#list = room.querySelector("[data-attached]");
    this.#largest = largest;
    for (const input of room.querySelectorAll("[data-attach]")) {
      input.addEventListener("change", () => {
        this.add([...input.files]);
        input.value = "";
      });
    }
    room.querySelector("textarea").addEventListener("paste", (event) => this.#taken(event, event.clipboardData));
    const talk = room.querySelector("[data-drop-here]");
    talk.addEventListener("dragover", (event) => {
      if (!this.#isOpen() || !event.dataTransfer.types.includes("Files")) return;
      event.preventDefault();
      talk.classList.add("is-over");
    });
    talk.addEventListener("dragleave", () => talk.classList.remove("is-over"));
    talk.addEventListener("drop", (event) => {
      talk.classList.remove("is-over");
      if (this.#isOpen()) this.#taken(event, event.dataTransfer);
    });
    this.#list.addEventListener("click", (event) => this.#click(event));
    const goOn = () => this.#goOn();
    socket.addEventListener("up", goOn);
    addEventListener("online", goOn);
  }

  /** Whether some file is still on its way. */
  get isBusy() {
    return this.#entries.some((entry) => entry.state === "waiting" || entry.state === "sending" || entry.state === "lost");
  }

  get isEmpty() {
    return this.#entries.length === 0;
  }

  /** Calls back once, when no file is on its way any more. */
  whenSettled(callback) {
    this.#settled = callback;
    this.#say(TEXT.held);
  }

  /** The uploaded files in their order, and empties the tray; `null`, with a reason shown, when one has failed. */
  take() {
    if (this.#entries.some((entry) => entry.state === "failed")) {
      this.#complain(TEXT.failed);
      return null;
    }
    const files = this.#entries.map((entry) => entry.sent);
    for (const entry of this.#entries) entry.row.remove();
    this.#entries = [];
    this.#complain("");
    this.#say("");
    return files;
  }

  /** Takes files, as far as they may be sent. */
  add(files) {
    this.#complain("");
    for (const file of files) {
      if (this.#entries.length >= MOST) {
        this.#complain(TEXT.tooMany);
        break;
      }
      if (file.size > this.#largest) this.#complain(TEXT.tooLarge(file.name, Math.floor(this.#largest / 1e6)));
      else if (file.size === 0) this.#complain(TEXT.empty(file.name));
      else this.#show(file);
    }
    this.#pump();
  }

  #isOpen() {
    return !this.#room.querySelector("[data-composer]").hidden;
  }

  #taken(event, data) {
    const files = [...(data?.files ?? [])];
    if (files.length === 0) return;
    event.preventDefault();
    this.add(files);
  }

  #show(file) {
    const row = document.importNode(this.#room.querySelector("template[data-attachment]").content, true).firstElementChild;
    row.querySelector("[data-name]").textContent = file.name;
    row.querySelector("[data-remove]").setAttribute("aria-label", TEXT.remove(file.name));
    row.querySelector("[data-again]").setAttribute("aria-label", TEXT.again(file.name));
    row.querySelector("progress").setAttribute("aria-label", file.name);
    if (file.type.startsWith("image/")) this.#preview(row, file);
    this.#list.append(row);
    const entry = { file, row, key: reference(), state: "waiting", sent: null, upload: null };
    this.#entries.push(entry);
    this.#state(entry, "waiting", TEXT.waiting);
    this.#say(TEXT.added(file.name));
  }

  #preview(row, file) {
    const picture = row.querySelector("[data-picture]");
    const address = URL.createObjectURL(file);
    picture.addEventListener("load", () => {
      picture.hidden = false;
      row.querySelector(".icon").classList.add("is-hidden");
    });
    for (const done of ["load", "error"]) picture.addEventListener(done, () => URL.revokeObjectURL(address));
    picture.src = address;
  }

  #pump() {
    for (const entry of this.#entries) {
      if (this.#entries.filter((one) => one.state === "sending").length >= AT_ONCE) return;
      if (entry.state === "waiting") this.#send(entry);
    }
  }

  #send(entry) {
    // fetch() can't tell how far an upload has come.
    const upload = new XMLHttpRequest();
    entry.upload = upload;
    this.#state(entry, "sending", TEXT.sending(0));
    upload.responseType = "json";
    upload.upload.addEventListener("progress", (event) => {
      const percent = event.lengthComputable ? Math.floor((event.loaded / event.total) * 100) : 0;
      entry.row.querySelector("progress").value = percent;
      this.#state(entry, "sending", TEXT.sending(percent));
    });
    upload.addEventListener("load", () => this.#answered(entry, upload));
    upload.addEventListener("error", () => this.#lost(entry));
    const body = new FormData();
    body.append("file", entry.file);
    upload.open("POST", "/api/files");
    upload.setRequestHeader("Accept", "application/json");
    upload.setRequestHeader("Idempotency-Key", entry.key);
    upload.send(body);
  }

  #answered(entry, upload) {
    if (upload.status === 201) {
      const { file_id: id, ...rest } = upload.response;
      entry.sent = { id, ...rest };
      this.#state(entry, "sent", TEXT.sent(sizeText(entry.file.size)));
      this.#say(TEXT.ready(entry.file.name));
    } else {
      const { message } = problem(upload.status, upload.response);
      this.#state(entry, "failed", message);
      entry.row.querySelector("[data-again]").hidden = !PASSES.has(upload.status);
      this.#say(`${entry.file.name}: ${message}`);
    }
    this.#next();
  }

  #lost(entry) {
    this.#state(entry, "lost", TEXT.lost);
    setTimeout(() => this.#goOn(), AGAIN_MS);
  }

  /** Tries again what broke off. */
  #goOn() {
    for (const entry of this.#entries) if (entry.state === "lost") this.#state(entry, "waiting", TEXT.waiting);
    this.#pump();
  }

  #next() {
    this.#pump();
    if (this.isBusy || !this.#settled) return;
    const settled = this.#settled;
    this.#settled = null;
    settled();
  }

  #click(event) {
    const row = event.target.closest("li");
    const entry = this.#entries.find((one) => one.row === row);
    if (!entry) return;
    if (event.target.closest("[data-again]")) {
      this.#state(entry, "waiting", TEXT.waiting);
      this.#complain("");
      this.#pump();
    } else if (event.target.closest("[data-remove]")) {
      this.#entries = this.#entries.filter((one) => one !== entry);
      entry.upload?.abort();
      row.remove();
      this.#complain("");
      this.#say(TEXT.removed(entry.file.name));
      this.#room.querySelector("textarea").focus();
      this.#next();
    }
  }

  #state(entry, state, text) {
    entry.state = state;
    const { row } = entry;
    row.dataset.state = state;
    row.querySelector("[data-state-text]").textContent = text;
    row.querySelector("progress").hidden = state === "sent" || state === "failed";
    row.querySelector("[data-again]").hidden = state !== "lost";
  }

  #complain(message) {
    const fault = this.#room.querySelector("[data-attach-fault]");
    fault.textContent = message;
    fault.hidden = message === "";
  }

  #say(message) {
    this.#room.querySelector("[data-attach-status]").textContent = message;
  }
}
