// One call between two browsers: who is there, how they find each other, and how they find each other again.
//
// Each side that enters takes a fresh id and says hello. Whoever hears a hello with an id that it does not know begins
// anew with that one, so a reload, a second tab and a crash need no other signal, and what an earlier page sent is
// dropped. The mechanic makes the first offer of a connection, so that sound and picture are the same two lines for
// both; from then on either side may offer (perfect negotiation, the customer gives way).

// ICE says "disconnected" for every short gap; only a longer one is worth a new look for a way.
const GAP_MS = 2_000;
const AGAIN_MS = 5_000;
const RESTARTS = 2;
// Two tabs that enter within this time don't push each other out in turns.
const CONTEST_MS = 2_000;
// How long one's own other pages are waited for.
const ASK_MS = 250;

/** A random id. crypto.randomUUID exists only under https and on localhost. */
export function freshId() {
  const bytes = crypto.getRandomValues(new Uint8Array(12));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/**
 * Events: `state` (`waiting`, `connecting`, `live`, `reconnecting`), `remote` (what is seen and heard of the other),
 * `media` (what the other has switched on), `replaced` (the same person entered elsewhere).
 */
export class Call extends EventTarget {
  id = freshId();
  state = "waiting";
  remote = new MediaStream();
  /** What the other side has switched on; null until it has said so. */
  others = null;
  pc = null;
  #polite;
  #send;
  #sendSelf;
  #servers;
  #tracks = { audio: null, video: null };
  #media = {};
  #peer = null;
  #making = false;
  #ignoring = false;
  #answering = false;
  #work = Promise.resolve();
  #timer = 0;
  #restarts = 0;
  #entered = 0;
  #over = false;
  // Whether one's own other pages were told.
  #claimed = false;
  #spared = false;

  /**
   * `send(data)` reaches the other person, `sendSelf(data)` one's own other pages, and both answer whether it left; `servers()` answers the ICE servers of
   * now. The one who is `polite` gives way when both offer at once.
   */
  constructor({ polite, send, sendSelf, servers }) {
    super();
    this.#polite = polite;
    this.#send = send;
    this.#sendSelf = sendSelf;
    this.#servers = servers;
  }

  /** Enters: takes the place of one's own other pages and asks who is there. */
  enter() {
    this.#entered = Date.now();
    this.#claimed = this.#sendSelf({ from: this.id, kind: "taken", at: Date.now() });
    this.#hello(true);
  }

  /** The socket is there again: what was said meanwhile may be lost on both sides. */
  resume() {
    if (this.#over) return;
    // Another page of the same person may have entered meanwhile; it answers before the other side hears of this one.
    this.#sendSelf({ from: this.id, kind: this.#claimed ? "still" : "taken", at: Date.now() });
    this.#claimed = true;
    setTimeout(() => {
      if (this.#over) return;
      this.#hello(true);
      if (this.pc && this.pc.connectionState !== "connected") this.#restart();
    }, ASK_MS);
  }

  /** The network changed, or somebody thinks that it did: looks for a way anew. */
  restart() {
    if (this.pc && !this.#over) this.#restart();
  }

  /** Sends these from now on; `null` for what is switched off. */
  async show(tracks, media) {
    this.#tracks = { ...this.#tracks, ...tracks };
    this.#media = media;
    await this.#attach();
    this.#say({ kind: "media", media });
  }

  /** Stops or resumes sending the picture because the other side can't take it. */
  spare(on) {
    this.#spared = on;
    for (const sender of this.#senders("video")) {
      const parameters = sender.getParameters();
      for (const encoding of parameters.encodings ?? []) encoding.active = !on;
      sender.setParameters(parameters).catch(() => {});
    }
  }

  /** Leaves, and says so unless the page is replaced by another of the same person. */
  leave(say = true) {
    if (this.#over) return;
    this.#over = true;
    if (say) this.#say({ kind: "bye" });
    this.#close();
  }

  /** Takes a signal: of the other person, or of one's own other pages. */
  hear(data, own) {
    if (this.#over || !data || data.from === this.id) return;
    if (own) {
      if (data.kind === "taken") this.#contested(data);
      else if (data.kind === "still") this.#sendSelf({ from: this.id, kind: "taken", at: Date.now() });
      return;
    }
    // In the order in which they came: each may have to wait for the browser.
    this.#work = this.#work.then(() => this.#heard(data)).catch((error) => this.#failed(error));
  }

  // The one who entered last stays; of two at the same moment, the one with the higher id.
  #contested({ from, at }) {
    const early = Date.now() - this.#entered < CONTEST_MS;
    if (early && (at < this.#entered || (at === this.#entered && from < this.id))) {
      this.#sendSelf({ from: this.id, kind: "taken", at: Date.now() });
      return;
    }
    this.leave(false);
    this.dispatchEvent(new Event("replaced"));
  }

  async #heard(data) {
    if (this.#over) return;
    if (data.kind === "hello") {
      const known = data.from === this.#peer;
      if (data.wanted) this.#hello(false);
      if (!known) await this.#meet(data.from);
      else if (this.pc?.signalingState === "have-local-offer") this.#describe();
      this.#told(data.media);
      return;
    }
    if (data.from !== this.#peer) return;
    if (data.kind === "bye") this.#part();
    else if (data.kind === "media") this.#told(data.media);
    else if (data.to !== this.id) return;
    else if (data.kind === "description") await this.#described(data.description);
    else if (data.kind === "candidate") await this.#candidate(data.candidate);
  }

  #told(media) {
    this.others = media ?? null;
    this.dispatchEvent(new Event("media"));
  }

  // ---- finding each other ----

  async #meet(peer) {
    this.#close();
    this.#peer = peer;
    this.#set("connecting");
    const pc = new RTCPeerConnection({ iceServers: this.#servers(), bundlePolicy: "max-bundle" });
    this.pc = pc;
    pc.addEventListener("negotiationneeded", () => this.#offer(pc));
    pc.addEventListener("icecandidate", ({ candidate }) => {
      if (pc === this.pc) this.#say({ kind: "candidate", to: this.#peer, candidate: candidate?.toJSON() ?? null });
    });
    pc.addEventListener("track", ({ track }) => {
      for (const old of this.remote.getTracks()) if (old.kind === track.kind) this.remote.removeTrack(old);
      this.remote.addTrack(track);
      this.dispatchEvent(new Event("remote"));
    });
    pc.addEventListener("connectionstatechange", () => this.#connection(pc));
    this.#watch(AGAIN_MS);
    if (this.#polite) return;
    pc.addTransceiver("audio", { direction: "sendrecv" });
    pc.addTransceiver("video", { direction: "sendrecv" });
    await this.#attach();
  }

  async #offer(pc) {
    if (pc !== this.pc) return;
    try {
      this.#making = true;
      await pc.setLocalDescription();
      if (pc === this.pc) this.#describe();
    } catch (error) {
      this.#failed(error);
    } finally {
      this.#making = false;
    }
  }

  #describe() {
    this.#say({ kind: "description", to: this.#peer, description: this.pc.localDescription.toJSON() });
  }

  async #described(description) {
    const { pc } = this;
    const ready = !this.#making && (pc.signalingState === "stable" || this.#answering);
    const collision = description.type === "offer" && !ready;
    this.#ignoring = !this.#polite && collision;
    if (this.#ignoring) return;
    this.#answering = description.type === "answer";
    await pc.setRemoteDescription(description).finally(() => (this.#answering = false));
    if (description.type !== "offer") return;
    await this.#attach();
    await pc.setLocalDescription();
    this.#describe();
  }

  async #candidate(candidate) {
    try {
      await this.pc.addIceCandidate(candidate ?? undefined);
    } catch (error) {
      // Those of an offer that was not taken don't fit, and need not.
      if (!this.#ignoring) throw error;
    }
  }

  async #attach() {
    for (const transceiver of this.pc?.getTransceivers() ?? []) {
      const track = this.#tracks[transceiver.receiver.track.kind];
      if (transceiver.direction !== "sendrecv") transceiver.direction = "sendrecv";
      if (transceiver.sender.track !== track) await transceiver.sender.replaceTrack(track);
    }
  }

  #senders(kind) {
    const transceivers = this.pc?.getTransceivers() ?? [];
    return transceivers.filter((one) => one.receiver.track.kind === kind).map((one) => one.sender);
  }

  // ---- losing each other ----

  #connection(pc) {
    if (pc !== this.pc) return;
    switch (pc.connectionState) {
      case "connected":
        clearTimeout(this.#timer);
        this.#restarts = 0;
        // It may have been asked for before there was anything to stop.
        if (this.#spared) this.spare(true);
        this.#set("live");
        break;
      case "disconnected":
        this.#set("reconnecting");
        this.#watch(GAP_MS);
        break;
      case "failed":
        this.#set("reconnecting");
        this.#restart();
        break;
    }
  }

  #watch(after) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#restart(), after);
  }

  #restart() {
    const { pc } = this;
    if (!pc || this.#over) return;
    if (pc.connectionState !== "connected") {
      if (this.state === "live") this.#set("reconnecting");
      this.#watch(AGAIN_MS);
      this.#restarts += 1;
    }
    if (this.#restarts > RESTARTS || pc.signalingState === "closed") {
      this.#begin();
      return;
    }
    pc.setConfiguration({ iceServers: this.#servers(), bundlePolicy: "max-bundle" });
    if (pc.signalingState === "have-local-offer") this.#describe();
    else if (pc.getTransceivers().length > 0) pc.restartIce();
  }

  // Nothing helped: as a new one, as if the page had been loaded again. Whoever is there answers.
  #begin() {
    this.#restarts = 0;
    this.#close();
    this.id = freshId();
    this.#peer = null;
    this.#entered = Date.now();
    this.#set("reconnecting");
    this.#hello(true);
  }

  #part() {
    this.#close();
    this.#peer = null;
    this.others = null;
    this.#set("waiting");
  }

  #close() {
    clearTimeout(this.#timer);
    const { pc } = this;
    this.pc = null;
    this.#making = this.#ignoring = this.#answering = false;
    pc?.close();
    for (const track of this.remote.getTracks()) this.remote.removeTrack(track);
    this.dispatchEvent(new Event("remote"));
  }

  #failed(error) {
    console.warn("the call stumbled", error);
    this.#watch(GAP_MS);
  }

  #set(state) {
    if (this.state === state || this.#over) return;
    this.state = state;
    this.dispatchEvent(new Event("state"));
  }

  #hello(wanted) {
    this.#say({ kind: "hello", wanted, media: this.#media });
  }

  #say(data) {
    this.#send({ from: this.id, ...data });
  }
}
