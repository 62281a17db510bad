// <device-check>: what the camera sees and how loud the microphone hears, and which of several is used. Nothing leaves
// the browser here.

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
    // Where permission was given before nobody is asked again, so the preview may begin by itself.
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
      this.#told(error instanceof Blocked ? error.why : "busy");
      return;
    }
    if (this.#devices !== devices) {
      devices.close();
      return;
    }
    this.#told(devices.camera ? "good" : "nocamera");
    devices.addEventListener("change", () => this.#show());
    this.#show();
    this.#renew();
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
    try {
      if (select.name === "camera") await this.#devices?.openCamera(select.value);
      else await this.#devices?.openMicrophone(select.value);
      this.#told("good");
    } catch (error) {
      this.#told(error instanceof Blocked ? error.why : "busy");
    }
  }

  #told(state) {
    this.setAttribute("state", state);
    for (const part of this.querySelectorAll("[data-when]")) part.hidden = !part.dataset.when.split(" ").includes(state);
  }
}

customElements.define("device-check", DeviceCheck);
