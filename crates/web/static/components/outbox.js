// Messages that the server has not confirmed. Kept for the tab, so that a reload loses nothing; each keeps its
// client_ref, and the server takes a reference only once.

export class Outbox {
  #key;
  #entries = [];

  constructor(sessionId) {
    this.#key = `pitlane:outbox:${sessionId}`;
    try {
      this.#entries = JSON.parse(sessionStorage.getItem(this.#key) ?? "[]");
    } catch {
      this.#entries = [];
    }
  }

  /** Every entry, oldest first: {client_ref, text, files, created_at, failed}. */
  get entries() {
    return [...this.#entries];
  }

  find(ref) {
    return this.#entries.find((entry) => entry.client_ref === ref);
  }

  add(text, files = []) {
    const entry = { client_ref: reference(), text, files, created_at: new Date().toISOString(), failed: null };
    this.#entries.push(entry);
    this.#save();
    return entry;
  }

  /** Notes why an entry was refused, or `null` when it is tried again. */
  mark(ref, failed) {
    const entry = this.find(ref);
    if (!entry) return;
    entry.failed = failed;
    this.#save();
  }

  /** Forgets an entry; answers whether there was one. */
  remove(ref) {
    const before = this.#entries.length;
    this.#entries = this.#entries.filter((entry) => entry.client_ref !== ref);
    if (this.#entries.length !== before) this.#save();
    return this.#entries.length !== before;
  }

  #save() {
    try {
      if (this.#entries.length > 0) sessionStorage.setItem(this.#key, JSON.stringify(this.#entries));
      else sessionStorage.removeItem(this.#key);
    } catch {
      // Storage may be full or forbidden; what is on the page is still sent.
    }
  }
}

/** A UUID, also for a key under which something is sent once. crypto.randomUUID exists only under https and on localhost. */
export function reference() {
  if (crypto.randomUUID) return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
