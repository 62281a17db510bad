// <device-check>: what the camera sees and how loud the microphone hears, and which of several is used. Nothing leaves
// the browser here. The room begins it when its dialog opens; it ends with the dialog. `checked` is dispatched once
// something works.

import { Blocked, Devices, chosen, list } from "./video-devices.js";

class DeviceCheck extends HTMLElement {
  #devices = null;
  #sound = null;
  #frame = 0;

  connectedCallback() {
    for (const select of this.querySelectorAll("select")) {
      select.addEventListener("change", () => this.#choose(select));
    }
    this.querySelector("[data-begin]").addEventListener("click", () => this.begin());
    navigator.mediaDevices?.addEventListener?.("devicechange", this.#renew);
    this.closest("dialog")?.addEventListener("close", () => this.end());
  }

  disconnectedCallback() {
    navigator.mediaDevices?.removeEventListener?.("devicechange", this.#renew);
    this.end();
  }

  /** Opens the devices and shows them. */
  async begin() {
    this.end();
    this.#told("asking");
    const devices = new Devices(this.getAttribute("facing") ?? "user");
    this.#devices = devices;
    try {
      await devices.open();
    } catch (error) {
      if (this.#devices === devices) this.#told(error instanceof Blocked ? error.why : "busy");
      return;
    }
    if (this.#devices !== devices) {
      devices.close();
      return;
    }
    this.#works();
    devices.addEventListener("change", () => this.#devices === devices && this.#show());
    this.#show();
    this.#renew();
    this.dispatchEvent(new Event("checked"));
  }

  /** Hands over what is open, so that the call goes on with just that; `null` when nothing is. */
  take() {
    const devices = this.#devices;
    if (!devices?.camera && !devices?.microphone) return null;
    this.#devices = null;
    this.end();
    return devices;
  }

  /** Lets go of everything. */
  end() {
    cancelAnimationFrame(this.#frame);
    this.#sound?.close().catch(() => {});
    this.#sound = null;
    this.#devices?.close();
    this.#devices = null;
    this.querySelector("video").srcObject = null;
    this.#told("idle");
  }

  #show() {
    const { camera, microphone } = this.#devices ?? {};
    const video = this.querySelector("video");
    video.srcObject = camera ? new MediaStream([camera]) : null;
    if (camera) video.play().catch(() => {});
    this.#listen(microphone);
  }

  #listen(track) {
    cancelAnimationFrame(this.#frame);
    this.#sound?.close().catch(() => {});
    this.#sound = null;
    const meter = this.querySelector("meter");
    meter.value = 0;
    if (!track) return;
    const sound = new AudioContext();
    this.#sound = sound;
    const ear = sound.createAnalyser();
    ear.fftSize = 512;
    sound.createMediaStreamSource(new MediaStream([track])).connect(ear);
    const samples = new Float32Array(ear.fftSize);
    const look = () => {
      ear.getFloatTimeDomainData(samples);
      const loudest = samples.reduce((most, one) => Math.max(most, Math.abs(one)), 0);
      // Falls slowly, so that the eye can follow.
      meter.value = Math.max(Math.min(loudest * 2, 1), meter.value * 0.9);
      this.#frame = requestAnimationFrame(look);
    };
    look();
  }

  #renew = async () => {
    if (!this.#devices) return;
    const { cameras, microphones } = await list();
    this.#fill("camera", cameras, this.#devices?.camera);
    this.#fill("microphone", microphones, this.#devices?.microphone);
  };

  #fill(name, found, track) {
    const select = this.querySelector(`select[name="${name}"]`);
    const using = track?.getSettings().deviceId ?? chosen()[name];
    const options = found.map((one, at) => new Option(one.label || `${select.dataset.name} ${at + 1}`, one.deviceId));
    select.replaceChildren(...options);
    if (found.some((one) => one.deviceId === using)) select.value = using;
    select.disabled = found.length === 0;
  }

  async #choose(select) {
    const devices = this.#devices;
    if (!devices) return;
    try {
      if (select.name === "camera") await devices.openCamera(select.value);
      else await devices.openMicrophone(select.value);
      if (this.#devices === devices) this.#works();
    } catch (error) {
      if (this.#devices === devices) this.#told(error instanceof Blocked ? error.why : "busy");
    }
  }

  #works() {
    this.#told(this.#devices?.camera ? "good" : "nocamera");
  }

  #told(state) {
    this.setAttribute("state", state);
    for (const part of this.querySelectorAll("[data-when]")) part.hidden = !part.dataset.when.split(" ").includes(state);
  }
}

customElements.define("device-check", DeviceCheck);
