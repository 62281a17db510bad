// The buttons of a call and its two pictures: what one sends, what one sees, and what each side is told of it.

import { Blocked, canShareScreen, list, screen } from "./video-devices.js";

export class Controls {
  #room;
  #call = null;
  #devices = null;
  #screen = null;
  // Why there are no pictures, `chosen` or `poor`; null while there may be.
  #soundOnly = null;
  #wanted = true;
  #watching = false;
  #torch = false;
  #keep;

  /** `room` is the <video-room>; `keep(choice)` hears of everything that a person switches, to enter with it again. */
  constructor(room, keep) {
    this.#room = room;
    this.#keep = keep;
    room.addEventListener("click", (event) => this.#press(event));
    for (const select of room.querySelectorAll('[data-dialog="devices"] select')) {
      select.addEventListener("change", () => this.#choose(select));
    }
    this.self.addEventListener("click", () => room.toggleAttribute("swapped"));
    navigator.mediaDevices?.addEventListener?.("devicechange", () => this.#fill());
  }

  /** The other side's picture. */
  get remote() {
    return this.#room.querySelector("[data-remote]");
  }

  /** One's own picture. */
  get self() {
    return this.#room.querySelector("[data-self]");
  }

  #part(name) {
    return this.#room.querySelector(`[data-do="${name}"]`);
  }

  /** From now on these are about this call, entered with this choice; `null` when there is none. */
  follow(call, devices, choice) {
    this.#screen?.stop();
    this.#screen = null;
    this.#torch = false;
    this.#soundOnly = choice?.soundOnly ?? null;
    this.#wanted = choice?.camera ?? true;
    this.#watching = choice?.watching ?? false;
    this.#call = call;
    this.#devices = devices;
    this.#part("loud").hidden = true;
    if (!call) {
      this.remote.srcObject = null;
      this.self.querySelector("video").srcObject = null;
      this.self.hidden = true;
      return;
    }
    call.addEventListener("remote", () => this.#see());
    call.addEventListener("media", () => this.#hearOf(call));
    devices.addEventListener("change", () => this.#send());
    this.#send();
    this.#see();
    this.#fill();
  }

  // ---- what one sends ----

  get #picture() {
    return this.#soundOnly ? null : (this.#screen ?? this.#devices?.camera ?? null);
  }

  async #send() {
    const call = this.#call;
    if (!call) return;
    const { camera, microphone, muted } = this.#devices;
    const picture = this.#picture;
    const media = { microphone: Boolean(microphone) && !muted, camera: picture !== null, screen: picture !== null && picture === this.#screen, picture: !this.#soundOnly };
    this.#draw(media);
    this.#keep({ muted, camera: this.#wanted, soundOnly: this.#soundOnly, watching: this.#watching && !camera && !microphone });
    await call.show({ audio: microphone, video: picture }, media).catch((error) => console.warn("not sent", error));
  }

  #draw(media) {
    const own = this.self.querySelector("video");
    const picture = this.#picture;
    own.srcObject = picture ? new MediaStream([picture]) : null;
    if (picture) own.play().catch(() => {});
    this.self.hidden = !picture;
    const mirrored = picture !== null && picture !== this.#screen && this.#devices.facing !== "environment";
    own.classList.toggle("is-mirrored", mirrored);
    this.#mark("microphone", media.microphone, this.#devices.microphone !== null);
    this.#mark("camera", media.camera && !media.screen, true);
    this.#mark("screen", media.screen, canShareScreen());
    this.#mark("sound", this.#soundOnly !== null, true);
    this.#mark("torch", this.#torch, !media.screen && this.#devices.hasTorch);
    for (const part of this.#room.querySelectorAll("[data-sound]")) part.hidden = part.dataset.sound !== this.#soundOnly;
    this.#devices.canFlip().then((can) => this.#mark("flip", false, can && media.camera && !media.screen));
  }

  // A button says what pressing it does, and shows what is the case.
  #mark(name, on, usable) {
    const button = this.#part(name);
    button.hidden = !usable;
    const { on: whenOn, off: whenOff } = button.dataset;
    const words = on ? whenOn : whenOff;
    const label = button.querySelector("[data-label]");
    if (label) label.textContent = words;
    else button.setAttribute("aria-label", words);
    button.classList.toggle("is-off", name === "microphone" || name === "camera" ? !on : on);
    for (const icon of button.querySelectorAll("[data-icon]")) icon.hidden = (icon.dataset.icon === "on") !== on;
  }

  async #press(event) {
    const name = event.target instanceof Element ? event.target.closest("[data-do]")?.dataset.do : null;
    if (!name || !this.#call) return;
    try {
      await this.#do(name);
      this.#fault(null);
    } catch (error) {
      this.#fault(error instanceof Blocked ? error.why : "busy");
    }
  }

  async #do(name) {
    const devices = this.#devices;
    switch (name) {
      case "microphone":
        devices.mute(!devices.muted);
        break;
      case "camera":
        await this.#camera(this.#picture === null || this.#picture === this.#screen);
        break;
      case "flip":
        await devices.flip();
        break;
      case "torch":
        await devices.torch(!this.#torch);
        this.#torch = !this.#torch;
        this.#send();
        break;
      case "screen":
        await this.#share(this.#screen === null);
        break;
      case "sound":
        this.soundOnly(!this.#soundOnly, "chosen");
        break;
    }
  }

  async #camera(on) {
    this.#wanted = on;
    this.#soundOnly = null;
    this.#torch = false;
    this.#drop();
    if (on && !this.#devices.camera) await this.#devices.openCamera();
    else if (!on) this.#devices.closeCamera();
    else this.#send();
  }

  #drop() {
    this.#screen?.stop();
    this.#screen = null;
  }

  async #share(on) {
    this.#drop();
    if (on) {
      const track = await screen();
      if (!track || !this.#call) {
        track?.stop();
        return;
      }
      this.#soundOnly = null;
      this.#screen = track;
      // The browser's own bar has a button to stop as well.
      track.addEventListener("ended", () => {
        if (this.#screen !== track) return;
        this.#screen = null;
        this.#send();
      });
    }
    this.#room.querySelector('[data-dialog="devices"]').close();
    this.#send();
  }

  /** Sound without pictures, both ways, and back; `why` is `chosen` or `poor`. */
  soundOnly(on, why) {
    if (!this.#call || (this.#soundOnly !== null) === on) return;
    this.#soundOnly = on ? why : null;
    this.#torch = false;
    if (on) {
      this.#drop();
      this.#devices.closeCamera();
    } else if (this.#wanted) {
      this.#devices.openCamera().catch((error) => this.#fault(error.why ?? "busy"));
    }
    this.#send();
  }

  #fault(why) {
    for (const part of this.#room.querySelectorAll("[data-fault]")) part.hidden = part.dataset.fault !== why;
  }

  async #choose(select) {
    try {
      if (select.name === "call-camera") {
        this.#wanted = true;
        this.#soundOnly = null;
        this.#drop();
        await this.#devices?.openCamera(select.value);
      } else {
        await this.#devices?.openMicrophone(select.value);
      }
      this.#fault(null);
    } catch (error) {
      this.#fault(error.why ?? "busy");
    }
  }

  async #fill() {
    if (!this.#devices) return;
    const { cameras, microphones } = await list();
    const fill = (name, found, track) => {
      const select = this.#room.querySelector(`select[name="${name}"]`);
      const using = track?.getSettings().deviceId;
      select.replaceChildren(...found.map((one, at) => new Option(one.label || `${select.dataset.name} ${at + 1}`, one.deviceId)));
      if (found.some((one) => one.deviceId === using)) select.value = using;
      select.disabled = found.length === 0;
    };
    fill("call-camera", cameras, this.#devices?.camera);
    fill("call-microphone", microphones, this.#devices?.microphone);
    if (this.#call) this.#draw({ microphone: Boolean(this.#devices.microphone) && !this.#devices.muted, camera: this.#picture !== null, screen: this.#screen !== null });
  }

  // ---- what one sees ----

  #see() {
    const video = this.remote;
    const { remote } = this.#call ?? {};
    const seen = remote?.getTracks().length ? remote : null;
    if (video.srcObject !== seen) video.srcObject = seen;
    if (!seen) return;
    video.play().catch(({ name }) => {
      // Without a gesture some browsers play no sound: the picture first, the sound by a button. Anything else only says
      // that another picture came meanwhile.
      if (name !== "NotAllowedError") return;
      video.muted = true;
      video.play().catch(() => {});
      this.#part("loud").hidden = false;
    });
  }

  /** Plays the sound that the browser held back. */
  loud() {
    this.remote.muted = false;
    this.remote.play().catch(() => {});
    this.#part("loud").hidden = true;
  }

  #hearOf(call) {
    const { others } = call;
    this.#room.toggleAttribute("other-muted", others?.microphone === false);
    this.#room.toggleAttribute("other-dark", others?.camera === false);
    for (const part of this.#room.querySelectorAll("[data-other]")) {
      part.hidden = !this.#room.hasAttribute(`other-${part.dataset.other}`);
    }
    call.spare(others?.picture === false);
  }
}
